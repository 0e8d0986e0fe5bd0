"""A layer with random letters before a linear model: what these add to its squared error.

E[(u − z)²] = (E[u] − z)² + Var[u], and the variance is a sum of w_i²·Var[y_i]: a penalty on w.
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, Pow, S, factor

from symopt.declaration import NoiseAsPenalty
from symopt.derivation.drawn import draws, entries_drawn
from symopt.derivation.enumeration import enumerated
from symopt.derivation.expectations import expected, variance_of
from symopt.derivation.forward import forward
from symopt.derivation.letters import composed, key_of, taken, unused
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.wording import quotient_in_words, sums_in
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Sigma, Variance
from symopt.notation import count, given, statistic
from symopt.views import canonical


def derive_noise_as_penalty(asked: NoiseAsPenalty) -> tuple[Derivation, ...]:
    """The mean of the squared error over all drawings, and the penalty that is in it.

    Raises
    ------
    DerivationError
        If nothing is drawn, or not one letter by itself for each element.
    """
    layer = asked.layer
    drawn, training = draws(layer), forward(layer)
    output = training[-1].letter
    trained = composed((one.letter, one.written) for one in training)[key_of(output)][1]
    entries = entries_drawn(trained, drawn)
    if not entries or any(one.indices != output.indices for one in entries):
        raise DerivationError(
            f"{asked.layer.name} draws no letter for each element of its output; ask about a layer "
            "that does, such as dropout"
        )
    names = taken(training)
    (place,) = output.indices
    w = given(unused("w", names))[place]
    u, z = (statistic(unused(one, names)) for one in "uz")
    over = (place, S.One, count(unused("n", names)))
    mean, spread = expected(trained, drawn), factor(variance_of(trained, drawn))
    number, moving = _apart(spread)
    exprs = (trained, *(part for one in drawn.values() for part in one.args))
    shown = quotient_in_words(number, sums_in(exprs))
    model = Sigma(Mul(w, output, evaluate=False), over)
    middle = Sigma(Mul(w, mean, evaluate=False), over)
    penalty = Mul(shown, Sigma(Mul(Pow(w, 2), moving, evaluate=False), over), evaluate=False)
    error = Pow(Add(u, -z, evaluate=False), 2, evaluate=False)
    at_mean = Pow(Add(middle, -z, evaluate=False), 2, evaluate=False)
    apart = Pow(Add(Expectation(u), -z, evaluate=False), 2, evaluate=False)
    whole = Add(at_mean, penalty, evaluate=False)
    written = Pow(Add(Sigma(Mul(w, trained, evaluate=False), over), -z), 2)
    lines = (
        Line(output, trained, ", ".join(one.id for one in reversed(training))),
        Line(u, model, "a linear model of it"),
        Line(
            Expectation(error),
            Add(apart, Variance(u), evaluate=False),
            ("u − E[u] has the mean 0: squared error over all drawings, ", z, " the target"),
        ),
        Line(Expectation(u), middle, "E is linear"),
        Line(Variance(output), Mul(shown, moving, evaluate=False), "of a single element"),
        Line(Variance(u), penalty, "elements are independent"),
        Line(
            Expectation(error),
            whole,
            ("put in: the error without noise, and a penalty on ", w, "², weighted by the input"),
            enumerated(written, canonical(whole), drawn),
        ),
    )
    title = f"{asked.layer.title} before a linear model: what it adds to the squared error"
    return (Derivation(asked.layer.name, title, lines),)


def _apart(expr: Expr) -> tuple[Expr, Expr]:
    """The factors that hold no entry, and those that do."""
    parts = Mul.make_args(expr)
    number = Mul(*(one for one in parts if not one.is_Indexed and not _entry(one)))
    return number, Mul(*(one for one in parts if _entry(one)))


def _entry(expr: Expr) -> bool:
    return bool(expr.as_base_exp()[0].is_Indexed)
