"""A penalty's value and gradient beside its declaration R, for one array of parameters.

The gradient is the central difference of R at 50 digits, so no rule of differentiation is trusted;
at 0 it may be anything between the left and the right derivative.

The bound: each occurrence of θ in R adds one product of partial derivatives to the gradient, which
is found by moving that occurrence alone. With k operations in R such a product has at most k
factors of at most four roundings each, and there are at most k additions; so, relative to the sum
of the products' magnitudes, (5k + 4)·u is allowed, and as many of the smallest number.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sympy import Basic, preorder_traversal

from symopt.declaration import Regularizer
from symopt.notation import Hyperparameter
from symopt.verification.cases import Setting, by_name, gradients, settings, starts
from symopt.verification.layers import EXACT, Layer, Move
from symopt.verification.proximal_steps import WEIGHTS, judge_proximal_step
from symopt.verification.quantity import FORMATS, HIGH, Quantity
from symopt.verification.verdict import Point, Tally, Verdict

_SIZE = 18
_WEIGHTS = (1.0, 0.01, 2.7)
_RELATIVE_STEP = HIGH.mpf(10) ** -12
_STEP_AT_ZERO = HIGH.mpf(10) ** -20


def judge_penalty(
    regularizer: Regularizer,
    value: Callable[..., float],
    gradient: Callable[..., None],
    dtype: str = "float32",
    seed: int = 0,
    proximal_step: Callable[..., None] | None = None,
) -> Verdict:
    """Whether ``value(theta)`` is R and ``gradient(theta, g, lambda_)`` adds λ·dR/dθ to g.

    Where there is one, ``proximal_step(theta, kappa)`` is judged too. Hyperparameters of R itself
    are passed by name to all. The verdict's ``note`` says which subgradient is taken at 0, where R
    has a kink there.

    Raises
    ------
    DeclarationError
        If R has no meaning for the judge.
    """
    ((id, equation),) = regularizer.equations
    tally = Tally(regularizer.name, dtype, FORMATS[dtype])
    random = np.random.default_rng([seed, zlib.crc32(regularizer.name.encode())])
    own = sorted(equation.right.atoms(Hyperparameter), key=lambda one: one.spelling.python)
    taken: set[float] = set()
    tried = settings(own, regularizer.default_values, random)
    for setting in tried:
        for weight in _WEIGHTS:
            theta = starts(_SIZE, dtype, random)
            theta[-1] *= 1e-6
            handed = gradients((_SIZE,), dtype, random)
            case = _Case(id, equation.right, theta, handed, weight, setting, dtype)
            case.judge_value(tally, value)
            taken |= case.judge_gradient(tally, gradient)
    if proximal_step is not None:
        for k, setting in enumerate(tried):
            weights = WEIGHTS[k % len(WEIGHTS) :][:1] if k else WEIGHTS
            judge_proximal_step(tally, id, equation.right, setting, proximal_step, random, weights)
    if taken:
        tally.note = f"at 0 the subgradient taken is {', '.join(f'{x:g}' for x in sorted(taken))}"
    return tally.verdict()


class _Case:
    """One array of parameters with a gradient g to add to, a weight λ and hyperparameters."""

    def __init__(
        self,
        id: str,
        right: Basic,
        theta: np.ndarray,
        handed: np.ndarray,
        weight: float,
        setting: Setting,
        dtype: str,
    ) -> None:
        self.id = id
        self.theta = theta
        self.handed = handed
        self.weight = weight
        self.setting = setting
        self.named = by_name(setting.values)
        self.rounded = Layer(right, theta, setting.values, FORMATS[dtype])
        self.exact = Layer(right, theta, setting.values, EXACT)
        operations = sum(bool(node.args) for node in preorder_traversal(right))
        self.roundings = 5 * operations + 4

    def judge_value(self, tally: Tally, value: Callable[..., float]) -> None:
        with np.errstate(all="ignore"):
            found = float(value(self.theta.copy(), **self.named))
        tally.point(self.rounded.total(), found, Point(f"{self.id}, value", self._words))

    def judge_gradient(self, tally: Tally, gradient: Callable[..., None]) -> set[float]:
        """The subgradients taken where R has a kink."""
        found, theta = self.handed.copy(), self.theta.copy()
        with np.errstate(all="ignore"):
            gradient(theta, found, self.weight, **self.named)
        if not np.array_equal(theta, self.theta):
            tally.refute(self.id, f"{self.id}: the kernel changes theta, which it only reads")
        taken = set()
        for element in range(theta.size):
            left, right = self._slopes(element, None)
            kernel = float(found[element])
            declared = self._declared(element, left, right, kernel, tally)
            where = f"{self.id}, gradient, element {element}"
            tally.point(declared, kernel, Point(where, partial(self._words, element)))
            if left + _RELATIVE_STEP < right and not self.handed[element]:
                taken.add(float(f"{kernel / self.weight:.6g}"))
        return taken

    def _declared(
        self, element: int, left: Any, right: Any, kernel: float, tally: Tally
    ) -> Quantity:
        """g + λ·dR/dθ and its bound; at a kink, for the subgradient nearest to the kernel's."""
        weight, handed = HIGH.mpf(self.weight), HIGH.mpf(float(self.handed[element]))
        low, high = (handed + weight * slope for slope in (left, right))
        slopes = [
            max(abs(slope) for slope in self._slopes(element, occurrence))
            for occurrence in range(self.exact.occurrences)
        ]
        size = float(abs(handed) + weight * sum(slopes, HIGH.zero))
        if not size < tally.form.largest:
            return Quantity(HIGH.zero, size, float("inf"))
        allowed = self.roundings * (tally.form.unit * size + tally.form.tiny)
        nearest = min(max(HIGH.mpf(kernel), low), high) if math.isfinite(kernel) else low
        return Quantity(nearest, size, allowed)

    def _slopes(self, element: int, occurrence: int | None) -> tuple[Any, Any]:
        """The left and the right derivative by one component, at one occurrence or at all."""
        at = HIGH.mpf(float(self.theta[element]))
        by = abs(at) * _RELATIVE_STEP or _STEP_AT_ZERO
        below, above = (
            self.exact.total(Move(element, occurrence, side)).value for side in (-by, by)
        )
        if at:
            slope = (above - below) / (2 * by)
            return slope, slope
        here = self.exact.total().value
        ordered = sorted(((here - below) / by, (above - here) / by))
        return ordered[0], ordered[1]

    def _words(self, element: int | None = None) -> str:
        named = [f"lambda = {self.weight!r}", *(f"{k} = {x!r}" for k, x in self.named.items())]
        if element is None:
            return f"with theta = {[float(x) for x in self.theta]}, {', '.join(named[1:])}"
        here = [f"theta = {float(self.theta[element])!r}", f"g = {float(self.handed[element])!r}"]
        return f"with {', '.join([*here, *named])} ({self.setting.word} hyperparameters)"
