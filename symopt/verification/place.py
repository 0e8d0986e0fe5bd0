"""The place at which an expression is read, and what is known there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sympy import Basic

from symopt.nodes import Sigma
from symopt.notation import Index, Sequence
from symopt.verification.arithmetic import Arithmetic
from symopt.verification.quantity import Quantity


class World(Protocol):
    """Where letters have values: one run of a kernel, one array of parameters."""

    ops: Arithmetic
    size: int

    def value(self, letter: Sequence, time: int | None, place: Place) -> Quantity:
        """A letter at a time, or at the present step."""

    def gradient(self, place: Place) -> Quantity:
        """The gradient at a place."""

    def number(self, symbol: Basic) -> Quantity:
        """A hyperparameter, a count, or a plain letter of a layer."""

    def range(self, sigma: Sigma, place: Place) -> range:
        """The values of a sum's index."""


class Place(NamedTuple):
    """Where an expression is read: the step, the indices bound by sums, the component."""

    world: World
    now: int
    bound: Mapping[Index, int]
    element: int
