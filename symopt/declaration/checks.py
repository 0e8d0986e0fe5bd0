"""Whether a declaration is well formed, said in one sentence where it is not."""

from __future__ import annotations

import builtins
import keyword
import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sympy import Basic, Indexed, S, Symbol, sympify
from sympy.core.function import AppliedUndef

from symopt import symbols
from symopt.declaration.chance import check_chance
from symopt.declaration.layers import check_layer
from symopt.declaration.statements import Debias, Default, Equation, Initial, expressions
from symopt.declaration.tensors import check_tensor_layer
from symopt.errors import DeclarationError, nearest
from symopt.nodes import Gradient, Norm
from symopt.notation import (
    Count,
    Hyperparameter,
    Index,
    Parameter,
    Sequence,
    Statistic,
    Unknown,
)
from symopt.printing.unicode import unicode
from symopt.views import canonical

if TYPE_CHECKING:
    from symopt.declaration.values import Declaration

# names that a generated file uses for its own purposes
RESERVED = (
    frozenset(dir(builtins))
    | {"math", "np", "numba", "self", "params", "grads", "step", "run", "prepare", "order"}
    | {"arena"}
    | {"real", "dtype", "size", "stop", "nan", "initial_states", "gradient_point", "one", "point"}
    | {"SCHEDULED", "DTYPES", "Any", "Callable", "Iterable", "Mapping", "annotations"}
)
# whose equations are about the elements of a group
_OF_GROUPS = ("layer", "loss")


def check(declared: Declaration) -> None:
    """Nothing, when the declaration is well formed.

    Raises
    ------
    DeclarationError
        Names the statement and the symbol that are at fault, and what to write instead.
    """
    check_name(declared)
    if not declared.statements:
        raise DeclarationError(
            f"{declared.name} states nothing; return its equations, by key, in a dict"
        )
    _check_keys(declared)
    for statement in declared.statements:
        where = declared.id_of(statement.key)
        for expr in expressions(statement.content):
            _check_symbols(where, expr)
        if isinstance(statement.content, Initial):
            _check_initial(where, statement.content)
    for one, value in declared.initial:
        if declared.kind == "tensor layer":
            continue
        _check_symbols(declared.name, value)
        if declared.kind not in _OF_GROUPS:
            _check_initial(declared.name, Initial(value, (one,)))
        elif not isinstance(one, Parameter | Statistic) or not value.is_number:
            raise DeclarationError(
                f"{declared.name} starts {one} from {value}; give a number to a learned or a "
                "running letter, such as initial={gamma: 1}"
            )
    check_chance(declared)
    if declared.kind in _OF_GROUPS:
        check_layer(declared)  # type: ignore[arg-type]  # the kind says so
    if declared.kind == "tensor layer":
        check_tensor_layer(declared)  # type: ignore[arg-type]  # the kind says so
    _check_spellings(declared)
    _check_defaults(declared)
    _check_definitions(declared)


def check_name(declared: Declaration) -> None:
    """DeclarationError for a name that no file and no class can be called by."""
    name = declared.name
    if not name.isidentifier() or keyword.iskeyword(name):
        raise DeclarationError(
            f"'{name}' names a {declared.kind} but is no Python identifier; write one such as adam"
        )


def _check_keys(declared: Declaration) -> None:
    for statement in declared.statements:
        if statement.key and not statement.key.isidentifier():
            raise DeclarationError(
                f"{declared.name} has the key '{statement.key}', which is no Python identifier; "
                "write one such as first_moment"
            )


def _check_symbols(where: str, expr: Basic) -> None:
    for wrong in (S.NaN, S.ComplexInfinity, S.ImaginaryUnit):
        if expr.has(wrong):
            raise DeclarationError(f"{where} holds {wrong}, which is no real number; leave it out")
    for symbol in sorted(expr.atoms(Symbol), key=str):
        if type(symbol) is Symbol and not _is_label(expr, symbol):
            hint = f"declare it with hyperparameter('{symbol}') or sequence('{symbol}')"
            if hasattr(symbols, str(symbol)):
                hint = f"write from symopt.symbols import {symbol}"
            raise DeclarationError(
                f"{where} uses the bare SymPy symbol {symbol}, of which nothing is known; {hint}"
            )
    for one in _bare_sequences(expr):
        raise DeclarationError(
            f"{where} uses {unicode(one)} both as a sequence and as a number; "
            f"write {unicode(one)} with an index, or make a hyperparameter of another name"
        )


def _is_label(expr: Basic, symbol: Symbol) -> bool:
    return any(symbol in base.args for base in expr.atoms(Indexed) if base.base.label == symbol)


def _bare_sequences(expr: Basic) -> Iterator[Sequence]:
    """Sequences without an index, where no function or gradient takes them whole."""
    if isinstance(expr, Gradient | AppliedUndef | Indexed | Norm):
        return
    for part in expr.args:
        if isinstance(part, Sequence):
            yield part
        else:
            yield from _bare_sequences(part)


def _check_initial(where: str, content: Initial) -> None:
    loose = [one for one in content.sequences if not isinstance(one, Sequence)]
    if loose:
        raise DeclarationError(
            f"{where} gives an initial value to {loose[0]}, which is no sequence; "
            "write initially(0, v) with the bare letter of a state"
        )
    if isinstance(content.value, Indexed):
        return  # the first value of the parameters, which the derivation looks into
    free = sorted(content.value.atoms(Symbol) - content.value.atoms(Hyperparameter), key=str)
    if free:
        raise DeclarationError(
            f"{where} gives {unicode(content.sequences[0])} an initial value that depends on "
            f"{unicode(free[0])}; let it depend on hyperparameters alone, or be the first value "
            "of the parameters, theta[1]"
        )


_LETTERS = (Hyperparameter, Count, Index, Parameter, Sequence, Statistic, Unknown)


def _symbols(declared: Declaration) -> Iterator[tuple[str, Basic]]:
    for statement in declared.statements:
        where = declared.id_of(statement.key)
        for expr in expressions(statement.content):
            for one in expr.atoms(*_LETTERS) | ({expr} if isinstance(expr, Sequence) else set()):
                yield where, one


def _check_spellings(declared: Declaration) -> None:
    spelt: dict[str, Basic] = {}
    for where, symbol in sorted(_symbols(declared), key=_rank):
        if isinstance(symbol, Index) and symbol.counts != "step":
            continue
        name = symbol.spelling.python
        if name in RESERVED:
            raise DeclarationError(
                f"{where} has a symbol with the Python name '{name}', which shadows Python's or "
                "the generated file's own; give the symbol another name with python='…'"
            )
        if name == declared.name:
            raise DeclarationError(
                f"{where} has a symbol with the name of the rule, '{name}'; rename one of the two"
            )
        known = spelt.setdefault(name, symbol)
        if known != symbol:
            raise DeclarationError(
                f"{where} uses two symbols with the Python name '{name}' (a {_what(known)} and a "
                f"{_what(symbol)}, or two of unlike range); rename one with python='…'"
            )


def _rank(pair: tuple[str, Basic]) -> tuple[str, str, str]:
    where, symbol = pair
    return where, str(symbol), type(symbol).__name__


def _what(symbol: Basic) -> str:
    return type(symbol).__name__.lower()


def _check_defaults(declared: Declaration) -> None:
    shown = [s.content for s in declared.statements if isinstance(s.content, Default)]
    used = {one for _, one in _symbols(declared) if isinstance(one, Hyperparameter)}
    used |= {one for _, value in declared.initial for one in value.atoms(Hyperparameter)}
    for parameter, value in [*declared.defaults, *((d.parameter, d.value) for d in shown)]:
        name = unicode(parameter) if isinstance(parameter, Basic) else repr(parameter)
        if parameter not in used:
            hint = nearest(name, sorted(unicode(one) for one in used))
            raise DeclarationError(
                f"{declared.name} gives a default to {name}, which none of its equations uses; "
                + hint
            )
        if not isinstance(parameter, Hyperparameter):
            raise DeclarationError(
                f"{declared.name} gives a default to {name}, which is no hyperparameter; "
                "declare it with hyperparameter(…)"
            )
        if not isinstance(value, int | float) or not _finite(value):
            raise DeclarationError(
                f"{declared.name} has the default {name} = {value!r}; write a finite number"
            )
        if parameter.domain.contains(sympify(value)) != True:  # noqa: E712  # may be symbolic
            raise DeclarationError(
                f"{declared.name} has the default {name} = {value!r}, outside its range "
                f"{parameter.domain}; choose a value inside"
            )


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _check_definitions(declared: Declaration) -> None:
    defined: Counter[str] = Counter()
    for statement in declared.statements:
        content = statement.meant.content
        where = declared.id_of(statement.key)
        if isinstance(content, Equation):
            if isinstance(content.left, Indexed) and isinstance(content.left.base, Sequence):
                defined[unicode(content.left.base)] += 1
            elif isinstance(content.left, Statistic):
                # a running average is updated from its own last value
                defined[unicode(content.left)] += not content.right.has(content.left)
            elif declared.kind != "regularizer" or not isinstance(content.left, AppliedUndef):
                raise DeclarationError(
                    f"{where} has {unicode(canonical(content.left))} on its left side; "
                    "write one indexed letter there, such as v[t]"
                )
        elif isinstance(content, Debias):
            defined.update(f"the debiased {unicode(one)}" for one in content.sequences)
    for letter, times in defined.items():
        if times > 1:
            raise DeclarationError(
                f"{declared.name} defines {letter} {times} times; keep one equation for it and "
                "show the others with aside(…)"
            )
