"""Random letters and numbers asked of expectations: the words for them, and what is well formed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sympy import AccumBounds, Basic, Equality, Expr, Indexed, Interval, Set, Symbol, oo

from symopt.declaration.statements import Drawn, Equation, Inference, Unbias, expressions
from symopt.errors import DeclarationError
from symopt.nodes import Bernoulli, Distribution, Normal
from symopt.notation import Hyperparameter, Index, Sequence, Statistic, Unknown, is_random
from symopt.printing.unicode import unicode
from symopt.views import canonical, sums_as_written

if TYPE_CHECKING:
    from symopt.declaration.values import Declaration

# which argument of a distribution has to lie where, and what it is called
_WITHIN: dict[type[Distribution], tuple[int, Set, str]] = {
    Bernoulli: (0, Interval(0, 1), "probability"),
    Normal: (1, Interval(0, oo), "variance"),
}


def drawn(letter: Any, distribution: Any) -> Drawn:
    """A random letter, drawn for each element by itself: ``drawn(r[i], Bernoulli(1 - p))``."""
    if not isinstance(letter, Indexed) or not is_random(letter):
        raise DeclarationError(
            f"drawn was given {letter}, which is no random letter; "
            "write drawn(r[i], …) with r = random('r')"
        )
    if not isinstance(distribution, Distribution):
        raise DeclarationError(
            f"drawn was given {distribution} to draw {unicode(letter)} from; "
            "write a distribution, such as Bernoulli(1 - p)"
        )
    return Drawn(letter, distribution)


def unbias(letter: Any, shown: Any) -> Unbias:
    """A request for the number with which an equation between expectations holds.

    ``unbias(s, Eq(Expectation(y[i]), x[i]))`` asks for the scale s with which the output has the
    mean x. What is found stands in its place, the right side alone.
    """
    if not isinstance(letter, Unknown):
        raise DeclarationError(
            f"unbias was given {letter}, which is no number to be found; "
            "write unbias(s, …) with s = unknown('s')"
        )
    if not isinstance(shown, Equality):
        raise DeclarationError(
            f"unbias({unicode(letter)}, …) was given {shown}, which is no equation; "
            "write one such as Eq(Expectation(y[i]), x[i])"
        )
    left, right = (sums_as_written(side) for side in shown.args)
    return Unbias(letter, Equation(left, right))


def check_chance(declared: Declaration) -> None:
    """Nothing, when each random letter is drawn once and each number that is read is asked for.

    Raises
    ------
    DeclarationError
        Names the statement, the letter and what to write instead.
    """
    several = [(declared.id_of(s.key), s.meant.content) for s in declared.statements]
    if declared.kind != "layer":
        for id, content in several:
            for letter in _letters_of_chance(expressions(content)):
                raise DeclarationError(
                    f"{id} has {unicode(letter)}, which only a layer can have, but {declared.name} "
                    f"is {declared.a_kind}; declare a layer"
                )
        return
    read = _letters_of_chance(one.right for _, one in declared.equations)
    known: set[Basic] = set()
    for id, content in several:
        match content:
            case Drawn(letter, distribution):
                _check_drawn(id, letter, distribution)
                _check_once(id, letter.base, known, read, "draws")
            case Unbias(letter, _):
                _check_once(id, letter, known, read, "asks for")
            case Equation(left, _) if is_random(left):
                raise DeclarationError(
                    f"{id} defines {unicode(left)}, which is random; write drawn({unicode(left)}, "
                    "…), or make it a sequence"
                )
    for letter in (one for one in read if one not in known):
        words = f"drawn({unicode(letter)}[i], …)" if is_random(letter) else f"unbias({letter}, …)"
        raise DeclarationError(
            f"{declared.name} reads {unicode(letter)}, of which nothing is said; write {words}"
        )
    if any(map(is_random, read)):
        _check_inference(declared)


def _check_inference(declared: Declaration) -> None:
    """That nothing is drawn once training is over: no equation that holds then reads of it."""
    stated = [(declared.id_of(s.key), s.meant.content) for s in declared.statements]
    instead = [(id, one.shown) for id, one in stated if isinstance(one, Inference)]
    later = {_bare(one.left): (id, one) for id, one in (*declared.equations, *instead)}
    training = [one for _, one in declared.equations if not canonical(one.right).has(one.left)]
    waiting, seen = [_bare(one.left) for one in training[-1:]], set[Basic]()
    while waiting:
        id, one = later[waiting.pop()]
        seen.add(_bare(one.left))
        for letter in _letters_of_chance([one.right]):
            if is_random(letter):
                left = unicode(one.left)
                raise DeclarationError(
                    f"{id} reads {unicode(letter)} once training is over, where nothing is drawn; "
                    f"write inference(Eq({left}, …)) without it"
                )
        read = {_bare(entry) for entry in one.right.atoms(Indexed, Statistic)}
        waiting += sorted((read & set(later)) - seen, key=str)


def _bare(letter: Basic) -> Basic:
    return letter.base if isinstance(letter, Indexed) else letter


def _letters_of_chance(exprs: Iterable[Basic]) -> list[Basic]:
    """Random letters, bare, and numbers that are asked for, in the order of their names."""
    found = {letter for one in exprs for letter in one.atoms(Sequence, Unknown)}
    return sorted((one for one in found if isinstance(one, Unknown) or is_random(one)), key=str)


def _check_once(
    id: str, letter: Basic, known: set[Basic], read: Iterable[Basic], does: str
) -> None:
    if letter in known:
        raise DeclarationError(f"{id} {does} {unicode(letter)} a second time; leave it out")
    if letter not in read:
        raise DeclarationError(
            f"{id} {does} {unicode(letter)}, which no equation reads; leave it out"
        )
    known.add(letter)


def _check_drawn(id: str, letter: Indexed, distribution: Distribution) -> None:
    if len(letter.indices) != 1 or not isinstance(letter.indices[0], Index):
        raise DeclarationError(
            f"{id} draws {unicode(letter)}; the elements of a group have one index, write "
            f"{unicode(letter.base)}[i]"
        )
    for part in distribution.args:
        others = part.atoms(Indexed) or part.atoms(Symbol) - part.atoms(Hyperparameter)
        for other in sorted(others, key=str):
            raise DeclarationError(
                f"{id} draws {unicode(letter)} from {unicode(distribution)}, which depends on "
                f"{unicode(other)}; let it depend on hyperparameters alone"
            )
    place, allowed, words = _WITHIN[type(distribution)]
    part = distribution.args[place]
    if not _enclosed(canonical(part)).is_subset(allowed):
        raise DeclarationError(
            f"{id} draws {unicode(letter)} with the {words} {unicode(part)}, which is not known to "
            f"lie in {allowed}; give its letters narrower ranges, or write each once"
        )


def _enclosed(part: Expr) -> Set:
    """A range that holds the expression's values, by interval arithmetic."""
    ranges = {
        one: AccumBounds(one.domain.inf, one.domain.sup) for one in part.atoms(Hyperparameter)
    }
    found = part.subs(ranges)
    if isinstance(found, AccumBounds):
        return Interval(found.min, found.max)
    return Interval(found, found)
