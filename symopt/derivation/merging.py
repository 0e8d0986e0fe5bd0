"""Statistics of a whole from those of two parts: counts, means, and squared deviations.

What several machines need that each hold a part of a batch: a mean and a sum of squared
deviations from it can be put together without looking at the elements again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Basic, Expr, Indexed, Mul, Pow, S, Symbol, factor, fraction

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.calculus.polynomial import Polynomial, atom, expression, factors_replaced, plus, scaled
from symopt.derivation.forward import identities, leaves
from symopt.derivation.layer import Backward
from symopt.derivation.letters import taken, unused
from symopt.derivation.opinions import checked, second_opinion
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.nodes import Sigma
from symopt.notation import count, given, index, statistic
from symopt.views import canonical, rewrite, split_sign

# sizes of two parts at which a second opinion is taken
_SIZES = ((1, 1), (2, 1), (1, 3), (3, 5))


@dataclass(frozen=True)
class Part:
    """Some elements with their count, mean and sum of squared deviations from the mean."""

    element: Indexed
    size: Expr
    mean: Expr
    squares: Expr

    @property
    def limits(self) -> tuple[Expr, Expr, Expr]:
        """The range of the elements."""
        return self.element.indices[0], S.One, self.size

    def deviations(self, centre: Expr) -> Expr:
        """Σ (x_i − c)²."""
        gap = Add(self.element, Mul(S.NegativeOne, centre, evaluate=False), evaluate=False)
        return Sigma(Pow(gap, 2, evaluate=False), self.limits)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """What the mean and the sum of squares are."""
        mean = Sigma(self.element, self.limits) / self.size
        return (
            Definition("", self.mean, mean),
            Definition("", self.squares, canonical(self.deviations(self.mean))),
        )


@dataclass(frozen=True)
class Merging:
    """How a mean and a mean squared deviation of a layer follow from those of two parts.

    ``whole_mean`` and ``whole_squares`` are in terms of the parts' letters; the variance is the
    sum of squares over the count.
    """

    mean: Expr
    variance: Expr
    parts: tuple[Part, Part]
    whole_mean: Expr
    whole_squares: Expr
    merge: Merge
    derivation: Derivation


def mergings(backward: Backward) -> tuple[Merging, ...]:
    """A formula for each mean of an input with a mean squared deviation from it in the layer."""
    found = []
    for mean, entry in _means(backward):
        for variance in _variances(backward, mean, entry):
            found.append(_merging(backward, mean, variance, entry))
    return tuple(found)


def _means(backward: Backward) -> list[tuple[Definition, Indexed]]:
    """Statistics that are Σ x_i/m for an input x."""
    size = backward.definitions[-1].size
    return [
        (one, entry)
        for one in backward.definitions
        if one.index is None
        for entry in leaves(backward.definitions)[1]
        if normal_form(one.value) == normal_form(Sigma(entry, (entry.indices[0], 1, size)) / size)
    ]


def _variances(backward: Backward, mean: Definition, entry: Indexed) -> list[Definition]:
    """Statistics that are Σ (x_i − μ)²/m, however they are written."""
    size = backward.definitions[-1].size
    known = Knowledge({}, identities((mean,), {}))
    wanted = Sigma((entry - mean.letter) ** 2, (entry.indices[0], 1, size)) / size
    return [
        one
        for one in backward.definitions
        if one.index is None and normal_form(one.value, known) == normal_form(wanted, known)
    ]


# the derivation


def _merging(backward: Backward, mean: Definition, variance: Definition, entry: Indexed) -> Merging:
    names = taken(backward.definitions)
    parts = _parts(backward.definitions[-1].size, entry, names)
    merge = Merge(parts, mean.letter, Symbol(unused("r", names), positive=True))
    squares = statistic(unused("S", names), nonnegative=True)
    below = Pow(merge.size, -1, evaluate=False)
    added = Add(*(Sigma(part.element, part.limits) for part in parts), evaluate=False)
    stated = Mul(added, below, evaluate=False)
    whole_mean = merge.closed(stated)
    centred = Add(*(part.deviations(mean.letter) for part in parts), evaluate=False)
    own = [merge.closed(part.deviations(mean.letter)) for part in parts]
    apart = Add(*(term for one in own for term in one.args), evaluate=False)
    whole = merge.closed(canonical(centred).xreplace({mean.letter: canonical(whole_mean)}))
    lines = (
        *_what_parts_are(parts),
        Line(mean.letter, stated, f"{mean.id} over both parts"),
        Line(mean.letter, whole_mean, "in the parts' means", merge.check(stated, whole_mean)),
        Line(squares, centred, "the squared deviations of both parts"),
        Line(squares, apart, "each about its own mean", merge.check(centred, apart)),
        Line(squares, whole, (mean.letter, " put in"), merge.check(centred, whole, stated)),
        Line(variance.letter, Mul(squares, below, evaluate=False), variance.id),
    )
    title = (mean.letter, " and ", variance.letter, f" of {backward.layer.title} from two parts")
    derivation = Derivation(backward.layer.name, title, lines)
    return Merging(mean.letter, variance.letter, parts, whole_mean, whole, merge, derivation)


def _parts(size: Expr | None, entry: Indexed, names: frozenset[str]) -> tuple[Part, Part]:
    """x_i with i to m₁ and z_k with k to m₂."""
    other = given(unused("z", names))[index(unused("k", names))]

    def part(number: int, element: Indexed) -> Part:
        m, mu, s = (unused(f"{word}_{number}", names) for word in (str(size), "mu", "S"))
        return Part(element, count(m), statistic(mu), statistic(s, nonnegative=True))

    return part(1, entry), part(2, other)


def _what_parts_are(parts: tuple[Part, Part]) -> list[Line]:
    """The mean and the squared deviations of each part."""
    lines = []
    for part, whose in zip(parts, ("one part", "the other"), strict=True):
        total = Sigma(part.element, part.limits)
        mean = Mul(Pow(part.size, -1, evaluate=False), total, evaluate=False)
        lines.append(Line(part.mean, mean, f"the mean of {whose}"))
        lines.append(Line(part.squares, part.deviations(part.mean), "its squared deviations"))
    return lines


@dataclass(frozen=True)
class Merge:
    """Two parts of a whole whose mean has this letter; r stands for 1/(m₁ + m₂)."""

    parts: tuple[Part, Part]
    mean: Expr
    r: Symbol

    @property
    def size(self) -> Expr:
        """The count of the whole."""
        return Add(*(part.size for part in self.parts), evaluate=False)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """What the letters of the parts are."""
        return tuple(one for part in self.parts for one in part.definitions)

    def normal(self, expr: Expr) -> Polynomial:
        """The normal form in the letters of the parts, with m₂ = 1/r − m₁ outside of sizes."""
        whole = canonical(self.size)

        def change(node: Basic) -> Basic | None:
            inverse = isinstance(node, Pow) and node.base == whole and node.exp.is_Integer
            return self.r ** (-node.exp) if inverse else None

        known = Knowledge({}, identities(self.definitions, {}))
        found = normal_form(canonical(rewrite(canonical(expr), change)), known)
        one, other = (part.size for part in self.parts)
        rest = plus(atom(self.r, S.NegativeOne), scaled(atom(one), S.NegativeOne))
        return factors_replaced(found, other, rest)

    def closed(self, expr: Expr) -> Expr:
        """The normal form as an expression: sums of squares, and what else there is in factors."""
        whole = canonical(self.size)
        value = expression(self.normal(expr), ()).xreplace({self.r: 1 / whole})
        squares = [one.squares for one in self.parts if value.has(one.squares)]
        rest = factor(value - Add(*squares))
        if rest == 0:
            return Add(*squares, evaluate=False)
        return Add(*squares, _written(rest, self.size), evaluate=False)

    def check(self, one: Expr, other: Expr, mean: Expr | None = None) -> Reason:
        """The two are equal for all sizes, where the mean has this value, if it is given."""
        named = {} if mean is None else {self.mean: canonical(mean)}
        left, right = canonical(one).xreplace(named), canonical(other)
        assert self.normal(left) == self.normal(right), f"{one} is not {other}"
        sizes = [dict(zip(self._counts, pair, strict=True)) for pair in _SIZES]
        return checked(self._counts, second_opinion(left, right, self.definitions, sizes))

    @property
    def _counts(self) -> tuple[Expr, Expr]:
        one, other = self.parts
        return one.size, other.size


def _written(expr: Expr, size: Expr) -> Expr:
    """A quotient in factors as a note writes it: m₁·m₂/(m₁ + m₂)·(μ₁ − μ₂)²."""
    above, below = fraction(expr)
    parts = sorted(Mul.make_args(above), key=lambda one: (not one.is_Symbol, str(one)))
    letters = [one for one in parts if one.is_Symbol] or parts
    others = [_positive_first(one) for one in parts if one not in letters]
    if below != 1:
        letters.append(Pow(size if below == canonical(size) else below, -1, evaluate=False))
    made = Mul(*letters, evaluate=False) if len(letters) > 1 else letters[0]
    return Mul(made, *others, evaluate=False) if others else made


def _positive_first(power: Expr) -> Expr:
    """(−μ₂ + μ₁)² ⇒ (μ₁ − μ₂)²."""
    base, exponent = power.as_base_exp()
    terms = sorted(Add.make_args(base), key=lambda one: (split_sign(one)[0], str(one)))
    return Pow(Add(*terms, evaluate=False), exponent, evaluate=False)
