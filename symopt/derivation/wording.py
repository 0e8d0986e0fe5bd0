"""Derived expressions in an author's words: his sums as he wrote them, factors as a note has them.

−μ + x_i ⇒ x_i − μ, where the author wrote that, and 1/2·1/√s³·Σ (2μ − 2x_i) ⇒ −1/√s³·Σ (x_i − μ).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Add, Expr, Indexed, Mul, Pow, Rational, S, factor, fraction

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import normal_form
from symopt.derivation.responses import quotient
from symopt.nodes import Gradient, Sigma
from symopt.notation import Index
from symopt.views import canonical, occurrences, split_sign, substitute

Words = Mapping[Expr, Expr]


def words(definitions: Iterable[Definition], *others: Index) -> Words:
    """The sums that equations hold, by their canonical form; at the index of each and at others."""
    return sums_in((one.written for one in definitions), *others)


def sums_in(exprs: Iterable[Expr], *others: Index) -> Words:
    """The sums in some expressions as written, likewise."""
    found: dict[Expr, Expr] = {}
    for one in exprs:
        for written in _sums(one):
            used = {place for entry in written.atoms(Indexed) for place in entry.indices}
            for name in (None, *others):
                names = {} if name is None else dict.fromkeys(used, name)
                shown = substitute(written, names)
                found.setdefault(canonical(shown), shown)
    return found


def _sums(expr: Expr) -> Iterable[Expr]:
    for one in occurrences(expr, Add):
        yield one
        for part in one.args:
            yield from _sums(part)


def worded(expr: Expr, known: Words) -> Expr:
    """The expression in these words; as it is where normal forms do not find the two equal."""
    shown = _worded(expr, known)
    same = normal_form(canonical(shown)) == normal_form(canonical(expr))
    return shown if same else expr


def quotient_in_words(expr: Expr, known: Words) -> Expr:
    """A canonical number in these words, as one fraction: −1/(p − 1) ⇒ 1/(1 − p)."""
    above, below = (_signed(_split(one, known), known) for one in fraction(expr))
    shown = quotient(above[1], below[1])
    return shown if above[0] == below[0] else Mul(S.NegativeOne, shown, evaluate=False)


def _split(expr: Expr, known: Words) -> Expr:
    """A product, where each sum in it is one that an author wrote, or its negative."""
    split = factor(expr)
    sums = [one for one in (part.as_base_exp()[0] for part in Mul.make_args(split)) if one.is_Add]
    return split if all(one in known or -one in known for one in sums) else expr


def _signed(expr: Expr, known: Words) -> tuple[bool, Expr]:
    """Whether a minus is better drawn out of a sum in words, and the sum without it."""
    negative, shown = split_sign(worded(expr, known))
    number = expr.as_coeff_Add()[0]
    below = number.is_negative or (number == 0 and expr.could_extract_minus_sign())
    if isinstance(expr, Add) and not negative and expr not in known and below:
        return True, worded(-expr, known)
    return negative, shown


def _worded(expr: Expr, known: Words) -> Expr:
    number, rest = _numbered(expr, known)
    return _product(number, rest)


def _numbered(expr: Expr, known: Words) -> tuple[Rational, list[Expr]]:
    """A rational number and factors in words, which together make the expression."""
    if expr.is_Rational:
        return expr, []
    if isinstance(expr, Add):
        return _sum(expr, known)
    if isinstance(expr, Mul):
        pairs = [_numbered(part, known) for part in expr.args]
        numbers = [one for one, _ in pairs]
        return Mul(*numbers), [factor for _, factors in pairs for factor in factors]
    if isinstance(expr, Sigma):
        number, factors = _numbered(expr.body, known)
        return number, [Sigma(_product(S.One, factors), expr.args[1])]
    if isinstance(expr, Pow):
        return S.One, [Pow(_worded(expr.base, known), expr.exp, evaluate=False)]
    return S.One, [expr]


def _sum(expr: Add, known: Words) -> tuple[Rational, list[Expr]]:
    """A multiple of a sum that the author wrote, or the terms in words."""
    content, _ = expr.as_content_primitive()
    for number in (S.One, S.NegativeOne, content, -content):
        wanted = Add(*(term / number for term in expr.args))
        if wanted in known:
            return number, [known[wanted]]
    return S.One, [Add(*(_worded(term, known) for term in expr.args), evaluate=False)]


def _product(number: Rational, factors: list[Expr]) -> Expr:
    """A number over what divides, then letters, gradients, elements, sums of terms, sums."""
    below = [
        factor
        for factor in factors
        if isinstance(factor, Pow) and factor.exp.is_Rational and factor.exp.is_negative
    ]
    above = sorted((one for one in factors if one not in below), key=_rank)
    size = abs(number)
    under = [S(size.q)] * (size.q != 1) + [_turned(one) for one in below]
    parts = [S(size.p)] * (size.p != 1 or not (above or under))
    if under:
        bottom = under[0] if len(under) == 1 else Mul(*under, evaluate=False)
        over = Pow(bottom, -1, evaluate=False)
        parts = [Mul(*parts, over, evaluate=False) if parts else over]
    parts += above
    made = parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)
    return Mul(S.NegativeOne, made, evaluate=False) if number < 0 else made


def _turned(factor: Expr) -> Expr:
    """1/s² ⇒ s²."""
    return factor.base if factor.exp == -1 else Pow(factor.base, -factor.exp, evaluate=False)


def _rank(factor: Expr) -> tuple[int, str]:
    for place, kind in enumerate((Gradient, Indexed, Add, Sigma), start=1):
        if isinstance(factor, kind):
            return place, ""
    return 0, str(factor)
