"""The inside of a function of one row as Python text: sums, and the largest by its rank."""

from __future__ import annotations

from dataclasses import replace

from symopt.program.ir import RowFunction
from symopt.targets.python_code import KernelPrinter, Lines, body_lines


def row_lines(row: RowFunction) -> tuple[Lines, Lines]:
    """A row function's numbers, and the lines of its loop over one block."""
    printer = KernelPrinter(elementwise=True)
    # the compiler compares whole numbers several at once, but not real ones that may be NaN
    body = tuple(replace(one, augment="rank") if one.augment == "max" else one for one in row.body)
    loop = tuple(body_lines(printer, body, 0))
    numbers = sorted(printer.needs.items())
    return tuple((f"{name} = real({value})", "") for name, value in numbers), loop
