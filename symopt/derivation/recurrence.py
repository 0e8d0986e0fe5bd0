"""Sums over a sequence's own past ⇒ recurrences."""

from __future__ import annotations

from sympy import Add, Expr, Mul, S, powsimp, simplify

from symopt.declaration import Equation
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.times import at
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Index, Sequence, sequence
from symopt.printing.unicode import unicode
from symopt.spelling import Spelling
from symopt.views import canonical, occurrences, rewrite, substitute

Named = tuple[str, Equation]


def over_the_past(expr: Expr, step: Index) -> tuple[Sigma, ...]:
    """The sums in an expression whose index runs up to the present step."""
    sums = occurrences(expr, Sigma)
    return tuple(one for one in sums if one.bounds and one.bounds[1].has(step))


def recur(
    equation: Named, step: Index
) -> tuple[tuple[Named, ...], dict[Sequence, Expr], tuple[Derivation, ...]]:
    """Sum over the past ⇒ recurrence: G_t = Σ_{τ≤t} f_τ ⇒ G_t = G_{t-1} + f_t with G_0 = 0.

    Terms may be weighted by the step as long as the weight changes by one factor for all of them:
    Σ β^{t-τ} f_τ ⇒ S_t = β S_{t-1} + f_t. A sum inside a larger expression becomes a state of its
    own. Returns the equations, the initial values of the new states, and the derivations.

    Raises
    ------
    DerivationError
        If the sum starts after the first step, or its weights change unevenly.
    """
    where, stated = equation
    sums = over_the_past(stated.right, step)
    if not sums:
        return (equation,), {}, ()
    whole = stated.right == sums[0]
    states = [
        stated.left.base if whole else _partial(stated.left.base, k, len(sums))
        for k in range(len(sums))
    ]
    solved = [
        _difference(where, at(state, step), one, step)
        for state, one in zip(states, sums, strict=True)
    ]
    found = tuple((where, one) for one, _ in solved)
    if not whole:
        known = {one: at(state, step) for one, state in zip(sums, states, strict=True)}
        found = (*found, (where, Equation(stated.left, rewrite(stated.right, known.get))))
    return found, dict.fromkeys(states, S.Zero), tuple(shown for _, shown in solved)


def _partial(base: Sequence, number: int, total: int) -> Sequence:
    """The state that holds a sum inside the equation of ``base``."""
    tail = "" if total == 1 else f"_{number + 1}"
    old: Spelling = base.spelling
    return sequence(
        f"sum_{number}",
        latex=rf"\Sigma^{{{old.latex}{tail}}}",
        unicode=f"Σ{old.unicode}{tail}",
        python=f"{old.python}_sum{tail}",
    )


def _difference(where: str, left: Expr, total: Sigma, step: Index) -> tuple[Equation, Derivation]:
    assert total.bounds is not None  # only sums with bounds come here
    low, high = total.bounds
    if canonical(high) != step or canonical(low) != 1:
        raise DerivationError(
            f"{where} sums {unicode(total.body)} from {unicode(low)} to {unicode(high)}, of which "
            f"no recurrence follows; let the sum run from 1 to {unicode(step)}"
        )
    before = substitute(total.body, {step: Add(step, -1, evaluate=False)})
    ratio = powsimp(simplify(canonical(total.body) / canonical(before)))
    if ratio.has(total.index) or not canonical(total.body).has(total.index):
        raise DerivationError(
            f"{where} weights the terms of {unicode(total)} unevenly as {unicode(step)} grows, "
            "so that no recurrence follows; write the recurrence itself"
        )
    if any(not ratio.subs(step, k).is_finite for k in range(2, 6)):
        raise DerivationError(
            f"{where} weights the terms of {unicode(total)} by nothing at some step, after which "
            "no recurrence knows them; write the recurrence itself"
        )
    newest = substitute(total.body, {total.index: step})
    newest = newest if ratio == 1 else _cleaned(newest)
    base = left.base
    old = at(base, step, -1)
    kept = old if ratio == 1 else Mul(ratio, old, evaluate=False)
    right = Add(kept, newest, evaluate=False)
    earlier = Sigma(before, (total.index, low, Add(step, -1, evaluate=False)))
    lines = (
        Line(left, total, where),
        Line(old, earlier, "the same sum one step before"),
        Line(
            Add(left, Mul(-1, kept, evaluate=False), evaluate=False),
            newest,
            "all other terms cancel",
            _brute_force(total, canonical(ratio), newest, step),
        ),
        Line(left, right, "solved"),
        Line(base[S.Zero], S.Zero, "the empty sum"),
    )
    return Equation(left, right), Derivation(where, (left, " as a recurrence"), lines)


def _cleaned(newest: Expr) -> Expr:
    """The newest term without its weight's trivial powers: β^{t-t} f_t ⇒ f_t."""
    return simplify(canonical(newest))


def _brute_force(total: Sigma, ratio: Expr, newest: Expr, step: Index) -> str:
    """Both sides written out for the first steps; an assertion of ours, not of the user."""

    def partial(last: int) -> Expr:
        body = canonical(total.body).subs(step, last)
        return sum((body.subs(total.index, k) for k in range(1, last + 1)), S.Zero)

    for last in range(1, 6):
        gap = partial(last) - ratio.subs(step, last) * partial(last - 1)
        assert simplify(gap - canonical(newest).subs(step, last)) == 0
    return "checked t = 1…5, exact"
