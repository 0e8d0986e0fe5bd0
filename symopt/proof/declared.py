"""Two layers, losses, schedules or penalties: one output for every input, or the first unlike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Basic, Expr

from symopt.declaration import Declaration, Layer, TensorLayer
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.errors import UsageError
from symopt.printing.unicode import unicode
from symopt.proof.arrays import arrays, check_losses, on_array, told_apart, unlike_groups
from symopt.proof.batches import FEW, after_training, followed, found_relation
from symopt.proof.claims import Asked, Claim, places
from symopt.proof.clock import now
from symopt.proof.matching import Letters, Matched, in_letters_of, matchings
from symopt.proof.outcomes import PROVED, REFUTED, UNDECIDED
from symopt.proof.outputs import both
from symopt.proof.proving import Attempt
from symopt.proof.reading import readable
from symopt.proof.search import Count
from symopt.proof.tensors import unfolded_tensors
from symopt.proof.verdict import Verdict
from symopt.views import canonical

# of the time, how much may go by before letters are matched
_MATCHING = 0.3


@dataclass
class DeclaredSearch:
    """The question about two declarations of one kind on its way to an answer."""

    left: Declaration
    right: Declaration
    assumptions: tuple[Basic, ...]
    relation: Mapping[Any, Any] | None
    attempt: Attempt = field(default_factory=Attempt)
    count: Count = field(default_factory=Count)

    def prepare(self) -> None:
        """What may be wrong with the question is said before anything is tried."""
        if self.left.kind != self.right.kind:
            raise UsageError(
                f"{self.left.name} is {self.left.a_kind} and {self.right.name} "
                f"{self.right.a_kind}; two of one kind are compared"
            )
        if isinstance(self.left, TensorLayer) and isinstance(self.right, TensorLayer):
            self._prepare_tensors(self.left, self.right)
            return
        self.one, other = both(self.left, self.right)
        self.unlike_groups = unlike_groups(self.one, other)
        if self.unlike_groups:
            self.one, other = told_apart(self.one, other)
        self.several = tuple(matchings(self.one, other, self.relation))
        check_losses(self.left, self.right)
        self._choose(self.several[0])

    def _prepare_tensors(self, left: TensorLayer, right: TensorLayer) -> None:
        if self.relation is not None:
            raise UsageError(
                f"no relation is taken between {left.name} and {right.name}; their arrays are "
                "matched by name, else by trying"
            )
        self.one, self.several = unfolded_tensors(left, right)
        self.unlike_groups = False
        self._choose(self.several[0])

    def _choose(self, matched: Matched) -> None:
        self.matched, self.other = matched, matched.other
        letters = (Letters(self.one), Letters(self.other))
        stated = [in_letters_of(each, letters) for each in self.assumptions]
        known = (*matched.ranges, *places((self.one, self.other)))
        self.asked = Asked(known, tuple(stated), self.one.draws, self.attempt)

    def decided(self, until: float) -> Verdict:
        """The verdict."""
        if self.unlike_groups:
            return self._on_arrays(until)
        self._match(until)
        if self._drawn_otherwise():
            return self.undecided()
        what = "outputs" if self.left.kind.endswith("layer") else "values"
        found = self._verdict(Claim(what, self.one.output, self.other.output), until)
        if found.status != PROVED or (self.one.later is None and self.other.later is None):
            return self._together([found]) if found.proved else found
        for claim in followed(self.one, self.other):
            unlike = self.asked.unlike(claim, until, FEW)
            if unlike is not None:
                return self._named(unlike, claim)
        verdicts = [found]
        relation = found_relation(self.one, self.other, self.asked, until)
        if relation is None:
            return self.undecided()
        for claim in after_training(self.one, self.other, relation):
            found = self._verdict(claim, until)
            if not found.proved:
                self.attempt.tried[f"induction, of which {claim.role} was not proved"] = None
                return self.undecided()
            verdicts.append(found)
        return self._together(verdicts)

    def _on_arrays(self, until: float) -> Verdict:
        """The smallest array on which layers with unlike groups differ."""
        layers = [one for one in (self.left, self.right) if isinstance(one, Layer)]
        asked = replace(self.asked, known=self.matched.ranges)
        for array in arrays(tuple(layers)):
            for place in array.elements:
                sides = [
                    on_array(each, layer.axes, array, place)
                    for each, layer in zip((self.one, self.other), layers, strict=True)
                ]
                claim = Claim(("outputs ", self.one.letter.base[place]), sides[0], sides[1])
                found = asked.unlike(claim, until)
                if found is not None:
                    point = (*array.sizes.items(), *found.point)
                    return self._named(replace(found, point=point), claim)
        self.attempt.tried["small arrays, which the two group in unlike ways, and agree on"] = None
        return self.undecided()

    def _match(self, until: float) -> None:
        """Of the ways to match letters that names leave open the first that agrees at points.

        Else the one that agrees at most of them, which is then refuted as all others were.
        """
        end = now() + _MATCHING * (until - now())
        nearest = self.several[0], -1
        for each in self.several if len(self.several) > 1 else ():
            self._choose(each)
            claims = [Claim("", self.one.output, self.other.output)]
            claims += followed(self.one, self.other) if self.one.running else ()
            agreed = 0
            for claim in claims:
                unlike = self.asked.unlike(claim, end, FEW)
                agreed += self.asked.count.agreed
                if unlike is not None:
                    break
            else:
                return
            if agreed > nearest[1]:
                nearest = each, agreed
        self._choose(nearest[0])

    def _drawn_otherwise(self) -> bool:
        """Whether a random letter has another distribution in each of the two."""
        for letter, law in self.one.draws.items():
            other = self.other.draws.get(letter, law)
            if canonical(other) != canonical(law):
                self.attempt.tried[
                    f"drawing {unicode(letter)}, which the two do with unlike chances"
                ] = None
                return True
        return False

    def _verdict(self, claim: Claim, until: float) -> Verdict:
        found = self.asked.decided(claim, until)
        self.count = self.asked.count
        return self._named(found, claim)

    def _named(self, found: Verdict, claim: Claim) -> Verdict:
        named = replace(found, left=self.left, right=self.right)
        if found.status != REFUTED:
            return named
        return replace(named, what=(*_words(claim.what), *self._alone()))

    def _alone(self) -> tuple[str, ...]:
        joined = [f"{unicode(one)} = {unicode(image)}" for one, image in self.matched.joined]
        alone = " and ".join(map(unicode, self.matched.alone))
        words = [f"with {' and '.join(joined)}"] * bool(joined)
        words += [f"where only one of the two knows {alone}"] * bool(alone)
        return tuple(f", {one}" for one in words)

    def _together(self, verdicts: list[Verdict]) -> Verdict:
        """One proof of all that was asked."""
        first = verdicts[0]
        lines = [line for one in verdicts for line in (one.derivation or _NONE).lines]
        names = [self.left.name, self.right.name]
        title = f"{names[0]} = {names[1]}, for every input"
        conditions: dict[Reason, None] = {
            (letter, " = ", image): None for letter, image in self.matched.joined
        }
        conditions |= dict.fromkeys(each for one in verdicts for each in one.conditions)
        return replace(
            first,
            derivation=Derivation(".".join(names), title, (*self._unfolded(), *lines)),
            conditions=tuple(conditions),
        )

    def _unfolded(self) -> Iterator[Line]:
        """What each of the two computes, and which letters were taken for one."""
        for letter, image in self.matched.joined:
            yield Line(letter, image, f"a letter of {self.right.name} with another name, found")
        for one in (self.one, self.other):
            yield Line(one.letter, readable(one.output), f"{one.declared.name}, unfolded")

    def undecided(self) -> Verdict:
        """What was tried, where no answer was found."""
        return Verdict(
            *(self.left, self.right, UNDECIDED),
            agreed=self.count.agreed,
            how=self.count.how,
            tried=tuple(self.attempt.tried) or ("comparing values at points",),
        )


_NONE = Derivation("", "", ())


def _words(what: Reason) -> tuple[str | Expr, ...]:
    return (what,) if isinstance(what, str) else what
