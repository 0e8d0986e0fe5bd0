"""A gradient in closed form: its polynomial with common factors drawn out, means shown as means."""

from __future__ import annotations

from sympy import Add, Expr, Mul, Pow, Rational, S, Symbol

from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.calculus.polynomial import Monomial, size_of
from symopt.derivation.forward import OTHERS
from symopt.nodes import Sigma
from symopt.notation import Index, Parameter, index
from symopt.views import rewrite

_NAMES = tuple(index(word, "bound") for word in ("j", "k", "l", "p", "q", "r"))

Term = tuple[dict[Expr, Rational], Monomial, Rational]


def fused(expr: Expr, known: Knowledge, root: Symbol) -> Expr:
    """γ/√(σ² + ε)·(dy_i − (1/m) Σ dy_j − x̂_i·(1/m) Σ dy_j x̂_j), from the chain written out.

    What all terms have in common stands before the bracket; 1/m stays with its sum.
    """
    polynomial = normal_form(expr, known)
    if not polynomial.terms:
        return S.Zero
    terms = [_taken(monomial, value) for monomial, value in polynomial.terms]
    terms.sort(key=lambda term: (len(term[1].bound), len(term[1].factors)))
    common = _common([outer for outer, _, _ in terms])
    inside = [_shown(_less(outer, common), monomial, value) for outer, monomial, value in terms]
    bracket = inside[0] if len(inside) == 1 else Add(*inside, evaluate=False)
    before = _ordered(common)
    if not before:
        return _restored(bracket, root, known)
    if isinstance(bracket, Add):
        return _restored(_product([*before, bracket]), root, known)
    parts = [one for one in Mul.make_args(bracket) if one != 1]
    numbers = [one for one in parts if one.is_Number]
    others = [one for one in parts if not one.is_Number]
    return _restored(_product([*numbers, *before, *others]), root, known)


def _taken(monomial: Monomial, value: Rational) -> Term:
    """What stands outside of a term's sums, with 1/m left to them."""
    outer = dict(monomial.outside)
    for one in monomial.bound:
        size = size_of(one)
        if outer.get(size) == -1:
            del outer[size]
    return outer, monomial, value


def _common(all_outer: list[dict[Expr, Rational]]) -> dict[Expr, Rational]:
    first, *others = all_outer
    return {
        base: exponent
        for base, exponent in first.items()
        if all(outer.get(base) == exponent for outer in others)
    }


def _less(outer: dict[Expr, Rational], common: dict[Expr, Rational]) -> dict[Expr, Rational]:
    return {base: e for base, e in outer.items() if base not in common}


def _shown(outer: dict[Expr, Rational], monomial: Monomial, value: Rational) -> Expr:
    """±(what is outside)·(1/m) Σ …, in this order."""
    parts: list[Expr] = _ordered(outer)
    names = dict(zip(monomial.bound, _NAMES, strict=False))
    averaged = dict.fromkeys(map(size_of, monomial.bound))
    factors = dict(monomial.factors)
    parts += [Pow(one, -1, evaluate=False) for one in averaged if factors.get(one) == -1]
    for together in _connected(monomial):
        inside = [p for p in monomial.inside if any(map(p[0].has, together))]
        total: Expr = _product([_raised(b.xreplace(names), e) for b, e in inside])
        for one in together:
            total = Sigma(total, (names[one], S.One, size_of(one)))
        parts.append(total)
    if abs(value) != 1:
        parts.insert(0, abs(value))
    made = _product(parts) if parts else S.One
    return Mul(S.NegativeOne, made, evaluate=False) if value < 0 else made


def _connected(monomial: Monomial) -> list[list[Index]]:
    """Bound indices by the sums they stand in: those that share no factor are summed apart."""
    groups: list[list[Index]] = []
    for one in monomial.bound:
        mine = [base for base, _ in monomial.holding(one)]
        near = [group for group in groups if any(base.has(*group) for base in mine)]
        groups = [group for group in groups if group not in near]
        groups.append([*(k for group in near for k in group), one])
    return groups


def _ordered(factors: dict[Expr, Rational]) -> list[Expr]:
    """Powers upstairs first, then those below the line."""
    above = [_raised(b, e) for b, e in sorted(factors.items(), key=_rank) if e > 0]
    below = [_raised(b, e) for b, e in sorted(factors.items(), key=_rank) if e < 0]
    return [*above, *below]


def _rank(pair: tuple[Expr, Rational]) -> tuple[bool, bool, str]:
    """What is learned before other letters, those of elements last."""
    return bool(pair[0].is_Indexed), not isinstance(pair[0], Parameter), str(pair[0])


def _raised(base: Expr, exponent: Rational) -> Expr:
    return base if exponent == 1 else Pow(base, exponent, evaluate=False)


def _product(parts: list[Expr]) -> Expr:
    return parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)


def root_base(known: Knowledge, root: Symbol) -> Expr | None:
    """What the root's letter stands for: σ² + ε."""
    for letter, (own, value) in known.values.items():
        if own is None and value.has(root):
            number = 1 / value.diff(root)
            term = letter if number == 1 else Mul(number, letter, evaluate=False)
            rest = -number * value.xreplace({root: S.Zero})
            return Add(term, rest, evaluate=False) if rest != 0 else term
    return None


def _restored(expr: Expr, root: Symbol, known: Knowledge) -> Expr:
    """The letters that proofs brought in, replaced by what they stand for."""
    bases = {mark: root_base(known, mark) for mark in (root, OTHERS)}
    return rewrite(expr, bases.get)
