"""Where a quadratic is smallest once a penalty is added: its minimum, moved towards zero."""

from __future__ import annotations

from sympy import Add, Expr, Interval, Mul, Pow, Rational, S, Symbol, oo

from symopt.declaration import Shrinkage
from symopt.derivation.penalty import by_component, derive_penalty
from symopt.derivation.proximal import derive_proximal
from symopt.derivation.steps import Derivation, Line
from symopt.nodes import Argmin, Proximal
from symopt.notation import Hyperparameter, function, hyperparameter
from symopt.symbols import kappa, lambda_
from symopt.views import canonical, substitute

_bend = hyperparameter("h", Interval.open(0, oo))
_goal = hyperparameter("theta_star", latex=r"\theta^*", unicode="θ*")
_PARTS = 60


def derive_shrinkage(asked: Shrinkage) -> tuple[Derivation, ...]:
    """The minimum of h/2·(z − θ*)² + λ·r(z) for one component, from the proximal step.

    Raises
    ------
    DerivationError
        If the penalty has no proximal step in closed form.
    """
    penalty = derive_penalty(asked.penalty)
    step = derive_proximal(penalty)
    z, r = Symbol("z", real=True), function("r")
    apart = Pow(Add(z, -_goal, evaluate=False), 2, evaluate=False)
    half = Mul(_bend, Pow(2, -1, evaluate=False), apart, evaluate=False)
    whole = Add(half, Mul(lambda_, r(z), evaluate=False), evaluate=False)
    ratio = Mul(lambda_, Pow(_bend, -1, evaluate=False), evaluate=False)
    scaled = Add(
        Mul(S.Half, apart, evaluate=False), Mul(ratio, r(z), evaluate=False), evaluate=False
    )
    least = Argmin(whole, z)
    shown = substitute(step.value, {kappa: ratio, step.at: _goal})
    plain, _ = by_component(penalty)
    check = _check(plain, penalty.entry, canonical(shown))
    proximal = Proximal(ratio, asked.penalty.equations[0][1].left, _goal)
    lines = (
        Line(least, Argmin(scaled, z), f"divided by {_bend}, which is above 0"),
        Line(least, proximal, "by definition"),
        Line(least, shown, (f"{asked.penalty.name}'s proximal step, ", kappa, " = ", ratio), check),
    )
    title = ("a quadratic with its minimum at ", _goal, f", and {asked.penalty.title} beside it")
    return (*(step.derivation,), Derivation(asked.penalty.name, title, lines))


def _check(plain: Expr, entry: Expr, value: Expr) -> str:
    """Values of what is made small at many places, in fractions."""
    letters = plain.atoms(Hyperparameter) - {lambda_, _bend}
    held = dict.fromkeys(letters, Rational(2, 3))
    for bend, weight in ((Rational(3), Rational(1, 2)), (Rational(1, 2), Rational(2))):
        for goal in (Rational(-7), Rational(-1, 9), Rational(0), Rational(1, 3), Rational(5)):
            known = {_bend: bend, lambda_: weight, _goal: goal, **held}
            best = value.subs(known)

            def size(place: Expr, known: dict[Expr, Expr] = known) -> Expr:
                whole = _bend / 2 * (place - _goal) ** 2 + lambda_ * canonical(plain)
                return whole.xreplace({entry: place}).subs(known)

            least = size(best)
            others = (goal * Rational(k, _PARTS) * 2 for k in range(-_PARTS, _PARTS + 1))
            assert all(size(other) >= least for other in (*others, best + 1, best - 1))
    return f"checked against {2 * _PARTS + 3} other places, exact"
