"""What may be done to the input of a layer without changing its output: shifts and scales.

The equations are followed in their order. What each letter becomes is found by normal forms, in
terms of the letters as they were: μ′ = μ + b, σ′² = a²σ², and at last y′ = y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, Pow, Rational, S, Symbol

from symopt.calculus.adjoints import Definition
from symopt.calculus.normal_form import Knowledge, normal_form
from symopt.calculus.polynomial import Polynomial, expression
from symopt.derivation.forward import ROOT, leaves
from symopt.derivation.fused import root_base
from symopt.derivation.layer import Backward
from symopt.derivation.letters import Images, put_in, taken, unused
from symopt.derivation.opinions import by, checked, opinion_on_images
from symopt.derivation.steps import Derivation, Line, Reason
from symopt.errors import DerivationError
from symopt.nodes import Sigma
from symopt.notation import Hyperparameter, Statistic, index, primed
from symopt.views import canonical, substitute

_NAMES = tuple(index(word, "bound") for word in ("j", "k", "l", "p", "q", "r"))

Mutable = dict[Expr, tuple[Expr | None, Expr]]


@dataclass(frozen=True)
class Change:
    """An input and what it becomes: x_i + b, or a·x_i with ``scale`` a."""

    input: Indexed
    image: Expr
    letter: Symbol
    scale: Symbol | None = None


def invariances(backward: Backward) -> tuple[Derivation, ...]:
    """The changes of an input under which the output stays as it is, each with its proof."""
    definitions = backward.definitions
    names = taken(definitions)
    b = Symbol(unused("b", names), real=True)
    a = Symbol(unused("a", names), positive=True)
    found = []
    for entry in leaves(definitions)[1]:
        shift = Change(entry, Add(entry, b, evaluate=False), b)
        scale = Change(entry, Mul(a, entry, evaluate=False), a, a)
        found += [invariance(backward, one) for one in (shift, scale)]
    return tuple(one for one in found if one is not None)


def invariance(backward: Backward, change: Change) -> Derivation | None:
    """The proof that the output does not change; none where it does, or does not read the input."""
    definitions, known = backward.definitions, backward.known
    if not _read(change.input, definitions):
        return None
    images: Mutable = {change.input.base: (change.input.indices[0], change.image)}
    lines = [Line(_primed(change.input), change.image, "the change")]
    for place, one in enumerate(definitions):
        try:
            along = _along(one.value, images, known, change.scale)
            images.update({letter: (None, image) for letter, image in along.items()})
            image = _image(one, images, known, change.scale)
        except DerivationError:
            return None  # what is changed has no normal form
        if any(earlier.value.has(*along) for earlier in definitions[:place] if along):
            return None  # an equation read it before there was a reason to change it
        lines += [Line(_primed(one), new, "scaled along, see below") for one, new in along.items()]
        lines += _lines(one, image, images, known, change)
        key = one.letter.base if one.index is not None else one.letter
        images[key] = (one.index, image)
    output = definitions[-1]
    if images[output.letter.base][1] != output.letter:
        return None
    sizes = opinion_on_images(
        {key: (of, canonical(image)) for key, (of, image) in images.items()},
        definitions,
        change.letter,
    )
    last = lines.pop()
    lines.append(Line(last.left, last.right, last.reason, checked([output.size], sizes)))
    return Derivation(
        backward.layer.name, _title(backward, change), tuple(lines), _assumptions(change, images)
    )


def _read(entry: Indexed, definitions: tuple[Definition, ...]) -> bool:
    """Whether the output depends on an input."""
    wanted = {definitions[-1].letter}
    for one in reversed(definitions):
        if one.letter in wanted:
            wanted |= {part.base for part in one.value.atoms(Indexed)}
            wanted |= one.value.atoms(Statistic)
            wanted |= {other.letter for other in definitions if _base(other.letter) in wanted}
    return entry.base in wanted


def _base(letter: Expr) -> Expr:
    return letter.base if isinstance(letter, Indexed) else letter


# what letters become


def _image(one: Definition, images: Images, known: Knowledge, scale: Symbol | None) -> Expr:
    """A letter after the change: as it was, a multiple of it by a power of a, or it and a rest."""
    value = _moved(one.value, images, scale)
    change = normal_form(value - one.value, known)
    if not change.terms:
        return one.letter
    if scale is not None:
        weight = _weight(one.value, images, known, scale)
        if weight is not None:
            return Mul(_power(scale, weight), one.letter, evaluate=False)
    return Add(one.letter, _restored(change, known), evaluate=False)


def _weight(expr: Expr, images: Images, known: Knowledge, a: Symbol) -> Rational | None:
    """The power of a that an expression is multiplied by, if that is all that happens to it."""
    value = _moved(expr, images, a)
    powers = {dict(one.factors).get(a, S.Zero) for one, _ in normal_form(value, known).terms}
    if len(powers) != 1:
        return None
    (power,) = powers
    same = normal_form(value - _power(a, power) * expr, known)
    return power if not same.terms else None


def _along(expr: Expr, images: Images, known: Knowledge, a: Symbol | None) -> Mapping[Expr, Expr]:
    """ε ⇒ a²ε for hyperparameters that are added to what is multiplied by a²."""
    found: dict[Expr, Expr] = {}
    if a is None:
        return found
    for total in sorted(expr.atoms(Add), key=str):
        own = [
            term for term in total.args if isinstance(_letter_and_power(term)[0], Hyperparameter)
        ]
        rest = Add(*(term for term in total.args if term not in own))
        if not own or not rest.atoms(Statistic):
            continue
        weight = _weight(rest, images, known, a)
        for term in own:
            letter, power = _letter_and_power(term)
            if weight is not None and weight != 0 and letter not in images:
                found[letter] = Mul(_power(a, weight / power), letter, evaluate=False)
    return found


def _letter_and_power(term: Expr) -> tuple[Expr, Expr]:
    """ε and 2 of 3ε²."""
    letter, power = term.as_coeff_Mul()[1].as_base_exp()
    return letter, power


def _moved(expr: Expr, images: Images, scale: Symbol | None) -> Expr:
    """An expression of the changed letters, powers of a drawn out of sums."""
    moved = canonical(put_in(expr, images))
    return moved if scale is None else _drawn_out(moved, scale)


def _drawn_out(expr: Expr, a: Symbol) -> Expr:
    """a²σ² + a²ε ⇒ a²(σ² + ε), at any depth, so that roots and absolute values let a² go."""
    if not expr.args or expr.is_Indexed:
        return expr
    inner = expr.func(*(_drawn_out(part, a) for part in expr.args))
    if isinstance(inner, Sigma):
        power = Mul(*(one for one in Mul.make_args(inner.body) if one.as_base_exp()[0] == a))
        return power * Sigma(inner.body / power, inner.args[1])
    if not isinstance(inner, Add):
        return inner
    powers = {term.as_independent(a)[1] for term in inner.args}
    if len(powers) != 1:
        return inner
    (power,) = powers
    return power * Add(*(term / power for term in inner.args))


def _power(a: Symbol, weight: Rational) -> Expr:
    return a if weight == 1 else Pow(a, weight, evaluate=False)


def _restored(part: Polynomial, known: Knowledge) -> Expr:
    base = root_base(known, ROOT)
    return substitute(expression(part, _NAMES), {ROOT: base} if base is not None else {})


# lines


def _lines(
    one: Definition, image: Expr, images: Images, known: Knowledge, change: Change
) -> list[Line]:
    """The equation in the changed letters, and what it comes to."""
    left, written = _primed(one.letter), put_in(one.written, images)
    if written == one.written:
        return [Line(left, image, f"{one.id} reads nothing that changes")]
    what: Reason = (change.letter, " cancels") if image == one.letter else ("put together",)
    names = by(_moved(one.value, images, change.scale), known)
    return [Line(left, written, one.id), Line(left, image, (*what, *names))]


def _primed(letter: Expr) -> Expr:
    if isinstance(letter, Indexed):
        return primed(letter.base)[letter.indices]
    return primed(letter)


def _title(backward: Backward, change: Change) -> Reason:
    what = " is multiplied by " if change.scale is not None else " is shifted by "
    title = backward.layer.title
    return (f"output of {title} unchanged when every ", change.input, what, change.letter)


def _assumptions(change: Change, images: Images) -> tuple[Reason, ...]:
    if change.scale is None:
        return ()
    along = [(one, image) for one, (_, image) in images.items() if isinstance(one, Hyperparameter)]
    return (
        (change.scale, " > 0"),
        *((one, " is scaled along, to ", image, ", or is 0") for one, image in along),
    )
