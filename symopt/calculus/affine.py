"""Whole numbers that are affine in indices, such as s·(p − 1) + i − r: slopes, solutions, ends."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Min, Mul, Pow, S, expand, floor

from symopt.errors import DerivationError
from symopt.notation import Index
from symopt.printing.unicode import unicode
from symopt.views import canonical


def slope(place: Expr, index: Index) -> Expr:
    """By how much a place grows with an index.

    >>> from symopt.notation import index
    >>> p = index("p")
    >>> slope(3 * (p - 1), p)
    3

    Raises
    ------
    DerivationError
        If that depends on an index.
    """
    found: Expr = expand(canonical(place)).diff(index)
    if found.atoms(Index):
        raise DerivationError(
            f"{unicode(place)} grows with {unicode(index)} by {unicode(found)}, which depends on "
            "an index; let a place be a sum of multiples of indices"
        )
    return found


def solved(one: Expr, other: Expr, index: Index) -> Expr | None:
    """The index from ``one = other``, where it grows by 1 or −1 with it; else nothing.

    >>> from symopt.notation import index
    >>> p, i, h = index("p"), index("i"), index("h")
    >>> solved(2 * p + i - 1, h, i)
    h - 2*p + 1
    """
    gap = canonical(one) - canonical(other)
    grows = slope(gap, index)
    if abs(grows) != 1:
        return None
    return expand(gap - grows * index) / -grows


def extremes(place: Expr, ranges: Mapping[Index, Expr]) -> tuple[Expr, Expr]:
    """The least and the largest value, each index from 1 up to its last.

    Indices without a range are left as they are.

    >>> from symopt.notation import index
    >>> p, i = index("p"), index("i")
    >>> extremes(2 * p - i, {p: S(3), i: S(4)})
    (-2, 5)

    Raises
    ------
    DerivationError
        If it is not known whether the place grows or falls with an index.
    """
    low = high = expand(canonical(place))
    for index, last in ranges.items():
        if not low.has(index):
            continue
        grows = slope(place, index)
        if grows.is_positive:
            first_of, last_of = (S.One, last)
        elif grows.is_negative:
            first_of, last_of = (last, S.One)
        else:
            raise DerivationError(
                f"it is not known whether {unicode(place)} grows or falls with {unicode(index)}; "
                "let what it is multiplied by be in Naturals, or minus that"
            )
        low, high = low.xreplace({index: first_of}), high.xreplace({index: last_of})
    return expand(low), expand(high)


def last_place(room: Expr, grows: Expr) -> Expr:
    """The largest whole p with ``grows``·p ≤ ``room``, as a reader would write it.

    What is a multiple of the slope stands outside of the floor.

    >>> from symopt.notation import count
    >>> print(unicode(last_place(count("H") - count("A") + 2, S(2))))
    ⌊(H − A)/2⌋ + 1
    """
    inside, outside = S.Zero, S.Zero
    for term in Add.make_args(expand(room)):
        share = term / grows
        whole = share.is_integer and not (share.free_symbols - term.free_symbols)
        inside, outside = (inside, outside + share) if whole else (inside + term, outside)
    if grows == 1 or inside == 0:
        return _in_order(inside + outside)
    quotient = floor(Mul(_in_order(inside), Pow(grows, -1), evaluate=False), evaluate=False)
    if outside == 0:
        return quotient
    return Add(quotient, *_terms_in_order(outside), evaluate=False)


def smallest(several: list[Expr]) -> Expr:
    """The smallest of some numbers, those left out that are no smaller than another one."""
    found: list[Expr] = []
    for one in dict.fromkeys(several):
        if not any(canonical(one - other).is_nonnegative for other in found):
            found = [other for other in found if not canonical(other - one).is_nonnegative]
            found.append(one)
    return found[0] if len(found) == 1 else Min(*found, evaluate=False)


def _in_order(expr: Expr) -> Expr:
    parts = _terms_in_order(expr)
    return parts[0] if len(parts) == 1 else Add(*parts, evaluate=False)


def _terms_in_order(expr: Expr) -> list[Expr]:
    """Letters before their multiples before numbers, what is subtracted after what is added."""

    def rank(term: Expr) -> tuple[bool, bool, bool, str]:
        number, rest = term.as_coeff_Mul()
        return bool(term.is_number), bool(number < 0), abs(number) != 1, str(rest)

    return sorted(Add.make_args(expr), key=rank)
