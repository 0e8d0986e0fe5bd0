"""Rules that simplify a sum over an index, as rows of a table: name, pattern, result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Add, Expr, KroneckerDelta, Mul, S

from symopt.calculus.affine import solved
from symopt.nodes import Inside, Sigma


@dataclass(frozen=True)
class Rule:
    """A fact about Σ_i f: what it becomes, where the rule applies, else nothing."""

    name: str
    statement: str
    result: Callable[[Sigma], Expr | None]


def _empty(total: Sigma) -> Expr | None:
    return S.Zero if total.body == 0 else None


def _ones(total: Sigma) -> Expr | None:
    if total.body.has(total.index) or total.bounds is None:
        return None
    return total.body * (total.bounds[1] - total.bounds[0] + 1)


def _delta(total: Sigma) -> Expr | None:
    for factor in Mul.make_args(total.body):
        if isinstance(factor, KroneckerDelta) and total.index in factor.args:
            (other,) = (one for one in factor.args if one != total.index)
            if not other.is_Symbol:
                continue  # a window's place may lie beyond the last
            rest = total.body / factor
            return rest.xreplace({total.index: other})
    return None


def _window(total: Sigma) -> Expr | None:
    """A delta between two places is solved for the index, which then has to be in its range."""
    for factor in Mul.make_args(total.body):
        if isinstance(factor, KroneckerDelta) and factor.has(total.index) and total.bounds:
            one, other = factor.args
            found = solved(one, other, total.index)
            if found is not None:
                rest = (total.body / factor).xreplace({total.index: found})
                return Inside(found, *total.bounds) * rest
    return None


def _constants(total: Sigma) -> Expr | None:
    parts = Mul.make_args(total.body)
    outside = [one for one in parts if not one.has(total.index)]
    if not outside or not total.body.has(total.index):
        return None
    # what is left is not divided out, since a factor with cases may be zero
    inside = [one for one in parts if one.has(total.index)]
    return Mul(*outside) * Sigma(Mul(*inside), total.args[1])


def _terms_with_deltas(total: Sigma) -> Expr | None:
    """A sum of terms is split only where a delta waits in one of them."""
    body = total.body
    if not (isinstance(body, Add) or body.expand() != body) or not body.has(KroneckerDelta):
        return None
    terms = Add.make_args(body.expand())
    if len(terms) < 2:
        return None
    return Add(*(Sigma(term, total.args[1]) for term in terms))


RULES = (
    Rule("empty sum", "Σ 0 = 0", _empty),
    Rule("sum of ones", "Σ_{i=1..m} c = m c", _ones),
    Rule("delta", "Σ_i δ_ij f_i = f_j", _delta),
    Rule("constant", "Σ_i c f_i = c Σ_i f_i", _constants),
    Rule("linearity", "Σ (f + g) = Σ f + Σ g", _terms_with_deltas),
)
WINDOWS = (Rule("window", "Σ_{i=1..m} δ[s·p + i, h] f_i = [1 ≤ h − s·p ≤ m] f_{h − s·p}", _window),)


def simplified(expr: Expr, rules: tuple[Rule, ...] = RULES) -> Expr:
    """The expression with every rule applied wherever it can be, innermost sums first.

    >>> from symopt.notation import index, given
    >>> from symopt.symbols import m
    >>> i, j, x = index("i"), index("j"), given("x")
    >>> simplified(Sigma(3 * x[i] * KroneckerDelta(i, j), (i, 1, m)))
    3*x[j]
    """
    if not expr.args or expr.is_Indexed:
        return expr
    parts = (simplified(part, rules) if isinstance(part, Expr) else part for part in expr.args)
    inner = expr.func(*parts)
    if not isinstance(inner, Sigma):
        return inner
    for rule in rules:
        found = rule.result(inner)
        if found is not None:
            return simplified(found, rules)
    return inner
