"""How a rule reads the gradient of its loss: as a letter, as a derivative, or as a sum of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Basic, Dummy, Expr, Indexed, Mul, Pow, S

from symopt.declaration import UpdateRule
from symopt.derivation.system import INPUT, System
from symopt.derivation.times import at, entries
from symopt.errors import DerivationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Index, Sequence
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences, opened, rewrite


@dataclass(frozen=True)
class Source:
    """Where a rule's gradient comes from: its letter, if equations ``read`` that, and its point.

    ``parameter`` is the entry from before the step; ``defined`` the left side of the equation that
    gives the gradient its letter, if one does.
    """

    letter: Sequence
    read: bool
    step: Index
    parameter: Expr
    point: Expr
    defined: Expr | None = None


def source_of(rule: UpdateRule, system: System) -> Source:
    """Where the gradient of a rule comes from.

    Raises
    ------
    DerivationError
        If the rule reads none.
    """
    derivatives = [one for _, one in rule.equations if occurrences(one.right, Gradient)]
    names = [one.left for one in derivatives if isinstance(one.right, Gradient)]
    letters = [one.sequence for one in system.of_role(INPUT)]
    if derivatives and not names:
        # derivation gave it a letter that no equation has
        own = {entry.base for _, one in rule.equations for entry in entries(one.right)}
        letters = [one for one in letters if one not in own]
    if not letters:
        raise DerivationError(
            f"{rule.name} reads no gradient, to which that of a penalty could be added; let an "
            "equation read g[t] or d(L(theta), theta)"
        )
    parameter = at(system.parameter.sequence, system.step, system.parameter.offset - 1)
    _, point = system.gradient_point or ("", parameter)
    if names:
        return Source(names[0].base, True, system.step, parameter, point, names[0])
    return Source(letters[0], not derivatives, system.step, parameter, point)


@dataclass(frozen=True)
class Reading:
    """A part of an expression that reads the gradient: ``before``, the gradient, ``after``.

    ``gradient`` is a letter's entry, a derivative, or the sum or the mean of the examples' own.
    Where these enter a mean ``singly``, by their signs or their squares, the part is no multiple
    of it.
    """

    part: Expr
    gradient: Expr
    before: tuple[Expr, ...] = ()
    after: tuple[Expr, ...] = ()
    singly: bool = False

    @property
    def kind(self) -> Expr:
        """What tells two gradients of one rule apart: how many are added up, and what divides."""

        def plain(node: Basic) -> Basic | None:
            return S.One if isinstance(node, Gradient | Indexed) else None

        return canonical(rewrite(self.gradient, plain))

    def multiple(self, gradient: Expr) -> Expr:
        """The part with another gradient in the same place."""
        return _product((*self.before, gradient, *self.after))


def readings(id: str, expr: Basic, letter: Sequence | None) -> Iterator[Reading]:
    """The outermost parts of an expression that read the gradient, under its letter if it has one.

    >>> from symopt.catalog.lecture.minibatch import minibatch
    >>> ((id, step),) = minibatch.equations
    >>> (one,) = readings(id, step.right, None)
    >>> print(unicode(one.gradient), "times", *map(unicode, one.before))
    1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ times −1 α

    Raises
    ------
    DerivationError
        If single gradients enter otherwise than into a mean.
    """
    if isinstance(expr, Gradient) or (isinstance(expr, Indexed) and expr.base == letter):
        yield Reading(expr, expr)
        return
    found = _over_examples(id, expr) if isinstance(expr, Mul | Sigma) else None
    if found is not None:
        yield found
        return
    for part in expr.args:
        yield from readings(id, part, letter)


def _over_examples(id: str, expr: Expr) -> Reading | None:
    """The product of a sum over examples, taken apart; none for another expression."""
    parts = _flat(expr)
    sums = [one for one in parts if isinstance(one, Sigma) and one.has(Gradient)]
    if len(sums) != 1 or sums[0].index.counts != "example":
        return None
    (total,) = sums
    assert total.bounds is not None  # the rule was derived, which sums without bounds stop
    inverse = Pow(total.bounds[1], -1)
    gradient, weight = _weighed(total)
    here = parts.index(total)
    factors = [
        [piece for part in side for piece in _pieces(part, inverse)]
        for side in (parts[:here], () if weight in (None, 1) else (weight,), parts[here + 1 :])
    ]
    mean = next((side for side in factors if inverse in side), None)
    if mean is not None:
        mean.remove(inverse)
    before, within, after = map(tuple, factors)
    if weight is None and mean is None:
        raise DerivationError(
            f"{id} sums {unicode(total.body)}, which holds the gradients of single examples, so "
            "that a penalty would count once for each; divide the sum by their number "
            f"{unicode(total.bounds[1])}, for a mean"
        )
    plain = Sigma(gradient, total.args[1])
    return Reading(
        expr,
        plain if mean is None else _product((inverse, plain)),
        (*before, *within),
        after,
        singly=weight is None,
    )


def _flat(expr: Expr) -> tuple[Expr, ...]:
    """The factors of a product, however they nest."""
    if not isinstance(expr, Mul):
        return (expr,)
    return tuple(one for part in opened(expr) for one in _flat(part))


def _weighed(total: Sigma) -> tuple[Expr, Expr | None]:
    """The gradient that is summed and what each is multiplied by; none if it is not just that."""
    gradient = occurrences(total.body, Gradient)[0]
    name = Dummy()
    body = canonical(rewrite(total.body, lambda one: name if isinstance(one, Gradient) else None))
    weight = body.diff(name)
    plain = not weight.has(name, total.index) and (body - weight * name).expand() == 0
    return gradient, weight if plain else None


def _pieces(part: Expr, inverse: Expr) -> tuple[Expr, ...]:
    """A factor as written, or taken apart where the inverse of the examples' number is in it."""
    pieces = Mul.make_args(canonical(part)) if part.has(Count) else (part,)
    return pieces if inverse in pieces else (part,)


def _product(parts: tuple[Expr, ...]) -> Expr:
    return parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)
