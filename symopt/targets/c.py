"""C: the kernels of a declaration compiled ahead of time, and a Python module that calls them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from symopt.declaration import Declaration, Regularizer, UpdateRule
from symopt.program.ir import ARRAY, BATCH, NUMBER, SCALAR_STATE, STEP, Argument, Kernel
from symopt.targets.c_code import c_lines
from symopt.targets.c_printer import DOUBLE, REALS, Real
from symopt.targets.numba_penalty import regularizer_kernels, regularizer_words
from symopt.targets.numba_rule import rule_kernels, rule_words
from symopt.targets.target import Options, Target
from symopt.targets.templates import render

# what has to be C is here; checks, classes and docstrings are those of the other target
FOLDERS = ("c", "numba")


def compiled_ahead(declared: Declaration) -> bool:
    """Whether a declaration has kernels in C."""
    return isinstance(declared, UpdateRule | Regularizer)


def render_source(declared: Declaration, options: Options) -> str | None:
    """The C file, of declarations that have kernels over elements; others compute plain numbers."""
    words = _words(declared, options)
    return None if words is None else _source(words)


def render_modules(declared: Declaration, options: Options) -> dict[str, str]:
    """The Python files beside it: the module that a user imports, and the one that compiles."""
    words = _words(declared, options)
    if words is None:
        return {}
    kind = "update_rule" if isinstance(declared, UpdateRule) else "regularizer"
    return {
        f"{declared.name}.py": render(FOLDERS, f"{kind}.py.jinja", **words),
        f"build_{declared.name}.py": render(FOLDERS, "build.py.jinja", **words),
    }


C = Target("c", ".c", render_source, index=lambda _collection, _declared: {}, beside=render_modules)


@lru_cache(maxsize=64)  # three files are made of them
def _words(declared: Declaration, options: Options) -> dict[str, Any] | None:
    match declared:
        case UpdateRule():
            kernels, words = rule_kernels(declared), rule_words(declared, options)
        case Regularizer():
            kernels, words = regularizer_kernels(declared), regularizer_words(declared, options)
        case _:
            return None
    reals = [REALS[one] for one in options.dtypes]
    functions: list[dict[str, Any]] = []
    needed: set[str] = set()
    for kernel in kernels:
        for real in reals:
            function, helpers = _function(declared.name, kernel, real)
            functions.append(function)
            needed |= helpers
    words |= {
        "reals": reals,
        "c_functions": functions,
        "helpers": [f"{one}.c.jinja" for one in sorted(needed)],
        "c_kernels": [_called(declared.name, one, reals) for one in kernels],
        "comment": [_in_comment(line) for line in (words["summary"], *words["notes"])],
        "digest": "",
    }
    return {**words, "digest": hashlib.sha256(_source(words).encode()).hexdigest()[:16]}


def _source(words: dict[str, Any]) -> str:
    return render(FOLDERS, "source.c.jinja", **words)


def _in_comment(line: str) -> str:
    """A line that does not end the comment it stands in."""
    return line.replace("*/", "* /")


def _function(rule: str, kernel: Kernel, real: Real) -> tuple[dict[str, Any], frozenset[str]]:
    lines, helpers = c_lines(rule, kernel, real)
    given = ["const int64_t size", *([f"const int64_t {kernel.count}"] if kernel.batch else [])]
    given += [_parameter(one, real) for one in kernel.arguments]
    several = _returned(kernel)
    tail = [f"returned[{place}] = {name};" for place, name in enumerate(several)]
    if kernel.result and not several:
        tail = [f"return {kernel.result};"]
    given += ["double *restrict returned"] if several else []
    return {
        "name": f"{rule}{kernel.name}_{real.dtype}",
        "returns": "double" if kernel.result and not several else "void",
        "declared": ", ".join(given),
        "signature": [f"{line}," for line in given[:-1]] + [f"{given[-1]})"],
        "lines": [*_with_notes(lines), *tail],
    }, helpers


def _with_notes(lines: Sequence[tuple[str, str]]) -> list[str]:
    """The lines, the ids of equations in a column of their own."""
    column = min(88, max((len(line) for line, note in lines if note), default=0))
    return [f"{line:<{column}}  // {note}" if note else line for line, note in lines]


def _returned(kernel: Kernel) -> list[str]:
    """The numbers of a result that is several of them."""
    inner = kernel.result
    if not inner.startswith("("):
        return []
    return [one for one in inner.strip("()").replace(" ", "").split(",") if one]


def _parameter(one: Argument, real: Real) -> str:
    if one.kind in (NUMBER, STEP):
        return f"const double {one.name}"
    kind = DOUBLE.type if one.kind == SCALAR_STATE else real.type
    return f"{'' if one.written else 'const '}{kind} *restrict {one.name}"


def _called(rule: str, kernel: Kernel, reals: Sequence[Real]) -> dict[str, Any]:
    """A kernel as a Python function over flat arrays, which the module's own functions call."""
    several = _returned(kernel)
    kinds = {one.name: one.kind for one in kernel.arguments}

    def passed(one: Argument) -> str:
        if one.kind in (ARRAY, BATCH):
            return f"_FFI.from_buffer(real, {one.name})"
        return f"_FFI.from_buffer(_DOUBLE, {one.name})" if one.kind == SCALAR_STATE else one.name

    assert kinds[kernel.over] == ARRAY
    return {
        "name": kernel.name,
        "arguments": ", ".join(one.name for one in kernel.arguments),
        "over": kernel.over,
        "table": kernel.name.upper(),
        "functions": [
            f"np.dtype(np.{one.dtype}): (_LIB.{rule}{kernel.name}_{one.dtype}, _{one.type.upper()})"
            for one in reals
        ],
        "passed": [
            f"{kernel.over}.size",
            *([f"len({kernel.batch})"] if kernel.batch else []),
            *map(passed, kernel.arguments),
            *(["returned"] if several else []),
        ],
        "several": len(several),
        "returned": "return " if kernel.result and not several else "",
    }
