"""A layer with random letters as an ensemble: one network for each drawing, all with one output.

What follows the layer is taken to be linear, u = Σ w_i y_i + b. Then the mean of u over all
drawings is what u is at inference, wherever the mean of y is what y is at inference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Add, Expr, Indexed, Mul, Pow, S, factor

from symopt.calculus.normal_form import normal_form
from symopt.declaration import Layer
from symopt.derivation.drawn import Draws, draws, entries_drawn
from symopt.derivation.enumeration import enumerated
from symopt.derivation.expectations import mean_lines, variance_of
from symopt.derivation.forward import forward
from symopt.derivation.inference import at_inference
from symopt.derivation.letters import composed, key_of, taken, unused
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.wording import quotient_in_words, sums_in
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Sigma, Variance
from symopt.notation import count, given, parameter, statistic
from symopt.views import canonical


def ensemble(layer: Layer) -> Derivation | None:
    """That the mean over all drawings is inference, for an output and for what is linear in it.

    None where nothing is drawn, or where the mean of the output does not follow, or is not what
    the output is at inference.
    """
    drawn, later = draws(layer), at_inference(layer)
    if not drawn or not later:
        return None
    training = forward(layer)
    output = training[-1].letter
    trained, after = (
        composed((one.letter, one.written) for one in several)[key_of(output)][1]
        for several in (training, later)
    )
    try:
        means = mean_lines(output, trained, drawn)
    except DerivationError:
        return None
    if normal_form(canonical(means[-1].right)) != normal_form(canonical(after)):
        return None
    ids = [", ".join(one.id for one in reversed(several)) for several in (training, later)]
    check = enumerated(trained, after, drawn)
    names = taken((*training, *later))
    found = _Linear(output, trained, after, drawn, _letters(output, training[-1].size, names))
    lines = (
        Line(output, trained, ids[0]),
        *means,
        Line(Expectation(output), after, ("which is ", output, f" at inference, {ids[1]}"), check),
        *found.mean(),
        *found.variance(),
    )
    title = f"ensemble of {layer.title}: the mean of a linear network over all drawings"
    return Derivation(layer.name, title, lines)


@dataclass(frozen=True)
class _Letters:
    """The letters of u = Σ w_i y_i + b, the sum over ``over``."""

    u: Expr
    w: Indexed
    b: Expr
    over: Any

    def linear(self, entry: Expr) -> Expr:
        """Σ w_i·entry + b."""
        body = Mul(self.w, entry, evaluate=False)
        return Add(Sigma(body, self.over), self.b, evaluate=False)


def _letters(output: Indexed, size: Expr | None, names: frozenset[str]) -> _Letters:
    (index,) = output.indices
    n = count(unused("n", names)) if str(size) not in names else size
    u, b = statistic(unused("u", names)), parameter(unused("b", names))
    return _Letters(u, given(unused("w", names))[index], b, (index, S.One, n))


@dataclass(frozen=True)
class _Linear:
    """A linear map of an output as it is drawn, and as it is at inference."""

    output: Indexed
    trained: Expr
    later: Expr
    drawn: Draws
    letters: _Letters

    def mean(self) -> tuple[Line, ...]:
        """E[u] is what u is at inference."""
        one = self.letters
        drawn, later = one.linear(self.trained), one.linear(self.later)
        return (
            Line(one.u, one.linear(self.output), "what follows, linear"),
            Line(
                Expectation(one.u),
                one.linear(Expectation(self.output)),
                ("E is linear, ", one.w, " and ", one.b, " are fixed"),
            ),
            Line(
                Expectation(one.u),
                later,
                ("put in, which is ", one.u, " at inference"),
                enumerated(drawn, later, self.drawn),
            ),
        )

    def variance(self) -> tuple[Line, ...]:
        """How far single drawings are from it, where each element is drawn by itself."""
        one, entries = self.letters, entries_drawn(self.trained, self.drawn)
        if any(entry.indices != self.output.indices for entry in entries):
            return ()
        try:
            spread = factor(variance_of(self.trained, self.drawn))
        except DerivationError:
            return ()
        parts = Mul.make_args(spread)
        number = Mul(*(part for part in parts if not part.has(Indexed)))
        moving = Mul(*(part for part in parts if part.has(Indexed)))
        exprs = (self.trained, *(part for dist in self.drawn.values() for part in dist.args))
        shown = quotient_in_words(number, sums_in(exprs))
        total = _times(shown, Sigma(Mul(Pow(one.w, 2), moving), one.over))
        off = Pow(Add(one.linear(self.trained), Mul(-1, one.linear(self.later))), 2)
        square = Expectation(Pow(self.output, 2, evaluate=False))
        mean = Pow(Expectation(self.output), 2, evaluate=False)
        return (
            Line(
                Variance(self.output),
                Add(square, Mul(S.NegativeOne, mean, evaluate=False), evaluate=False),
                "the mean square distance from the mean",
            ),
            Line(Variance(self.output), _times(shown, moving), "put in"),
            Line(
                Variance(one.u),
                total,
                "elements are independent",
                enumerated(off, total, self.drawn),
            ),
        )


def _times(number: Expr, rest: Expr) -> Expr:
    return rest if number == 1 else Mul(number, rest, evaluate=False)
