"""What to know of a kernel's arithmetic before it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symopt.declaration import Declaration
from symopt.judging import check_verifiable, verify
from symopt.safety.cancellations import cancellations
from symopt.safety.finding import Finding
from symopt.safety.kinks import kinks
from symopt.safety.numbers import numbers
from symopt.safety.ranges import ranges
from symopt.safety.signs import signs
from symopt.safety.stated import stated
from symopt.verification.quantity import FORMATS
from symopt.verification.verdict import Verdict


@dataclass(frozen=True)
class Report:
    """The findings on one declaration in one dtype, and the judge's verdict on its kernel."""

    name: str
    dtype: str
    findings: tuple[Finding, ...]
    verdict: Verdict

    def json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "findings": [one.json() for one in self.findings],
            "verdict": self.verdict.json(),
        }


def findings(declared: Declaration, dtype: str = "float32") -> tuple[Finding, ...]:
    """Kinks, jumps, poles, cancellation, overflow and underflow in a declaration's equations.

    Those that are derived, such as gradients and bias corrections, are among them. Numbers are
    looked at with the hyperparameters' defaults.

    >>> from symopt.catalog.lecture.gd import gd
    >>> [one.kind for one in findings(gd)]
    ['cancellation']
    """
    equations = stated(declared)
    known, values = signs(equations), numbers(declared, equations)
    return (
        *kinks(equations, known, values),
        *cancellations(declared, equations, known),
        *ranges(equations, known, values, FORMATS[dtype]),
    )


def safety(declared: Declaration, dtype: str = "float32", *, seed: int = 0) -> Report:
    """The findings, and the worst error of the compiled kernel that the judge finds.

    Raises
    ------
    UsageError
        For a declaration without a kernel.
    """
    check_verifiable(declared)
    return Report(
        declared.name, dtype, findings(declared, dtype), verify(declared, dtype, seed=seed)
    )
