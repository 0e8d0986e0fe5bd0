"""The lecture's update rules and schedules written out by hand, in NumPy and nothing else.

This is a second opinion: it shares no line with the declarations or with what is made of them.
A rule goes from (θ, gradient, α, what it remembers) to the next θ and what it remembers then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

GAMMA = 0.9
BETA = 0.9
BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-8

State = tuple[Any, ...]
Next = tuple[np.ndarray, State]


def gd(theta: np.ndarray, g: np.ndarray, alpha: float) -> Next:
    """Gradient descent."""
    return theta - alpha * g, ()


def mean_gd(theta: np.ndarray, g: np.ndarray, alpha: float) -> Next:
    """Gradient descent along the mean of gradients, one an example.

    >>> mean_gd(np.array([1.0]), np.array([[2.0], [4.0]]), 0.1)[0]
    array([0.7])
    """
    return theta - alpha * np.mean(g, axis=0), ()


def momentum(theta: np.ndarray, g: np.ndarray, alpha: float, v: Any = 0.0) -> Next:
    """A velocity that gathers gradients; Nesterov's step is the same, its gradient is not.

    >>> theta, state = momentum(np.array([1.0]), np.array([2.0]), 0.1)
    >>> momentum(theta, np.array([1.0]), 0.1, *state)[0]  # 1 − 0.2 − (0.9·0.2 + 0.1)
    array([0.52])
    """
    v = GAMMA * v + alpha * g
    return theta - v, (v,)


def nesterov_point(theta: np.ndarray, v: Any = 0.0) -> np.ndarray:
    """Where Nesterov's gradient is taken."""
    return theta - GAMMA * v


def adagrad(theta: np.ndarray, g: np.ndarray, alpha: float, past: Any = 0.0) -> Next:
    """Each parameter's own rate, by the sum of all its squared gradients."""
    past = past + g**2
    return theta - alpha * g / np.sqrt(past + EPSILON), (past,)


def rmsprop(theta: np.ndarray, g: np.ndarray, alpha: float, G: Any = 0.0) -> Next:
    """AdaGrad with an average in place of the sum."""
    G = BETA * G + (1 - BETA) * g**2
    return theta - alpha * g / np.sqrt(G + EPSILON), (G,)


def adam_naive(theta: np.ndarray, g: np.ndarray, alpha: float, v: Any = 0.0, G: Any = 0.0) -> Next:
    """Momentum's velocity, α in it, over the root of RMSProp's average."""
    v = GAMMA * v + alpha * g
    G = BETA * G + (1 - BETA) * g**2
    return theta - alpha * v / np.sqrt(G + EPSILON), (v, G)


def adam_uncorrected(
    theta: np.ndarray, g: np.ndarray, alpha: float, v: Any = 0.0, G: Any = 0.0
) -> Next:
    """Adam with both averages as they come."""
    v = BETA_1 * v + (1 - BETA_1) * g
    G = BETA_2 * G + (1 - BETA_2) * g**2
    return theta - alpha * v / np.sqrt(G + EPSILON), (v, G)


def adam(
    theta: np.ndarray, g: np.ndarray, alpha: float, t: int = 1, v: Any = 0.0, G: Any = 0.0
) -> Next:
    """Adam with both averages divided by the share of the gradients that they hold so far.

    >>> adam(np.array([1.0]), np.array([5.0]), 0.1)[0].round(6)  # the first step has length α
    array([0.9])
    """
    v = BETA_1 * v + (1 - BETA_1) * g
    G = BETA_2 * G + (1 - BETA_2) * g**2
    v_hat = v / (1 - BETA_1**t)
    G_hat = G / (1 - BETA_2**t)
    return theta - alpha * v_hat / np.sqrt(G_hat + EPSILON), (t + 1, v, G)


RULES: dict[str, Callable[..., Next]] = {
    "gd": gd,
    "gd_full": mean_gd,
    "sgd": gd,
    "minibatch": mean_gd,
    "momentum": momentum,
    "nesterov": momentum,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam_naive": adam_naive,
    "adam_uncorrected": adam_uncorrected,
    "adam": adam,
}
PER_EXAMPLE = ("gd_full", "minibatch")
POINTS: dict[str, Callable[..., np.ndarray]] = {"nesterov": nesterov_point}

SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": lambda _t, alpha: alpha,
    "step_decay": lambda t, alpha_0, gamma, s: alpha_0 * gamma ** ((t - 1) // s),
    "exponential_decay": lambda t, alpha_0, gamma: alpha_0 * gamma ** (t - 1),
    "inverse_time": lambda t, alpha_0, k: alpha_0 / (1 + k * (t - 1)),
    "cosine": lambda t, alpha_max, T: alpha_max * (1 + math.cos(math.pi * min(t - 1, T) / T)) / 2,
    "linear_warmup": lambda t, alpha_max, w: alpha_max * min(1, t / w),
    "one_cycle": lambda t, alpha_max, w, T: (
        alpha_max * t / w if t <= w else alpha_max * (1 + math.cos(math.pi * min(t - w, T) / T)) / 2
    ),
}


class Straight:
    """A rule of ``RULES`` at work on parameters, a list of arrays that it moves in place."""

    def __init__(
        self, rule: str, params: Sequence[np.ndarray], alpha: Callable[[int], float]
    ) -> None:
        self.params = list(params)
        self.per_example = rule in PER_EXAMPLE
        self._next = RULES[rule]
        self._point = POINTS.get(rule, lambda theta, *_state: theta)
        self._alpha = alpha
        self._t = 0
        self._states: list[State] = [() for _ in self.params]

    def gradient_point(self) -> list[np.ndarray]:
        """Where the gradients of the next step are to be taken."""
        pairs = zip(self.params, self._states, strict=True)
        return [self._point(theta, *state) for theta, state in pairs]

    def step(self, grads: Sequence[np.ndarray]) -> None:
        """One step with a gradient for each array."""
        self._t += 1
        alpha = self._alpha(self._t)
        for place, (theta, g) in enumerate(zip(self.params, grads, strict=True)):
            theta[...], self._states[place] = self._next(theta, g, alpha, *self._states[place])
