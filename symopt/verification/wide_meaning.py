"""What an expression in plain letters is for all elements of all groups at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import sympy
from sympy import Basic, Mul, Pow, S

from symopt.notation import Label, Parameter, Statistic
from symopt.verification.as_written import AsWritten
from symopt.verification.group_world import Letters
from symopt.verification.meaning import meaning
from symopt.verification.quantity import Quantity
from symopt.verification.wide_numbers import Array, Wide, WideArithmetic, erf

_LONGEST_PRODUCT = 64


class Holds(NamedTuple):
    """Whether a condition holds, and whether that is beyond rounding."""

    value: Array
    sure: Array


class WideMeaning:
    """Expressions evaluated with these hyperparameters, from ``known`` arrays of plain letters."""

    def __init__(self, scalars: AsWritten, numbers: Mapping[Basic, Quantity]) -> None:
        self.scalars = scalars
        self.ops = WideArithmetic(scalars.data)
        self.place = Letters(scalars, numbers).place
        self.known: dict[Basic, Wide] = {}

    def __call__(self, expr: Basic) -> Wide:
        """The expression for all elements; without arrays in it, as for a single one."""
        if expr in self.known:
            return self.known[expr]
        if not expr.atoms(Statistic, Parameter, Label):
            return self.ops.lifted(self.scalars.lifted(meaning(expr)(self.place)))
        if isinstance(expr, Pow):
            return self._power(expr)
        if isinstance(expr, sympy.Piecewise):
            return self._cases(expr)
        inner = [self(part) for part in expr.args]
        return _FUNCTIONS[type(expr)](self.ops, *inner)

    def _power(self, expr: Pow) -> Wide:
        below, above = expr.args
        if below == S.Exp1:
            return self.ops.rising(np.exp, self(above))
        base = self(below)
        if above.is_Integer and 1 <= above <= _LONGEST_PRODUCT:
            return self.ops.multiply([base] * int(above))
        if above == S.Half:
            return self.ops.root(base)
        if above == S.NegativeOne:
            return self.ops.reciprocal(base)
        if above == -S.Half or (above.is_Integer and above < 0):
            return self.ops.reciprocal(self(Pow(below, -above, evaluate=False)))
        return self.ops.power(base, self(above))

    def _cases(self, expr: Basic) -> Wide:
        """The first branch whose condition holds; no bound where rounding decides."""
        value: Any = np.longdouble(0)
        error: Any = np.longdouble(np.inf)
        for branch, condition in reversed([pair.args for pair in expr.args]):
            holds, found = self._holds(condition), self(branch)
            value = np.where(holds.value, found.value, value)
            error = np.where(holds.value, found.error, error)
            error = np.where(holds.sure, error, np.inf)
        return Wide(value, error)

    def _holds(self, condition: Basic) -> Holds:
        if condition.is_Relational:
            left, right = map(self, condition.args)
            apart = abs(left.value - right.value)
            error = left.error + right.error
            sure = (apart > error) | (error == 0)
            return Holds(_RELATIONS[type(condition)](left.value, right.value), sure)
        if condition in (S.true, S.false):
            return Holds(np.asarray(condition == S.true), np.asarray(True))
        parts = [self._holds(part) for part in condition.args]
        value = reduce(_CONNECTIVES[type(condition)], [x.value for x in parts])
        sure = reduce(np.logical_and, [x.sure for x in parts])
        return Holds(np.logical_not(value) if condition.is_Not else value, sure)


def _sign(_: WideArithmetic, x: Wide) -> Wide:
    sure = (abs(x.value) > x.error) | (x.error == 0)
    return Wide(np.sign(x.value), np.where(sure, np.longdouble(0), np.inf))


def _extreme(choose: Any) -> Callable[..., Wide]:
    """The largest or the smallest of several; no bound where rounding decides which."""

    def of(_: WideArithmetic, *operands: Wide) -> Wide:
        found = operands[0]
        for x in operands[1:]:
            value = choose(found.value, x.value)
            apart = abs(found.value - x.value)
            joint = found.error + x.error
            error = np.where(value == found.value, found.error, x.error)
            found = Wide(value, np.where((apart > joint) | (joint == 0), error, np.inf))
        return found

    return of


def _waving(function: Any) -> Callable[..., Wide]:
    return lambda ops, x: ops.rounded(function(x.value), np.minimum(x.error, 2))


def _rising(function: Any) -> Callable[..., Wide]:
    return lambda ops, x: ops.rising(function, x)


def _stepwise(function: Any) -> Callable[..., Wide]:
    def of(_: WideArithmetic, x: Wide) -> Wide:
        sure = function(x.value - x.error) == function(x.value + x.error)
        return Wide(function(x.value), np.where(sure, np.longdouble(0), np.inf))

    return of


def _delta(_: WideArithmetic, one: Wide, other: Wide) -> Wide:
    return Wide((one.value == other.value).astype(np.longdouble), np.longdouble(0))


def _logarithm(ops: WideArithmetic, x: Wide) -> Wide:
    found = ops.rising(np.log, x)
    return Wide(found.value, np.where(x.value > x.error, found.error, np.inf))


_FUNCTIONS: dict[type, Callable[..., Wide]] = {
    sympy.Add: lambda ops, *terms: ops.add(terms),
    Mul: lambda ops, *factors: ops.multiply(factors),
    sympy.KroneckerDelta: _delta,
    sympy.Abs: lambda _, x: Wide(abs(x.value), x.error),
    sympy.sign: _sign,
    sympy.Max: _extreme(np.maximum),
    sympy.Min: _extreme(np.minimum),
    sympy.exp: _rising(np.exp),
    sympy.log: _logarithm,
    sympy.tanh: _rising(np.tanh),
    sympy.erf: erf,
    sympy.sin: _waving(np.sin),
    sympy.cos: _waving(np.cos),
    sympy.floor: _stepwise(np.floor),
    sympy.ceiling: _stepwise(np.ceil),
}
_RELATIONS: dict[type, Callable[[Any, Any], Any]] = {
    sympy.Eq: np.equal,
    sympy.Ne: np.not_equal,
    sympy.Lt: np.less,
    sympy.Le: np.less_equal,
    sympy.Gt: np.greater,
    sympy.Ge: np.greater_equal,
}
_CONNECTIVES: dict[type, Callable[[Any, Any], Any]] = {
    sympy.And: np.logical_and,
    sympy.Or: np.logical_or,
    sympy.Not: np.logical_and,
}
