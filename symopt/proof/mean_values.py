"""Means and variances as numbers: over all that may happen at a point, each as likely as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from sympy import Basic

from symopt.proof.numbers import Number, plus, times

if TYPE_CHECKING:  # a point hands itself to these functions
    from symopt.proof.evaluation import Point


def mean(point: Point, of: Basic, bound: Mapping[Basic, Number]) -> Number:
    """The mean of an expression; a mean within is one over all again."""
    return _weighed(point, lambda here: here.evaluate(of, bound))


def variance(point: Point, of: Basic, bound: Mapping[Basic, Number]) -> Number:
    """The mean square of what an expression is more or less than its mean."""
    middle = times(Fraction(-1), mean(point, of, bound))

    def square(here: Point) -> Number:
        gap = plus(here.evaluate(of, bound), middle)
        return times(gap, gap)

    return _weighed(point, square)


def _weighed(point: Point, value: Callable[[Point], Number]) -> Number:
    total: Number = Fraction(0)
    for likely, entries in point.outcomes:
        here = replace(point, entries={**point.entries, **entries})
        total = plus(total, times(likely, value(here)))
    return total
