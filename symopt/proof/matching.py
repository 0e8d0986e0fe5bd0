"""Which letter of one declaration is which of another: by name, by a relation, else by trying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, permutations, product
from typing import Any

from sympy import Basic, Expr, Indexed, S, Symbol, sympify

from symopt.derivation.letters import put_in
from symopt.errors import UsageError, nearest
from symopt.notation import Hyperparameter, Index, Label, Parameter, Sequence, primed
from symopt.printing.unicode import unicode
from symopt.proof.assumptions import domains
from symopt.proof.outputs import POSITION, Running, Unfolded
from symopt.proof.readings import readings
from symopt.views import canonical

# choices of which letter is which that are tried
_MOST = 24
_ROLES = {"given": "reads", "learned": "learns", "random": "draws"}


@dataclass(frozen=True)
class Matched:
    """The second declaration in letters of the first.

    ``joined`` says what letters with other names became, ``alone`` are letters that only one of
    the two has; ``ranges`` hold what the second says of its hyperparameters.
    """

    other: Unfolded
    joined: tuple[tuple[Expr, Expr], ...]
    alone: tuple[Basic, ...]
    ranges: tuple[Basic, ...]


class Letters:
    """The letters of a declaration by their Python names, and by kind."""

    def __init__(self, one: Unfolded) -> None:
        self.unfolded = one
        self.kinds: dict[str, dict[str, Basic]] = {kind: {} for kind in ("given", "learned")}
        self.kinds |= {kind: {} for kind in ("random", "labels", "hyperparameters")}
        for expr in one.exprs:
            for base in _sorted(entry.base for entry in expr.atoms(Indexed)):
                self.kinds.get(base.role, {})[base.spelling.python] = base
            for kind, of in _SYMBOLS.items():
                for symbol in _sorted(expr.atoms(of)):
                    self.kinds[kind][symbol.spelling.python] = symbol

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    @property
    def names(self) -> list[str]:
        """All names."""
        return [name for several in self.kinds.values() for name in several]

    def find(self, name: str) -> Basic | None:
        """The letter of that name."""
        states = {one.letter.spelling.python: one.letter for one in self.unfolded.running}
        size = self.unfolded.size
        if size is not None and size.spelling.python == name:
            return size
        return next((k[name] for k in (*self.kinds.values(), states) if name in k), None)


_SYMBOLS: dict[str, Any] = {
    "hyperparameters": Hyperparameter, "labels": Label, "learned": Parameter,
}  # fmt: skip


def _sorted(several: Iterable[Any]) -> list[Any]:
    return sorted(set(several), key=str)


def in_letters_of(expr: Any, several: tuple[Letters, ...], place: Expr | None = None) -> Basic:
    """What a user wrote, each letter that of the declarations that has its name."""

    def known(node: Basic) -> Basic | None:
        if isinstance(node, Indexed):
            base = _first(str(node.base), several)
            return None if base is None else base[node.indices]
        if isinstance(node, Symbol):
            found = _first(node.name, several)
            return found[place] if isinstance(found, Sequence) and place is not None else found
        return None

    return _replaced(sympify(expr), known)


def _first(name: str, several: tuple[Letters, ...]) -> Any:
    return next((one.find(name) for one in several if name in one), None)


def _replaced(expr: Basic, change: Any) -> Basic:
    found = change(expr)
    if found is not None:
        return found
    if not expr.args or expr.is_Indexed:
        return expr
    return expr.func(*(_replaced(part, change) for part in expr.args))


def matchings(
    one: Unfolded, other: Unfolded, relation: Mapping[Any, Any] | None
) -> Iterator[Matched]:
    """The second in letters of the first, as many ways as are left open; the first by name alone.

    Raises
    ------
    UsageError
        For a relation that cannot be, or letters that cannot be the same.
    """
    ours, theirs = Letters(one), Letters(other)
    images = _given(relation or {}, ours, theirs)
    _check_kinds(ours, theirs, images)
    left, right = {}, {}
    values = {str(one) for _, image in images.values() for one in image.free_symbols}
    for kind in ours.kinds:
        both = ours.kinds[kind].keys() & theirs.kinds[kind].keys()
        left[kind] = [k for k in ours.kinds[kind] if k not in both and k not in values]
        right[kind] = [
            k for k, base in theirs.kinds[kind].items() if k not in both and base not in images
        ]
        for name in both:
            letter = theirs.kinds[kind][name]
            images.setdefault(letter, _image(ours.kinds[kind][name]))
    yield from islice(_pairings(ours, theirs, images, left, right), _MOST)


def _pairings(
    ours: Letters,
    theirs: Letters,
    images: Mapping[Basic, Any],
    left: Mapping[str, list[str]],
    right: Mapping[str, list[str]],
) -> Iterator[Matched]:
    """First with nothing joined, inputs apart, which are joined in any case."""
    kinds = [kind for kind in left if left[kind] and right[kind]]
    alone = [kind for kind in kinds if kind not in ("given", "labels", "random")]
    ways = []
    for kind in kinds:
        less = min(len(left[kind]), len(right[kind]))
        several = [
            tuple(zip(right[kind], images, strict=False))
            for names in permutations(left[kind], less)
            for images in product(*(_images(ours.kinds[kind][name]) for name in names))
        ]
        ways.append([(kind, way) for way in ([()] * (kind in alone) + several)])
    for choice in product(*ways):
        more, joined = dict(images), []
        for kind, pairs in choice:
            for own, image in pairs:
                letter = theirs.kinds[kind][own]
                more[letter] = image
                joined.append((letter, image[1]))
        yield _matched(ours, theirs, more, tuple(joined))


def _images(letter: Any) -> list[tuple[Expr | None, Expr]]:
    if isinstance(letter, Hyperparameter):
        return [(None, reading) for reading in readings(letter)]
    return [_image(letter)]


def _image(letter: Any) -> tuple[Expr | None, Expr]:
    return (POSITION, letter[POSITION]) if isinstance(letter, Sequence) else (None, letter)


def _given(
    relation: Mapping[Any, Any], ours: Letters, theirs: Letters
) -> dict[Basic, tuple[Expr | None, Expr]]:
    found: dict[Basic, tuple[Expr | None, Expr]] = {}
    for key, value in relation.items():
        name = str(key.base if isinstance(key, Indexed) else key)
        letter = theirs.find(name)
        if letter is None:
            raise UsageError(
                f"{theirs.unfolded.declared.name} has no letter {name}; "
                f"{nearest(name, theirs.names)}"
            )
        place = POSITION if isinstance(letter, Sequence) else None
        for unknown in _sorted(map(str, _letters(sympify(value)))):
            if unknown not in ours:
                raise UsageError(
                    f"the relation for {name} reads {unknown}, which "
                    f"{ours.unfolded.declared.name} does not have; {nearest(unknown, ours.names)}"
                )
        found[letter] = (place, in_letters_of(value, (ours,), place))
    return found


def _letters(expr: Expr) -> set[Basic]:
    """All letters, those with entries bare, and no index."""
    if isinstance(expr, Indexed | Sequence):
        return {expr.base if isinstance(expr, Indexed) else expr}
    if isinstance(expr, Symbol):
        return set() if isinstance(expr, Index) else {expr}
    return {letter for part in expr.args for letter in _letters(part)}


def _check_kinds(ours: Letters, theirs: Letters, images: Mapping[Basic, Any]) -> None:
    for kind in ours.kinds:
        for name, letter in theirs.kinds[kind].items():
            own = ours.find(name)
            if own is None or letter in images:
                continue
            if isinstance(own, Sequence) != isinstance(letter, Sequence):
                raise UsageError(
                    f"{unicode(own)} is one for each element in one of "
                    f"{ours.unfolded.declared.name} and {theirs.unfolded.declared.name} and one "
                    "for a whole group in the other; give layers whose letters have one shape"
                )
    counts = [len(one.kinds["given"]) for one in (ours, theirs)]
    if counts[0] != counts[1]:
        names = [" and ".join(one.kinds["given"]) for one in (ours, theirs)]
        raise UsageError(
            f"{ours.unfolded.declared.name} reads {names[0] or 'nothing'} and "
            f"{theirs.unfolded.declared.name} {names[1] or 'nothing'}; give two with as many inputs"
        )


def _matched(
    ours: Letters,
    theirs: Letters,
    images: Mapping[Basic, tuple[Expr | None, Expr]],
    joined: tuple[tuple[Expr, Expr], ...],
) -> Matched:
    one, other = ours.unfolded, theirs.unfolded
    own = {other.size: one.size} if other.size and one.size else {}
    # what it carries along is its own until it is shown to be the same
    own |= {s.letter: primed(s.letter) for s in other.running if s.letter not in images}

    def put(expr: Expr) -> Expr:
        return canonical(put_in(expr, images)).xreplace(own)

    later = None if other.later is None else put(other.later)
    running = tuple(
        Running(
            own.get(s.letter, s.letter),
            s.start,
            put(s.update),
            images[s.letter][1] if s.letter in images else None,
        )
        for s in other.running
    )
    own_ranges = set(domains(one.exprs))
    ranges = {put(domain): None for domain in domains(other.exprs)}
    drawn = {
        put(base[POSITION]).base: law.func(*map(put, law.args)) for base, law in other.draws.items()
    }
    matched = replace(
        other,
        output=put(other.output),
        later=later,
        running=running,
        size=one.size or other.size,
        draws=drawn,
    )
    kept = tuple(each for each in ranges if each is not S.true and each not in own_ranges)
    return Matched(matched, joined, _alone(ours, Letters(matched)), kept)


def _alone(ours: Letters, theirs: Letters) -> tuple[Basic, ...]:
    """Letters that only one of the two has, where each of them has some."""
    found: list[Basic] = []
    for kind in ("learned", "hyperparameters"):
        mine, others = ours.kinds[kind], theirs.kinds[kind]
        several = [
            [letter for name, letter in one.items() if name not in another]
            for one, another in ((mine, others), (others, mine))
        ]
        found += several[0] + several[1] if all(several) else []
    return tuple(found)
