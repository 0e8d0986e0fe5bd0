"""Expressions that are typed on a command line."""

from __future__ import annotations

import keyword
import tokenize
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy import Basic, Expr, Indexed, IndexedBase, Symbol
from sympy.parsing.sympy_parser import (
    auto_number,
    auto_symbol,
    parse_expr,
    rationalize,
    repeated_decimals,
)

from symopt import symbols
from symopt.cli.library import catalogue, find
from symopt.declaration import Declaration
from symopt.errors import UsageError, nearest

_KNOWN = {name: one for name, one in vars(symbols).items() if isinstance(one, Basic)}


def side(text: str) -> Expr | Declaration:
    """What is declared under a name, in a file or in FILE.py:NAME, else an expression.

    The letters of papers have the ranges that ``symopt.symbols`` gives them.

    Raises
    ------
    UsageError
        If it cannot be read, or a file declares several things.
    """
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(".py"):
        return _named(name, file)
    if text.endswith(".py") or text in {one.name for one in catalogue()}:
        several = find([text])
        if len(several) > 1:
            names = ", ".join(one.name for one in several)
            raise UsageError(f"{text} declares {names}; write {text}:{several[0].name} for one")
        return several[0]
    found = _read(text)
    if not isinstance(found, Expr):
        raise UsageError(f"'{text}' is no expression; write one as SymPy does, such as x**2 + 1")
    return found


def _named(name: str, file: str) -> Declaration:
    several = {one.name: one for one in find([file])}
    if name not in several:
        raise UsageError(f"{file} declares no {name}; {nearest(name, several)}")
    return several[name]


def assumption(text: str) -> Basic:
    """A relation between expressions."""
    found = _read(text)
    if not isinstance(found, Basic) or isinstance(found, Expr):
        raise UsageError(f"'{text}' is no relation; write one such as 'x > 0' or 'Ne(x, 0)'")
    return found


def relation(texts: Sequence[str]) -> dict[Basic, Expr] | None:
    """Letters of the second declaration by what they are in the first: ``eps = epsilon``.

    Raises
    ------
    UsageError
        For what is no letter, an equals sign and an expression.
    """
    found: dict[Basic, Expr] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        letter = _read(name) if equals else None
        if not isinstance(letter, Symbol | IndexedBase | Indexed) or not value.strip("= "):
            raise UsageError(f"'{text}' is no relation; write one such as 'eps = epsilon'")
        found[letter] = _read(value)
    return found or None


def _read(text: str) -> Any:
    names = {**_KNOWN, **_indexed(text)}
    steps = (auto_symbol, repeated_decimals, auto_number, rationalize)
    try:
        return parse_expr(text, local_dict=names, transformations=steps)
    except Exception as error:  # whatever Python and SymPy raise for what is no expression
        reason = str(error).split("\n")[0] or type(error).__name__
        raise UsageError(f"'{text}' cannot be read ({reason}); write it as SymPy does") from error


def _indexed(text: str) -> dict[str, Any]:
    """Letters that are followed by a bracket have entries; the others in lower case are symbols."""
    found: dict[str, Any] = {}
    try:
        tokens = list(tokenize.generate_tokens(iter([text]).__next__))
    except (tokenize.TokenError, SyntaxError, StopIteration):
        return found
    for one, after in pairwise(tokens):
        if one.type == tokenize.NAME and not keyword.iskeyword(one.string):
            made = _letter(one.string, after.string)
            if made is not None:
                found[one.string] = made
    return found


def _letter(name: str, after: str) -> Any:
    """What a name stands for by what follows it; nothing where that is clear already."""
    known = _KNOWN.get(name)
    if after == "[":
        return known if isinstance(known, IndexedBase) else IndexedBase(name)
    unknown = known is None and not hasattr(sympy, name)
    if isinstance(known, IndexedBase) or (after != "(" and unknown):
        return Symbol(name)
    return None
