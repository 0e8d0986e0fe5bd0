"""Equations ⇒ kernels: a derived update rule as loops over elements."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sympy import Add, Expr, Indexed, Mul, S

from symopt.derivation.system import (
    PARAMETER,
    STATE,
    TEMPORARY,
    Assignment,
    Dynamics,
    System,
)
from symopt.derivation.times import entries
from symopt.errors import LoweringError
from symopt.notation import Hyperparameter, Sequence
from symopt.program.arguments import array_arguments, number_arguments
from symopt.program.average import average_form
from symopt.program.blocks import free, in_blocks, over_all, partial_sum, without_sums
from symopt.program.hoist import Numbers, hoist
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    Argument,
    Assign,
    Kernel,
    element,
    local,
)
from symopt.program.places import Places
from symopt.program.share import share
from symopt.program.supported import check_supported
from symopt.views import rewrite, signed_terms


def lower_step(system: System) -> Kernel:
    """The kernel that takes parameters and states one step further, in place.

    Raises
    ------
    LoweringError
        If a sum over examples reads what is computed in the same step.
    """
    for one in system.assignments:
        check_supported(one.id, one.right)
    taken = names_in_use(system)
    check_clashes(system)
    assignments = tuple(average_form(one) for one in system.assignments)
    scalar = tuple(one for one in assignments if system.variable(one.target).scalar)
    moving = tuple(one for one in assignments if not system.variable(one.target).scalar)
    moving, shared = share(moving, system.step, frozenset(taken))
    taken |= {one.spelling.python for one in shared}
    sums, plain = without_sums(system, moving, taken)
    places = places_in(system, taken, {one.target: one.target.spelling.python for one in sums})
    numbers = Numbers(taken)
    loads, stores = places.scalars(scalar)
    added = tuple(partial_sum(places, numbers, one) for one in sums)
    body = (*places.saved(plain), *_body(places, numbers, plain))
    nodes = in_blocks(places, numbers, added, body) if sums else (over_all(places, body),)
    batch = next((one for one in system.variables if one.examples), None)
    used = [one for one in system.variables if one.role != TEMPORARY]
    read = {h for one in assignments for h in one.right.atoms(Hyperparameter)}
    return check(
        Kernel(
            name="_step",
            arguments=(
                *array_arguments(used, {one.target for one in assignments}),
                *number_arguments(system, read, system.uses_step),
            ),
            numbers=(*loads, *stores, *numbers.assignments()),
            body=nodes,
            over=system.parameter.name,
            batch=batch.name if batch else "",
            count=batch.examples.spelling.python if batch and batch.examples else "",
        )
    )


def lower_gradient_point(system: System) -> Kernel | None:
    """The kernel that says where the gradient is to be taken, where that is not at the parameters.

    For Nesterov's momentum: point = θ − γ·v_{t-1}.
    """
    if system.gradient_point is None:
        return None
    id, expr = system.gradient_point
    check_supported(id, expr)
    taken = names_in_use(system) | {"point"}
    places, numbers = places_in(system, taken, {}), Numbers(taken)
    place = element("point", places.counter)
    value = Assign(place, places.placed(hoist(expr, numbers, "point")), note=id)
    read = {one.base for one in entries(expr)}
    used = [one for one in system.variables if one.sequence in read]
    used.sort(key=lambda one: one.role != PARAMETER)
    return check(
        Kernel(
            name="_gradient_point",
            arguments=(
                Argument("point", ARRAY, written=True),
                *array_arguments(used),
                *number_arguments(system, expr.atoms(Hyperparameter), step=False),
            ),
            numbers=numbers.assignments(),
            body=(over_all(places, (value,)),),
            over="point",
        )
    )


def names_in_use(system: Dynamics) -> set[str]:
    """The names that are in use before anything is lowered."""
    variables = {one.name for one in system.variables}
    numbers = {one.spelling.python for one in system.hyperparameters}
    counts = {one.examples.spelling.python for one in system.variables if one.examples}
    return variables | numbers | counts | {system.step.spelling.python, "size", "stop", "real"}


def check_clashes(system: Dynamics) -> None:
    """The kernel keeps the value of v from before the step as v_before, a scalar's new as v_now."""
    names = names_in_use(system)
    for one in system.of_role(STATE, PARAMETER):
        for name in (f"{one.name}_before", f"{one.name}_now"):
            if name in names:
                raise LoweringError(
                    f"{system.declared.name} has symbols with the Python names {one.name} and "
                    f"{name}, which its kernel would mix up; rename one with python='…'"
                )


def places_in(
    system: System,
    taken: set[str],
    sums: Mapping[Sequence, str],
    arrays: Mapping[Sequence, str] = MappingProxyType({}),
    views: Mapping[str, str] = MappingProxyType({}),
) -> Places:
    """Where entries are kept, under names of counters that are free."""
    counter, example, start = (local(free(name, taken)) for name in ("i", "k", "start"))
    return Places(system, counter, example, start, sums, arrays, views)


# loops


def _body(
    places: Places, numbers: Numbers, assignments: tuple[Assignment, ...]
) -> tuple[Assign, ...]:
    """One line an equation, each with the places its entries have by then."""
    found: list[Assign] = []
    written: set[Sequence] = set()
    for one in assignments:
        name = one.target.spelling.python
        variable = places.known(one.target)
        right = hoist(rewrite(one.right, places.scalar_entry), numbers, name)
        value = places.placed(right, written)
        if variable is None or variable.role == TEMPORARY:
            found.append(Assign(local(name), value, note=one.id))
        else:
            found.append(_augmented(element(name, places.counter), value, one.id))
            written.add(one.target)
    return tuple(found)


def _augmented(place: Indexed, value: Expr, note: str) -> Assign:
    """x = x + y ⇒ x += y, where x stands first."""
    (negative, first), *others = signed_terms(value)
    if negative or first != place or not others:
        return Assign(place, value, note=note)
    if len(others) == 1:
        less, term = others[0]
        return Assign(place, term, augment="-" if less else "+", note=note)
    terms = [Mul(S.NegativeOne, one, evaluate=False) if less else one for less, one in others]
    return Assign(place, Add(*terms, evaluate=False), augment="+", note=note)
