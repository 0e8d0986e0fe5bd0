"""What the judge says of a kernel, and the count of points that leads to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from symopt.verification.quantity import HIGH, WIDENING, Format, Quantity


@dataclass(frozen=True)
class Verdict:
    """Whether a kernel computes what is declared, and how far off it is at worst.

    ``error`` and ``bound`` are in ulps of the sum of the terms' magnitudes, both at the point
    ``where`` the error is largest, with its ``inputs``; for a refuted kernel, at the
    counterexample. Large arrays of a layer count among the ``points`` judged and not there.
    ``out_of_range`` more points could not be judged, as a number there may leave the format's
    range; at ``undefined`` of them the declared value does not exist (0/0) and the kernel says so.
    """

    name: str
    dtype: str
    ok: bool
    error: float
    bound: float
    where: str
    points: int
    out_of_range: int
    message: str = ""
    note: str = ""
    undefined: int = 0
    inputs: str = ""

    def joined(self, other: Verdict) -> Verdict:
        """The verdict on two kernels together: a counterexample to either, else the worse error."""
        refuted = self if not self.ok else other if not other.ok else None
        shown = refuted or (self if self.error >= other.error else other)
        return replace(
            shown,
            points=self.points + other.points,
            out_of_range=self.out_of_range + other.out_of_range,
            undefined=self.undefined + other.undefined,
            note=self.note or other.note,
        )

    def json(self) -> dict[str, Any]:
        """The verdict for machines; what is not finite is null."""
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class Point:
    """One number of a kernel: which it is, and its inputs in words, made only when asked for."""

    where: str
    inputs: Callable[[], str]


class Tally:
    """The points judged so far, the worst of them and the first that refutes the kernel."""

    def __init__(self, name: str, dtype: str, form: Format, note: str = "") -> None:
        self.name = name
        self.dtype = dtype
        self.form = form
        self.note = note
        self.points = 0
        self.out_of_range = 0
        self.undefined = 0
        self.first_undefined = ""
        self.worst = (0.0, 0.0, "")
        self.inputs = ""
        self.message = ""

    @property
    def refuted(self) -> bool:
        """Whether a counterexample was found."""
        return bool(self.message)

    def point(self, declared: Quantity, kernel: float, point: Point) -> None:
        """A kernel's number beside the declared one; after a counterexample nothing counts."""
        if self.refuted:
            return
        if declared.error == math.inf:
            self.out_of_range += 1
            return
        self.points += 1
        if not declared.bounded:
            if math.isfinite(kernel):
                self._undefined(kernel, point)
            elif not self.undefined:
                self.first_undefined = f"{point.where}, {point.inputs()}"
            self.undefined += 1
            return
        finite = 0.0 if declared.infinite else declared.size
        unit = max(2 * self.form.unit * finite, self.form.tiny)
        allowed, off = declared.error * WIDENING, _off(declared, kernel)
        error, bound = float(off / unit), allowed / unit
        if off > allowed:
            self._off(declared, kernel, error, bound, point)
        elif (error > self.worst[0] and declared.error <= declared.size) or not self.worst[2]:
            # where all of the terms may be lost, as in an underflow, there is no accuracy to tell
            self.worst, self.inputs = (error, bound, point.where), point.inputs()

    def many(self, points: int, out_of_range: int) -> None:
        """So many numbers of large arrays that are as declared, and that no bound is known for."""
        self.points += points
        self.out_of_range += out_of_range

    def refute(self, where: str, message: str) -> None:
        """A fault that is no number."""
        if not self.refuted:
            self.worst, self.message = (math.inf, 0.0, where), message
            self.inputs = ""

    def verdict(self) -> Verdict:
        """What follows; a kernel of which nothing could be judged is refused."""
        error, bound, where = self.worst
        message = self.message
        if not message and not self.points:
            message = (
                f"nothing of {self.name} could be judged: all {self.out_of_range} points may "
                f"leave the range of {self.form.name}"
            )
        return Verdict(
            self.name,
            self.dtype,
            not message,
            error,
            bound,
            where,
            self.points,
            self.out_of_range,
            message,
            self._noted(),
            self.undefined,
            self.inputs,
        )

    def _noted(self) -> str:
        if not self.undefined:
            return self.note
        words = (
            f"at {self.undefined} points the declared value does not exist and the kernel gives "
            f"no number either; first at {self.first_undefined}"
        )
        return f"{self.note}; {words}" if self.note else words

    def _undefined(self, kernel: float, point: Point) -> None:
        self.refute(
            point.where,
            f"{point.where}: the declared value does not exist, the kernel's is {kernel!r}; "
            f"{point.inputs()}",
        )

    def _off(
        self, declared: Quantity, kernel: float, error: float, bound: float, point: Point
    ) -> None:
        self.worst, self.inputs = (error, bound, point.where), point.inputs()
        self.message = (
            f"{point.where}: declared {HIGH.nstr(declared.value, 17)}, kernel {kernel!r}, off by "
            f"{error:.4g} ulp where {bound:.4g} are allowed; {point.inputs()}"
        )


def _off(declared: Quantity, kernel: float) -> Any:
    """How far a number is from the declared one; an infinity is there or endlessly far."""
    if kernel == declared.value:
        return HIGH.zero
    return abs(HIGH.mpf(kernel) - declared.value) if math.isfinite(kernel) else HIGH.inf


def fits(declared: Quantity, kernel: float) -> bool:
    """Whether a number is the declared one to within its bound."""
    return bool(_off(declared, kernel) <= declared.error * WIDENING)
