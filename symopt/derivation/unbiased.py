"""Numbers asked of expectations: the scale with which an output has the mean of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from sympy import Expr, Indexed, S, cancel, expand, fraction

from symopt.calculus.rules import simplified
from symopt.declaration import Equation, Inference, Layer, Statement, Unbias, Value
from symopt.derivation.drawn import Draws, draws
from symopt.derivation.enumeration import enumerated
from symopt.derivation.expectations import mean_lines, with_means
from symopt.derivation.letters import Images, composed, key_of, put_in
from symopt.derivation.nonzero import never_zero
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.derivation.wording import quotient_in_words, sums_in
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Sigma
from symopt.notation import Hyperparameter, Unknown
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences, split_sign, substitute


@dataclass(frozen=True)
class Scale:
    """A number that was asked for, its value as a reader would write it, and how it follows."""

    letter: Unknown
    value: Expr
    derivation: Derivation


@cache
def scales(layer: Layer) -> tuple[Scale, ...]:
    """The numbers that a layer asks for, in its order; each may depend on those before it.

    Raises
    ------
    DerivationError
        If no number satisfies what is asked, or more than one might; if the means that it is
        asked of do not follow from what is drawn.
    """
    found: dict[Expr, Scale] = {}
    for statement in layer.statements:
        if isinstance(statement.content, Unbias):
            known = {letter: one.value for letter, one in found.items()}
            one = _Request(layer, layer.id_of(statement.key), statement.content, known).answer()
            found[one.letter] = one
    return tuple(found.values())


def answered(layer: Layer) -> Layer:
    """The layer with the numbers that it asks for put into its equations."""
    values = {one.letter: one.value for one in scales(layer)}

    def put(one: Equation) -> Equation:
        return replace(one, right=substitute(one.right, values))

    def changed(one: Statement) -> Statement:
        match one.meant.content:
            case Equation() as stated:
                return replace(one, content=put(stated))
            case Inference(shown):
                return replace(one, content=Inference(put(shown)))
        return one

    return replace(layer, statements=tuple(map(changed, layer.statements))) if values else layer


def with_scales(layer: Layer) -> Layer:
    """The layer as it is shown: in place of each request the number that follows."""
    found = {one.letter: Value(Equation(one.letter, one.value)) for one in scales(layer)}

    def changed(one: Statement) -> Statement:
        content = one.content
        return replace(one, content=found[content.letter]) if isinstance(content, Unbias) else one

    return replace(layer, statements=tuple(map(changed, layer.statements)))


class _Request:
    """One request, the equations of its layer with the numbers that are known already put in."""

    def __init__(self, layer: Layer, where: str, asked: Unbias, known: Mapping[Expr, Expr]) -> None:
        self.layer, self.where, self.letter = layer, where, asked.letter
        self.left = substitute(asked.shown.left, known)
        self.right = substitute(asked.shown.right, known)
        self.draws: Draws = draws(layer)
        equations = [(id, one.left, substitute(one.right, known)) for id, one in layer.equations]
        self.images: Images = composed((left, right) for _, left, right in equations)
        self.ids = {key_of(left): id for id, left, _ in equations}
        self.words = sums_in(
            [
                *(right for _, _, right in equations),
                *(part for one in self.draws.values() for part in one.args),
            ]
        )

    def answer(self) -> Scale:
        """The number, and the lines that lead to it."""
        value = quotient_in_words(self._solution(), self.words)
        lines = [line for one in self._means() for line in self._lines(one)]
        reason: Reason = ("so that ", self.left, " = ", self.right)
        lines.append(Line(self.letter, value, reason, self._checked(value)))
        title = (self.letter, f" from {self.where}")
        return Scale(self.letter, value, Derivation(self.layer.name, title, tuple(lines)))

    def _means(self) -> dict[Expectation, None]:
        sides = (self.left, self.right)
        return dict.fromkeys(one for side in sides for one in occurrences(side, Expectation))

    def _lines(self, mean: Expectation) -> tuple[Line, ...]:
        """What is averaged in terms of what is drawn, and its mean."""
        name = mean.args[0]
        whole = put_in(name, self.images)
        read = dict.fromkeys(self.ids[key_of(x)] for x in _letters(name) if key_of(x) in self.ids)
        first = (Line(name, whole, ", ".join(read)),) if whole != name else ()
        return (*first, *mean_lines(name, whole, self.draws))

    def _solution(self) -> Expr:
        wanted = f"{self.where} asks for {unicode(self.letter)}"
        shown = f"{unicode(self.left)} = {unicode(self.right)}"
        sides = (put_in(one, self.images) for one in (self.left, self.right))
        try:
            left, right = (with_means(one, self.draws) for one in sides)
        except DerivationError as why:
            raise DerivationError(f"{wanted}, but {why}") from None
        gap = expand(simplified(canonical(left - right)))
        slope = simplified(gap.diff(self.letter))
        if slope == 0:
            raise DerivationError(
                f"{wanted}, on which {shown} does not depend; let the equations of its left side "
                f"read {unicode(self.letter)}"
            )
        if slope.has(self.letter):
            raise DerivationError(
                f"{wanted}, in which {shown} is not linear; let {unicode(self.letter)} enter as a "
                "factor"
            )
        solution = cancel(-simplified(gap.xreplace({self.letter: S.Zero})) / slope)
        for other in sorted(_no_numbers(solution), key=str):
            raise DerivationError(
                f"{wanted}, but with {shown} it would be "
                f"{unicode(quotient_in_words(solution, self.words))}, which depends on "
                f"{unicode(other)}; ask for what one number can give"
            )
        _, divisor = split_sign(quotient_in_words(fraction(solution)[1], self.words))
        if not never_zero(divisor):
            names = " and ".join(map(unicode, sorted(divisor.atoms(Hyperparameter), key=str)))
            raise DerivationError(
                f"{wanted}, which divides by {unicode(divisor)}, and that may be 0; narrow the "
                f"range of {names}"
            )
        return solution

    def _checked(self, value: Expr) -> Reason:
        """That both sides agree with the number put in, over all that may be drawn."""
        sides = (put_in(one, self.images) for one in (self.left, self.right))
        left, right = (substitute(one, {self.letter: value}) for one in sides)
        if isinstance(left, Expectation) and not right.has(Expectation):
            return enumerated(left.args[0], right, self.draws)
        return ""


def _letters(expr: Expr) -> tuple[Expr, ...]:
    return (*occurrences(expr, Indexed), *sorted(expr.atoms(Unknown), key=str))


def _no_numbers(expr: Expr) -> set[Expr]:
    """What in a number depends on data, or is no number that is known beforehand."""
    data = expr.atoms(Indexed, Sigma)
    return data or {one for one in expr.free_symbols if not isinstance(one, Hyperparameter)}
