"""Means over random letters, all else held fixed: linear, and products where independent.

What each distribution contributes is a row of a table: the mean of a power of a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Add, Basic, Expr, Indexed, Mul, Pow, S, expand

from symopt.calculus.normal_form import normal_form
from symopt.derivation.drawn import Draws, entries_drawn
from symopt.derivation.enumeration import enumerated
from symopt.derivation.steps import Line, Reason
from symopt.errors import DerivationError
from symopt.nodes import Bernoulli, Distribution, Expectation, Normal, Sigma
from symopt.printing.unicode import unicode
from symopt.views import canonical, rewrite


def _gaussian(one: Any, power: int) -> Expr:
    """E[rᵏ] = μ·E[rᵏ⁻¹] + (k − 1)·σ²·E[rᵏ⁻²], by parts."""
    before, last = S.One, one.mean
    for k in range(2, power + 1):
        before, last = last, one.mean * last + (k - 1) * one.variance * before
    return last


# the mean of the k-th power of a letter, k from 1 on
MOMENTS: Mapping[type[Distribution], Callable[[Any, int], Expr]] = {
    Bernoulli: lambda one, _: one.share,
    Normal: _gaussian,
}


def spread(written: Expr, drawn: Draws) -> Expr:
    """E[s·r_i·x_i] ⇒ s·E[r_i]·x_i: a mean in terms of those of powers of random letters.

    The order of the author stays where each term holds one random letter and no power of it.

    Raises
    ------
    DerivationError
        If the expression is no polynomial in random letters that are independent in each product.
    """
    found = _linear(expand(canonical(written)), drawn)
    inside = rewrite(written, lambda node: _single(node, drawn))
    same = normal_form(canonical(inside)) == normal_form(found)
    return inside if same else found


def _single(node: Basic, drawn: Draws) -> Expr | None:
    """E[r_i] for r_i."""
    return Expectation(node) if isinstance(node, Indexed) and node.base in drawn else None


def _linear(expr: Expr, drawn: Draws) -> Expr:
    if not entries_drawn(expr, drawn):
        return expr
    if isinstance(expr, Add):
        return Add(*(_linear(part, drawn) for part in expr.args))
    factors = Mul.make_args(expr)
    fixed = [one for one in factors if not entries_drawn(one, drawn)]
    moving = [one for one in factors if entries_drawn(one, drawn)]
    letters = [{entry.base for entry in entries_drawn(one, drawn)} for one in moving]
    if sum(map(len, letters)) == len(set().union(*letters)) and all(map(_simple, moving)):
        # factors without a common letter are independent
        return Mul(*fixed, *(_factor(one, drawn) for one in moving))
    raise DerivationError(
        f"E[{unicode(expr)}] does not follow from the means of what is drawn; let random letters "
        "enter by products of unlike ones and whole powers"
    )


def _simple(factor: Expr) -> bool:
    """Whether a factor is a sum over elements, or a positive whole power of one random value."""
    base, exponent = factor.as_base_exp()
    powered = isinstance(base, Indexed) and exponent.is_Integer and exponent.is_positive
    return isinstance(factor, Sigma) or bool(powered)


def _factor(factor: Expr, drawn: Draws) -> Expr:
    if isinstance(factor, Sigma):
        return Sigma(_linear(expand(factor.body), drawn), factor.args[1])
    return Expectation(factor)


def moment(mean: Expectation, drawn: Draws) -> Expr:
    """The value of E[r_iᵏ]; for k = 1, as the author wrote what it depends on."""
    base, exponent = mean.args[0].as_base_exp()
    one = drawn[base.base]
    return MOMENTS[type(one)](one, int(exponent))


def with_means(expr: Expr, drawn: Draws) -> Expr:
    """The expression with the mean of what stands in each E[…] put in for it."""

    def change(node: Basic) -> Basic | None:
        return expected(node.args[0], drawn) if isinstance(node, Expectation) else None

    return rewrite(expr, change)


def mean_lines(name: Expr, written: Expr, drawn: Draws) -> tuple[Line, ...]:
    """E[name] line by line, from what it is in terms of what is drawn."""
    inside = spread(written, drawn)
    put = valued(inside, drawn)
    entries = entries_drawn(written, drawn)
    if not entries:
        return (Line(Expectation(name), put, "nothing in it is drawn"),)
    letters = [part for one in entries for part in (" and ", one)][1:]
    independent = ", and these are independent" if len(entries) > 1 else ""
    reason = ("E is linear, all but ", *letters, " is fixed", independent)
    means = (Line(one, moment(one, drawn), _source(one, drawn)) for one in means_in(inside))
    check = enumerated(written, put, drawn)
    return (
        Line(Expectation(name), inside, reason),
        *means,
        Line(Expectation(name), put, "put in", check),
    )


def _source(mean: Expectation, drawn: Draws) -> Reason:
    entry = mean.args[0].as_base_exp()[0]
    return (entry, " ∼ ", drawn[entry.base])


def means_in(expr: Expr) -> tuple[Expectation, ...]:
    """The means that an expression holds, each once."""
    return tuple(sorted(expr.atoms(Expectation), key=str))


def valued(expr: Expr, drawn: Draws) -> Expr:
    """The expression with the means of powers of random letters put in, as it is written."""

    def change(node: Basic) -> Basic | None:
        return moment(node, drawn) if isinstance(node, Expectation) else None

    return rewrite(expr, change)


def expected(written: Expr, drawn: Draws) -> Expr:
    """E[expr] in terms of what is not random, canonical.

    >>> from symopt.symbols import x, example as i
    >>> from symopt.notation import random
    >>> r = random("r")
    >>> print(expected(r[i] ** 2 * x[i], {r: Normal(1, 4)}))
    5*x[i]

    Raises
    ------
    DerivationError
        If it does not follow from the moments of the random letters.
    """
    return canonical(valued(spread(written, drawn), drawn))


def variance_of(written: Expr, drawn: Draws) -> Expr:
    """Var[expr] = E[expr²] − E[expr]², canonical and expanded."""
    square = Pow(canonical(written), 2)
    return expand(expected(square, drawn) - expected(written, drawn) ** 2)
