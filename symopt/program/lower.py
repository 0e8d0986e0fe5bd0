"""Equations ⇒ kernels: a derived update rule as loops over elements."""

from __future__ import annotations

from sympy import Add, Expr, Indexed, Mul, S

from symopt.derivation.system import PARAMETER, STATE, TEMPORARY, Assignment, System
from symopt.derivation.times import at, entries, offset
from symopt.errors import LoweringError
from symopt.nodes import Sigma
from symopt.notation import Hyperparameter, Sequence, sequence
from symopt.printing.unicode import unicode
from symopt.program.arguments import array_arguments, number_arguments
from symopt.program.average import average_form
from symopt.program.hoist import Numbers, hoist
from symopt.program.invariants import check
from symopt.program.ir import (
    ARRAY,
    Argument,
    Assign,
    Kernel,
    Loop,
    Node,
    Scratch,
    Stop,
    element,
    local,
)
from symopt.program.places import Places
from symopt.program.share import share
from symopt.program.supported import check_supported
from symopt.views import occurrences, rewrite, signed_terms

# elements handled at a time where sums over examples are kept: 4 KiB of float32 stays in cache
BLOCK = 1024


def lower_step(system: System) -> Kernel:
    """The kernel that takes parameters and states one step further, in place.

    Raises
    ------
    LoweringError
        If a sum over examples reads what is computed in the same step.
    """
    for one in system.assignments:
        check_supported(one.id, one.right)
    taken = _names(system)
    _check_clashes(system)
    assignments = tuple(average_form(one) for one in system.assignments)
    scalar = tuple(one for one in assignments if system.variable(one.target).scalar)
    moving = tuple(one for one in assignments if not system.variable(one.target).scalar)
    moving, shared = share(moving, system.step, frozenset(taken))
    taken |= {one.spelling.python for one in shared}
    sums, plain = _without_sums(system, moving, taken)
    places = _places(system, taken, {one.target: one.target.spelling.python for one in sums})
    numbers = Numbers(taken)
    loads, stores = places.scalars(scalar)
    added = tuple(_partial_sum(places, numbers, one) for one in sums)
    body = (*places.saved(plain), *_body(places, numbers, plain))
    nodes = _in_blocks(places, numbers, added, body) if sums else (_over_all(places, body),)
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
    taken = _names(system) | {"point"}
    places, numbers = _places(system, taken, {}), Numbers(taken)
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
            body=(_over_all(places, (value,)),),
            over="point",
        )
    )


def _names(system: System) -> set[str]:
    """The names that are in use before anything is lowered."""
    variables = {one.name for one in system.variables}
    numbers = {one.spelling.python for one in system.hyperparameters}
    counts = {one.examples.spelling.python for one in system.variables if one.examples}
    return variables | numbers | counts | {system.step.spelling.python, "size", "stop", "real"}


def _check_clashes(system: System) -> None:
    """The kernel keeps the value of v from before the step as v_before, a scalar's new as v_now."""
    names = _names(system)
    for one in system.of_role(STATE, PARAMETER):
        for name in (f"{one.name}_before", f"{one.name}_now"):
            if name in names:
                raise LoweringError(
                    f"{system.rule.name} has symbols with the Python names {one.name} and {name}, "
                    "which its kernel would mix up; rename one with python='…'"
                )


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _places(system: System, taken: set[str], sums: dict[Sequence, str]) -> Places:
    counter, example, start = (local(_free(name, taken)) for name in ("i", "k", "start"))
    return Places(system, counter, example, start, sums)


# sums over examples


def _without_sums(
    system: System, moving: tuple[Assignment, ...], taken: set[str]
) -> tuple[list[Assignment], tuple[Assignment, ...]]:
    """Sums over examples ⇒ entries of partial sums, beside what is added to each of them."""
    sums: list[Assignment] = []
    plain = []
    for one in moving:
        right = one.right
        for total in occurrences(right, Sigma):
            _check_known_before(system, one, total)
            letter = sequence(_free("total" if not sums else f"total_{len(sums) + 1}", taken))
            entry = at(letter, system.step)
            right = rewrite(right, {total: entry}.get)
            sums.append(Assignment(one.id, entry, total.body))
        plain.append(Assignment(one.id, one.left, right))
    return sums, tuple(plain)


def _check_known_before(system: System, one: Assignment, total: Sigma) -> None:
    for entry in entries(total.body):
        variable = system.variable(entry.base)
        age = offset(one.id, entry, system.step) - variable.offset
        if variable.role == TEMPORARY or (variable.role in (STATE, PARAMETER) and age == 0):
            raise LoweringError(
                f"{one.id} sums over examples what holds {unicode(entry)}, which is computed in "
                "the same step; take it out of the sum"
            )


def _partial_sum(places: Places, numbers: Numbers, one: Assignment) -> Assign:
    name = places.sums[one.target]
    term = rewrite(one.right, places.scalar_entry)
    return Assign(
        element(name, places.counter - places.start),
        places.placed(hoist(term, numbers, name)),
        augment="+",
        note=one.id,
    )


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


def _over_all(places: Places, body: tuple[Node, ...]) -> Loop:
    return Loop(places.counter, S.Zero, "size", body)


def _in_blocks(
    places: Places, numbers: Numbers, added: tuple[Assign, ...], body: tuple[Assign, ...]
) -> tuple[Node, ...]:
    """Blocks of elements: the partial sums cleared, gathered along memory, and then used."""
    zero = numbers.name(S.Zero, "zero")
    cleared = tuple(Assign(one.target, zero) for one in added)
    count = next(one.examples for one in places.system.variables if one.examples)
    block = (
        Stop("stop", places.start, BLOCK),
        _over_block(places, cleared),
        Loop(places.example, S.Zero, count.spelling.python, (_over_block(places, added),)),
        _over_block(places, body),
    )
    scratch = tuple(Scratch(str(one.target.base.label), BLOCK) for one in added)
    return (*scratch, Loop(places.start, S.Zero, "size", block, stride=BLOCK))


def _over_block(places: Places, body: tuple[Node, ...]) -> Loop:
    return Loop(places.counter, places.start, "stop", body)
