"""All that is derived of a rule on a quadratic: where it converges and how fast."""

from __future__ import annotations

from symopt.declaration import UpdateRule
from symopt.derivation.quadratic import linear_step, step_lines
from symopt.derivation.rates import best_lines
from symopt.derivation.roots import root_lines
from symopt.derivation.stability import region_lines, runs
from symopt.derivation.steps import Derivation


def derive_on_quadratic(rule: UpdateRule) -> tuple[Derivation, ...]:
    """The step as a matrix, the region of convergence, and runs on either side of its limit."""
    one = linear_step(rule)
    found = (step_lines(one), region_lines(one), root_lines(one), best_lines(one), runs(one))
    return tuple(each for each in found if each is not None)
