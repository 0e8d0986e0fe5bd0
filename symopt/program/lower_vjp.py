"""The gradient of a step ⇒ a kernel: what is needed of the step anew, then its adjoints."""

from __future__ import annotations

from dataclasses import dataclass

from symopt.derivation.steps import Derivation
from symopt.derivation.system import System
from symopt.derivation.update_gradient import (
    UpdateGradient,
    point_gradient,
    update_gradient,
)
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    NUMBER,
    STEP,
    Argument,
    Kernel,
    Scratch,
)
from symopt.program.lower import lower_gradient_point, lower_step
from symopt.program.reverse import Reverse


@dataclass(frozen=True)
class VjpKernel:
    """A kernel of adjoints, and what its arguments stand for.

    ``forward`` are the arguments of what is differentiated, none of them written; ``handed`` the
    adjoints of its new values. ``results`` say which argument's adjoint an output is; those of
    ``numbers`` the kernel returns.
    """

    kernel: Kernel
    forward: tuple[Argument, ...]
    handed: tuple[Argument, ...]
    results: tuple[tuple[str, Argument], ...]
    numbers: tuple[str, ...]
    derivation: Derivation

    @property
    def gathers(self) -> bool:
        """Whether terms of all elements are added up."""
        return any(isinstance(one, Scratch) for one in self.kernel.body)


def lower_vjps(system: System) -> tuple[VjpKernel, ...]:
    """The kernels of adjoints: of the step, and of the point of its gradient, where there is one.

    Raises
    ------
    LoweringError
        If an adjoint would be called like another letter.
    """
    step = _lowered(system, update_gradient(system), lower_step(system))
    found, point = point_gradient(system), lower_gradient_point(system)
    if found is None or point is None:
        return (step,)
    return (step, _lowered(system, found, point))


def _lowered(system: System, found: UpdateGradient, forward: Kernel) -> VjpKernel:
    reverse = Reverse(system, found)
    letters, (before, nodes) = reverse.letters, reverse.nodes()
    point = {one.of.base.spelling.python for one in found.made} - {v.name for v in system.variables}
    given = tuple(
        Argument(one.name, one.kind, domain=one.domain, default=one.default)
        for one in forward.arguments
        if one.name not in point
    )
    numbers = tuple(one for one in given if one.kind in (NUMBER, STEP))
    totals = {one.spelling.python: total for one, total in letters.totals.items() if one.is_Symbol}
    returned = tuple(one.name for one in numbers if one.name in totals)
    place = {one.name: k for k, one in enumerate(given)}
    results = tuple(sorted(letters.results, key=lambda pair: place[pair[0]]))
    handed = tuple(one for _, one in sorted(letters.handed, key=lambda pair: place.get(pair[0], 0)))
    kernel = Kernel(
        name=f"{forward.name}_vjp",
        arguments=(
            *(one for one in given if one not in numbers),
            *handed,
            *(one for _, one in results),
            *numbers,
        ),
        numbers=before,
        body=nodes,
        over=next(one.name for one in given if one.kind == ARRAY),
        batch=forward.batch,
        count=forward.count,
        result=f"({', '.join(str(totals[one]) for one in returned)},)" if returned else "",
    )
    return VjpKernel(check(kernel), given, handed, results, returned, found.derivation)
