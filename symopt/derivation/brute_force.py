"""Minima compared with what they are said to be, in exact fractions."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Integer, Rational, Symbol, oo, simplify

from symopt.derivation.samples import exact_values
from symopt.notation import Hyperparameter
from symopt.symbols import kappa
from symopt.views import canonical

_WEIGHTS = (Rational(1, 3), Integer(2))
# how far beyond the last end of a case is looked, and how finely
_REACH = 3
_PARTS = 40


def check_minima(
    r: Expr, z: Symbol, u: Symbol, cases: Sequence[tuple[Expr, Expr]], forms: Sequence[Expr]
) -> str:
    """How all forms were found to give the minimum over z of ½(z − u)² + κ r(z); a mistake is ours.

    At the ends of each case and within it, for two weights κ, what is made small is compared with
    its values at other places, r taken as it stands and not in pieces.
    """
    values = exact_values(r.atoms(Hyperparameter))
    known = canonical(r).subs(values)
    for weight in _WEIGHTS:
        numbers = {**values, kappa: weight}
        places = _places([[end.subs(numbers) for end in case] for case in cases])
        reach = max(abs(one) for one in places) + _REACH
        others = [reach * Rational(k, _PARTS) for k in range(-_PARTS, _PARTS + 1)]
        penalties = {one: weight * known.subs(z, one) for one in others}
        formulas = [canonical(one).subs(numbers) for one in forms]
        for place in places:
            best, *same = (one.subs(u, place) for one in formulas)
            assert all(simplify(one - best) == 0 for one in same), f"{forms} differ at {place}"
            least = (best - place) ** 2 / 2 + weight * known.subs(z, best)
            assert all(
                (one - place) ** 2 / 2 + added >= least for one, added in penalties.items()
            ), f"{r} is not smallest at {best} for {place}"
    return f"checked against {2 * _PARTS + 1} other places, exact"


def _places(cases: list[list[Expr]]) -> list[Rational]:
    """The ends of each case and a place within it."""
    found = [Integer(0)]
    for low, high in cases:
        first = low if low != -oo else (high - 1 if high != oo else -Integer(1))
        last = high if high != oo else first + 1
        found += [first, (first + last) / 2, last]
    return list(dict.fromkeys(found))
