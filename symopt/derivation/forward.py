"""What a layer computes in training, as definitions, and what these make known of its sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sympy import (
    Add,
    Dummy,
    Expr,
    Indexed,
    Pow,
    S,
    Symbol,
    erf,
    exp,
    expand,
    numer,
    tanh,
    together,
)

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Identity, Knowledge, identity, normal_form
from symopt.calculus.polynomial import Monomial, bound_index
from symopt.declaration import Equation, Layer, Loss
from symopt.derivation.unbiased import answered
from symopt.errors import DerivationError
from symopt.nodes import Largest, Sigma
from symopt.notation import Count, Index, Parameter, Sequence, Statistic, is_random
from symopt.symbols import m
from symopt.views import canonical, occurrences

# the letter for the base of a root or a divisor: s = σ² + ε
ROOT = Symbol("s", positive=True)
# the letter for a divisor K − 1, of which there is at least one
OTHERS = Symbol("r", positive=True)
_SMOOTH = (exp, tanh, erf)


def forward(layer: Layer) -> tuple[Definition, ...]:
    """The equations of training that lead from the input to the output, in the slide's order.

    Raises
    ------
    DerivationError
        If the equations have no output for each element.
    """
    found = []
    for id, one in answered(layer).equations:
        if canonical(one.right).has(one.left):
            continue  # a running average: it follows from the batch, and no gradient flows there
        found.append(definition(id, one))
    if isinstance(layer, Loss):
        if not found or found[-1].index is not None:
            raise DerivationError(
                f"{layer.name} ends in no number for each group; let its last equation define a "
                "statistic"
            )
    elif not found or found[-1].index is None:
        raise DerivationError(
            f"{layer.name} ends in no output for each element; let its last equation define y[i]"
        )
    if not leaves(found)[1]:
        raise DerivationError(
            f"{layer.name} reads no input; declare one with given('x') and let an equation read it"
        )
    size = next(
        (
            total.bounds[1]
            for one in found
            for total in one.value.atoms(Sigma)
            if total.bounds is not None
        ),
        m,
    )
    sized = [one if one.index is None else replace(one, size=size) for one in found]
    return (*sized[:-1], replace(sized[-1], size=size))


def definition(id: str, one: Equation) -> Definition:
    """An equation as a definition, its size still to be found."""
    left, right = one.left, canonical(one.right)
    if isinstance(left, Indexed):
        return Definition(id, left, right, left.indices[0], written=one.right)
    return Definition(id, left, right, written=one.right)


def leaves(definitions: Iterable[Definition]) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """The letters that no equation defines nor chance: those that are learned, and the inputs."""
    several = tuple(definitions)
    defined = {one.letter.base for one in several if isinstance(one.letter, Indexed)}
    position = position_of(several)
    learned: dict[Expr, None] = {}
    inputs: dict[Expr, None] = {}
    for one in several:
        for leaf in occurrences(one.written, Parameter, Indexed):
            if isinstance(leaf, Parameter):
                learned[leaf] = None
            elif isinstance(leaf.base, Sequence) and not (leaf.base in defined or is_random(leaf)):
                kind = learned if leaf.base.role == "learned" else inputs
                kind[leaf.base[position]] = None
    return tuple(learned), tuple(inputs)


def position_of(definitions: Iterable[Definition]) -> Index | None:
    """The index that tells the elements of a group apart, if any equation knows of elements."""
    several = tuple(definitions)
    for one in reversed(several):
        if one.index is not None:
            return one.index
    totals = [total for one in several for total in occurrences(one.written, Sigma, Largest)]
    return totals[-1].index if totals else None


def knowledge(definitions: tuple[Definition, ...]) -> Knowledge:
    """Identities of sums from the defining equations: Σ x̂_i = 0, Σ x̂_i² = m − mε/(σ² + ε).

    The normalized letter takes the place of the input, and the root's base that of the statistic
    in it, so that no relation between the atoms is left out.
    """
    found = normalization(definitions)
    inputs = {found.input.base: (found.index, found.inverse)} if found else {}
    letters = {**roots(definitions), **counts(definitions)}
    values = {**letters, **inputs, **functions(definitions)}
    return Knowledge(values, identities(definitions, values))


def identities(
    definitions: Iterable[Definition], values: dict[Expr, tuple[Index | None, Expr]]
) -> tuple[Identity, ...]:
    """What each equation of a statistic says of its largest sum."""
    known: tuple[Identity, ...] = ()
    for one in definitions:
        if one.index is None:
            try:
                found = identity(one.id, one.letter, one.value, Knowledge(values, known))
            except DerivationError:
                continue  # a statistic that is no sum of powers: its sum stays an atom
            known = (*known, found)
    return (*known, *_constant_sums(definitions, Knowledge(values, known)))


def _constant_sums(definitions: Iterable[Definition], known: Knowledge) -> Iterator[Identity]:
    """Letters whose sum is a number, whatever the input: Σ q_i = 1 of probabilities."""
    for one in definitions:
        if one.index is None or one.size is None:
            continue
        worth = normal_form(Sigma(one.value, (one.index, S.One, one.size)), known)
        if all(monomial == Monomial() for monomial, _ in worth.terms):
            place = bound_index(0, one.size)
            entry = one.letter.base[place]
            yield Identity(one.id, ((entry, S.One),), one.size, worth)


def roots(definitions: Iterable[Definition]) -> dict[Expr, tuple[Index | None, Expr]]:
    """σ² ⇒ s − ε for the base σ² + ε of a root or a divisor, where there is one such base."""
    bases = {
        power.base
        for one in definitions
        for power in one.value.atoms(Pow)
        if any(isinstance(term.as_coeff_Mul()[1], Statistic) for term in Add.make_args(power.base))
        and not (power.exp.is_Integer and power.exp.is_positive)
    }
    if len(bases) != 1:
        return {}
    (base,) = bases
    for term in Add.make_args(base):
        number, letter = term.as_coeff_Mul()
        if isinstance(letter, Statistic):
            return {letter: (None, (ROOT - (base - term)) / number)}
    return {}


def counts(definitions: Iterable[Definition]) -> dict[Expr, tuple[Index | None, Expr]]:
    """K ⇒ r + 1 for a divisor K − 1: a letter for the others, so that (K − 1)/(K − 1) is 1."""
    divisors = {
        power.base
        for one in definitions
        for power in one.value.atoms(Pow)
        if isinstance(power.base, Add) and power.exp.is_negative
    }
    for base in divisors:
        (*_, size) = sorted(base.args, key=lambda term: isinstance(term, Count))
        if isinstance(size, Count) and (base - size).is_Integer:
            return {size: (None, OTHERS - (base - size))}
    return {}


def functions(definitions: Iterable[Definition]) -> dict[Expr, tuple[Index | None, Expr]]:
    """e^x_i ⇒ q·y_i from y_i = e^x_i/q: a function of the input by the letter that it makes.

    Where a letter is a multiple of one function of its input, derivatives are shorter in the
    letter, and cannot overflow in it. A difference such as 1/y − 1 is left alone: it cancels.
    """
    found: dict[Expr, tuple[Index | None, Expr]] = {}
    for one in definitions:
        inner = [f for f in one.value.atoms(*_SMOOTH) if f.has(Indexed)]
        if one.index is None or len(inner) != 1:
            continue
        (function,) = inner
        mark = Dummy()
        equation = numer(together(one.letter - one.value.xreplace({function: mark})))
        slope = equation.diff(mark)
        if equation.has(*function.atoms(Indexed)) or slope == 0 or slope.has(mark):
            continue
        value = expand(-equation.subs(mark, 0) / slope)
        if not isinstance(value, Add):
            found[function] = (one.index, value)
    return found


@dataclass(frozen=True)
class Normalization:
    """The equation of x̂_i, linear in the input x_i with a slope of statistics alone.

    ``inverse`` is x_i in terms of x̂_i.
    """

    letter: Expr
    input: Expr
    index: Index
    inverse: Expr


def normalization(definitions: tuple[Definition, ...]) -> Normalization | None:
    """The first equation that normalizes an input: x̂_i = (x_i − μ)/√s ⇒ x_i = μ + x̂_i·√s."""
    defined = {one.letter.base for one in definitions if isinstance(one.letter, Indexed)}
    for one in definitions:
        if one.index is None:
            continue
        entries = [entry for entry in one.value.atoms(Indexed) if entry.indices == (one.index,)]
        inputs = [entry for entry in entries if not (entry.base in defined or is_random(entry))]
        if len(inputs) == 1:
            slope = one.value.diff(inputs[0])
            if not slope.has(inputs[0], Parameter, Indexed) and slope != 0:
                inverse = (one.letter - one.value.subs(inputs[0], 0)) / slope
                return Normalization(one.letter, inputs[0], one.index, inverse)
    return None
