"""Signs that hold for all values that letters may take: 1 − ρ ≥ 0 for ρ in [0, 1]."""

from __future__ import annotations

from sympy import Expr, S, together

from symopt.notation import Hyperparameter


def nonnegative(expr: Expr) -> bool:
    """Whether the expression is known to be at least 0, whatever its hyperparameters are."""
    return _known(expr, strict=False)


def positive(expr: Expr) -> bool:
    """Whether the expression is known to be above 0, whatever its hyperparameters are.

    >>> from sympy import Interval
    >>> from symopt.notation import hyperparameter
    >>> rho, kappa = hyperparameter("rho", Interval(0, 1)), hyperparameter("kappa", Interval(0, 9))
    >>> positive(1 + kappa * (1 - rho)), positive(1 - rho), nonnegative(1 - rho)
    (True, False, True)
    """
    return _known(expr, strict=True)


def _known(expr: Expr, strict: bool) -> bool:
    above, below = together(expr).as_numer_denom()
    if below.free_symbols:
        if _known(-below, strict=True):
            above, below = -above, -below
        elif not _known(below, strict=True):
            return False
    above = above.expand()
    if _assumed(above, strict) or _assumed(above.factor(), strict):
        return True
    letters = sorted(above.free_symbols, key=str)
    if not all(isinstance(one, Hyperparameter) for one in letters):
        return False
    return _on_box(above, tuple(letters), strict)


def _assumed(expr: Expr, strict: bool) -> bool:
    return bool(expr.is_positive if strict else expr.is_nonnegative)


def _on_box(expr: Expr, letters: tuple[Expr, ...], strict: bool) -> bool:
    """The sign of what is affine in each letter by itself, from the ends of the letters' ranges."""
    if not letters:
        return _assumed(expr, strict)
    letter, *others = letters
    rest, slope = tuple(others), expr.diff(letter)
    if slope.has(letter):
        return _assumed(expr, strict)
    domain = letter.domain
    ends = [one for one in (domain.inf, domain.sup) if one.is_finite]
    if not ends:
        return slope == 0 and _on_box(expr.subs(letter, 0), rest, strict)
    values = [(expr.subs(letter, one), domain.contains(one) == S.true) for one in ends]
    # along a range without an end the value may not fall
    outwards = [slope] if domain.sup is S.Infinity else []
    outwards += [-slope] if domain.inf is S.NegativeInfinity else []
    if not all(_on_box(one, rest, False) for one in (*outwards, *(value for value, _ in values))):
        return False
    if not strict:
        return True
    closed = [value for value, belongs in values if belongs]
    if closed:
        return all(_on_box(one, rest, True) for one in closed)
    return any(_on_box(one, rest, True) for one in (*outwards, *(value for value, _ in values)))
