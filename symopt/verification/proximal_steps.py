"""A penalty's proximal step beside its definition: the z that makes ½(z − u)² + κ·r(z) smallest.

r is what the declared R is for a single component. The smallest value is looked for by comparing
values alone, in a golden section at 50 digits, and then compared with values all around, so no
derivative, no case and no formula is trusted. A step is nonexpansive: with a subgradient s of r at
u it moves u by no more than κ|s|, which is where to look.

The bound: a kernel finds z = (u − κb)/(1 + 2κa) from numbers a and b of R, or compares u with where
that begins to hold; since steps are nonexpansive, an error in u − κb or in what u is compared with
is at most that of z. With k operations in R, κb and 1 + 2κa each are products of at most k factors
of four roundings and at most k additions, 5k; κ, the two rounded to the arrays' format, difference,
reciprocal and product are 7 more at most, and the golden section ends within one. For κb is
κs − 2κa·z, where s is the slope at z, all of this is relative to |u| + |z| + κ|s|: (10k + 8)·u of
it is allowed, and as many of the smallest number. Slopes are magnitudes, those of each occurrence
of θ added up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from sympy import Basic, preorder_traversal

from symopt.verification.cases import Setting, by_name, starts
from symopt.verification.layers import EXACT, Layer, Move
from symopt.verification.quantity import FORMATS, HIGH, Quantity
from symopt.verification.verdict import Point, Tally

_SIZE = 18
WEIGHTS = (1.0, 0.01, 2.7, 0.0)
_GOLDEN = (HIGH.sqrt(5) - 1) / 2
# the golden section ends within this part of a rounding of u, or where 50 digits end
_NARROW, _LEAST = HIGH.mpf(10) ** -3, HIGH.mpf(10) ** -45
_NEARBY = HIGH.mpf(10) ** -20
_AROUND = 8


def judge_proximal_step(
    tally: Tally,
    id: str,
    right: Basic,
    setting: Setting,
    proximal_step: Callable[..., None],
    random: np.random.Generator,
    weights: Sequence[float] = WEIGHTS,
) -> None:
    """Whether ``proximal_step(theta, kappa)`` replaces each u in theta by prox_κR(u), in place."""
    penalty = _Component(right, setting, tally.dtype)
    for weight in weights:
        theta = penalty.places(weight, random)
        found = theta.copy()
        try:
            with np.errstate(all="ignore"):
                proximal_step(found, weight, **by_name(setting.values))
        except (TypeError, ValueError) as error:
            tally.refute(id, f"{id}: the proximal step refuses its inputs: {error}")
        for element in range(theta.size):
            if tally.refuted:
                return
            u, kernel = float(theta[element]), float(found[element])
            declared, better = penalty.minimum(u, weight, kernel)
            if better is not None:
                tally.refute(id, f"{id}: {better}")
            where = f"{id}, proximal step, element {element}"
            tally.point(declared, kernel, Point(where, partial(_words, u, weight, setting)))
        step = partial(proximal_step, kappa=weight, **by_name(setting.values))
        _judge_nan(tally, id, theta, step)


def _words(u: float, weight: float, setting: Setting) -> str:
    named = [f"{name} = {value!r}" for name, value in by_name(setting.values).items()]
    words = [f"theta = {u!r}", f"kappa = {weight!r}", *named]
    return f"with {', '.join(words)} ({setting.word} hyperparameters)"


def _judge_nan(
    tally: Tally, id: str, theta: np.ndarray, proximal_step: Callable[..., None]
) -> None:
    """A NaN among the parameters stays where it is."""
    found = theta.copy()
    found[1] = math.nan
    with np.errstate(all="ignore"):
        proximal_step(found)
    if not math.isnan(found[1]):
        tally.refute(id, f"{id}: the proximal step turns a NaN in theta into {float(found[1])!r}")


class _Component:
    """The penalty of one component, with these hyperparameters."""

    def __init__(self, right: Basic, setting: Setting, dtype: str) -> None:
        self.right = right
        self.setting = setting
        self.dtype = dtype
        self.form = FORMATS[dtype]
        self.at_zero = Layer(right, np.zeros(1), setting.values, EXACT)
        operations = sum(bool(node.args) for node in preorder_traversal(right))
        self.roundings = 10 * operations + 8

    def value(self, z: Any) -> Any:
        """r(z)."""
        return self.at_zero.total(Move(0, None, z)).value

    def slopes(self, z: Any) -> tuple[Any, Any]:
        """The slopes to the left and to the right."""
        by = (abs(z) or HIGH.one) * _NEARBY
        here = self.value(z)
        return (here - self.value(z - by)) / by, (self.value(z + by) - here) / by

    def places(self, weight: float, random: np.random.Generator) -> np.ndarray:
        """Zeros, numbers of both signs and near 1; and those at which steps begin to end in 0."""
        theta = starts(_SIZE, self.dtype, random)
        ends = np.array([float(weight * s) for s in self.slopes(HIGH.zero)], self.dtype)
        theta[3:5] = ends
        theta[6:8] = np.nextafter(ends, np.array([-1, 1], self.dtype))
        theta[9:11] = np.nextafter(ends, np.array([1, -1], self.dtype))
        theta[12:14] *= np.array([1e12, 1e-12], self.dtype)
        return theta

    def minimum(self, u: float, weight: float, kernel: float) -> tuple[Quantity, str | None]:
        """prox_κR(u) with its bound; and, where the smallest value is elsewhere, words on that."""
        at, kappa = HIGH.mpf(u), HIGH.mpf(weight)

        def cost(z: Any) -> Any:
            return (z - at) ** 2 / 2 + kappa * self.value(z)

        reach = 2 * kappa * max(map(abs, self.slopes(at)))
        narrow = max(_NARROW * self.form.unit * (abs(at) or reach), _LEAST * (abs(at) + reach))
        found = _smallest(cost, at - reach, at + reach, narrow)
        # 0 and u itself are found to all digits
        best = min((HIGH.zero, at, found), key=cost)
        others = [at + reach * k / _AROUND for k in range(-_AROUND, _AROUND + 1)]
        others += [HIGH.mpf(kernel)] if math.isfinite(kernel) else []
        lowest, noise = cost(best), narrow * (abs(at) + reach)
        for z in others:
            if cost(z) < lowest - noise:
                return self._quantity(best, u, weight), (
                    f"½(z − u)² + κ·R(z) has more than one minimum for u = {u!r}, κ = {weight!r}: "
                    f"near {HIGH.nstr(best, 6)} and near {HIGH.nstr(z, 6)}"
                )
        return self._quantity(best, u, weight), None

    def _quantity(self, best: Any, u: float, weight: float) -> Quantity:
        here = Layer(self.right, np.array([float(best)]), self.setting.values, EXACT)
        by = (abs(best) or HIGH.one) * _NEARBY
        value = here.total().value
        slopes = [
            max(abs(here.total(Move(0, one, side)).value - value) for side in (-by, by)) / by
            for one in range(here.occurrences)
        ]
        size = abs(u) + float(abs(best)) + weight * float(sum(slopes, HIGH.zero))
        if not size < self.form.largest:
            return Quantity(best, size, math.inf)
        return Quantity(best, size, self.roundings * (self.form.unit * size + self.form.tiny))


def _smallest(cost: Callable[[Any], Any], low: Any, high: Any, narrow: Any) -> Any:
    """Where a function that falls and then grows is smallest, by a golden section."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    of_left, of_right = cost(left), cost(right)
    while high - low > narrow:
        if of_left < of_right:
            high, right, of_right = right, left, of_left
            left = high - _GOLDEN * (high - low)
            of_left = cost(left)
        else:
            low, left, of_left = left, right, of_right
            right = low + _GOLDEN * (high - low)
            of_right = cost(right)
    return (low + high) / 2
