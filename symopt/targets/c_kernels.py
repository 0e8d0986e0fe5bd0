"""Kernels as C functions, and as the Python functions that call them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Indexed

from symopt.program.group_kernel import ELEMENT, GroupKernel
from symopt.program.ir import (
    ARRAY,
    BATCH,
    NEAR_LEARNED,
    PART,
    SCALAR_STATE,
    Argument,
    Assign,
    Call,
    Kernel,
    Loop,
    Node,
)
from symopt.targets.c_code import Arrays, c_lines, c_row
from symopt.targets.c_printer import DOUBLE, Real

FAULT, WHOLE = "fault", "int64_t"
# arguments that are arrays of the arrays' dtype
_ARRAYS = (ARRAY, BATCH, NEAR_LEARNED)


@dataclass(frozen=True)
class CKernel:
    """A kernel, the types of those arrays that are not of the arrays' dtype, and their lengths.

    Of ``averages`` a caller may have either dtype; C takes them in double precision. ``noted`` is
    how many numbers a fault takes.
    """

    kernel: Kernel
    types: Mapping[str, str]
    lengths: Mapping[str, str] | None = None
    averages: Collection[str] = ()
    noted: int = 0

    def arrays(self, real: Real) -> Arrays:
        """The same for one dtype."""
        own = {one.name: real.type for one in self.kernel.of_kind(*_ARRAYS)}
        return Arrays({**own, **self.types}, self.lengths, self.noted)

    @property
    def returned(self) -> list[str]:
        """The numbers of a result that is several of them."""
        inner = self.kernel.result
        if not inner.startswith("("):
            return []
        return [one.strip() for one in inner.strip("()").split(",") if one.strip()]

    @property
    def sizes(self) -> list[str]:
        """The whole numbers that C takes first, since its arrays know no shape."""
        if self.kernel.lengths:
            return list(self.kernel.lengths)
        return ["size", *([self.kernel.count] if self.kernel.batch else [])]

    def called(self, owner: str, reals: Sequence[Real]) -> dict[str, Any]:
        """The kernel as a Python function over flat arrays, which a module's functions call."""
        kernel, over = self.kernel, self.kernel.over
        sizes = [f"{over}.size", *([f"len({kernel.batch})"] if kernel.batch else [])]
        model = next(a.name for a in kernel.of_kind(ARRAY) if a.name not in self.types)
        return {
            "name": kernel.name,
            "arguments": ", ".join(one.name for one in kernel.arguments),
            "model": model,
            "table": kernel.name.upper(),
            "functions": [
                f"np.dtype(np.{one.dtype}): "
                f"(_LIB.{owner}{kernel.name}_{one.dtype}, _{one.type.upper()})"
                for one in reals
            ],
            "passed": [
                *([f"*{over}.shape"] if kernel.lengths else sizes),
                *map(self._passed, kernel.arguments),
                *(["returned"] if self.returned else []),
            ],
            "doubled": [one.name for one in kernel.arguments if one.name in self.averages],
            "stored": [
                one.name for one in kernel.arguments if one.name in self.averages and one.written
            ],
            "several": len(self.returned),
            "returned": "return " if kernel.result and not self.returned else "",
            "shared": any(one.kind == PART for one in kernel.arguments),
        }

    def _passed(self, one: Argument) -> str:
        if one.name in self.averages:
            return f"_FFI.from_buffer(_DOUBLE, {one.name}_doubled)"
        kind = _KINDS[self.types[one.name]] if one.name in self.types else "real"
        if kind == "real" and one.kind not in _ARRAYS:
            return one.name
        # over elements all arrays are checked beforehand
        given = one.name if self.lengths is None or one.written else f"_aligned({one.name})"
        return f"_FFI.from_buffer({kind}, {given})"


_KINDS = {DOUBLE.type: "_DOUBLE", WHOLE: "_WHOLE"}


def elementwise_kernel(kernel: Kernel) -> CKernel:
    """A kernel over all elements of arrays of one shape."""
    types = {one.name: DOUBLE.type for one in kernel.of_kind(SCALAR_STATE)}
    return CKernel(kernel, types)


def group_kernel(one: GroupKernel, averages: Collection[str], labels: Collection[str]) -> CKernel:
    """A kernel over groups: gradients of what is learned and averages are in double precision."""
    kernel, results = one.kernel, dict(one.results)
    types = dict.fromkeys(one.gathered, DOUBLE.type)
    types |= {
        argument.name: DOUBLE.type for argument in kernel.arguments if argument.name in averages
    }
    types |= dict.fromkeys(labels, WHOLE)
    if any(argument.name == FAULT for argument in kernel.arguments):
        types[FAULT] = WHOLE
    of_elements = {*one.inputs, *(name for name, kind in results.items() if kind == ELEMENT)}
    return CKernel(
        kernel,
        types,
        _lengths(kernel, of_elements),
        [name for name in averages if name in types],
        1 + len(one.kept),
    )


def _lengths(kernel: Kernel, of_elements: Collection[str]) -> dict[str, str]:
    """How far each counter runs, told by the places of elements, which have one for each axis."""
    found: dict[str, str] = {}
    for entry in _entries(kernel.body):
        if str(entry.base.label) in of_elements:
            found.update(zip(map(str, entry.indices), kernel.lengths, strict=False))
    return found


def _entries(nodes: Sequence[Node]) -> Iterator[Indexed]:
    for node in nodes:
        match node:
            case Assign(target, value):
                yield from (*target.atoms(Indexed), *value.atoms(Indexed))
            case Call(_, arguments, targets):
                yield from (
                    entry for part in (*arguments, *targets) for entry in part.atoms(Indexed)
                )
            case Loop(body=inner):
                yield from _entries(inner)


def sources(
    owner: str, kernels: Sequence[CKernel], reals: Sequence[Real]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[str]]:
    """Row functions, functions and the names of helpers, for each dtype.

    Raises
    ------
    LoweringError
        For what C has no form of.
    """
    rows: list[dict[str, Any]] = []
    functions: list[dict[str, Any]] = []
    needed: set[str] = set()
    for one in kernels:
        for real in reals:
            lines, helpers, handed = c_lines(owner, one.kernel, real, one.arrays(real))
            functions.append(_function(owner, one, real, _with_notes(lines)))
            needed |= helpers
            for row in one.kernel.rows:
                shown = c_row(row, handed[row.name], real)
                rows.append({**shown, "lines": _with_notes(shown["lines"])})
                needed |= shown["helpers"]
    return rows, functions, needed


def _function(owner: str, one: CKernel, real: Real, lines: Sequence[str]) -> dict[str, Any]:
    kernel, several = one.kernel, one.returned
    given = [f"const int64_t {size}" for size in one.sizes]
    given += [_parameter(argument, one.arrays(real)) for argument in kernel.arguments]
    given += ["double *restrict returned"] if several else []
    tail = [f"returned[{place}] = {name};" for place, name in enumerate(several)]
    if kernel.result and not several:
        tail = [f"return {kernel.result};"]
    return {
        "name": f"{owner}{kernel.name}_{real.dtype}",
        "returns": "double" if kernel.result and not several else "void",
        "declared": ", ".join(given),
        "signature": [f"{line}," for line in given[:-1]] + [f"{given[-1]})"],
        "lines": [*lines, *tail],
    }


def _parameter(one: Argument, arrays: Arrays) -> str:
    kind = arrays.types.get(one.name)
    if kind is not None:
        written = one.written or one.name == FAULT
        return f"{'' if written else 'const '}{kind} *restrict {one.name}"
    return f"const {WHOLE if one.kind == PART else DOUBLE.type} {one.name}"


def _with_notes(lines: Sequence[tuple[str, str]]) -> list[str]:
    """The lines, the ids of equations in a column of their own."""
    column = min(88, max((len(line) for line, note in lines if note), default=0))
    return [f"{line:<{column}}  // {note}" if note else line for line, note in lines]
