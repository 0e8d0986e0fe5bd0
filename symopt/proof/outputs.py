"""A declaration ⇒ one expression for its output, each letter that an equation defines put in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import singledispatch
from itertools import count as numbers

from sympy import Add, Basic, Dummy, Expr, Indexed, S, expand, sqrt

from symopt.calculus.adjoints import Definition
from symopt.declaration import Declaration, Layer, Regularizer, Schedule
from symopt.derivation.components import component
from symopt.derivation.drawn import Draws, draws
from symopt.derivation.forward import forward
from symopt.derivation.inference import at_inference
from symopt.derivation.letters import key_of
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.running import corrections
from symopt.derivation.times import entries, step_index
from symopt.derivation.unbiased import answered
from symopt.errors import DerivationError, UsageError
from symopt.nodes import Largest, Norm, Sigma
from symopt.notation import Count, Statistic, count, given, index
from symopt.printing.unicode import unicode
from symopt.proof.reading import shown_names
from symopt.symbols import t
from symopt.views import canonical

# where in its group an element stands; none of the names of bound indices is this one
POSITION = index("i", "example")
_NAMES = "jknpqrsuvw"
# a component of the parameters that are penalized, and how many there are
_THETA, _COMPONENTS = given("theta"), count("n")
Images = dict[Expr, tuple[Expr | None, Expr]]


@dataclass(frozen=True)
class Running:
    """A number carried from batch to batch: its start, and what a batch makes of it.

    ``image`` is what it is in letters of another layer, where that is known.
    """

    letter: Statistic
    start: Expr
    update: Expr
    image: Expr | None = None


@dataclass(frozen=True)
class Unfolded:
    """What a declaration computes, in letters that no equation defines.

    ``output`` is the value of ``letter``, of a layer that in training at ``POSITION`` in a group;
    ``later`` that once training is over, in terms of what is ``running`` and of the number t of
    batches before, where it is another. A penalty's is that of one component where components
    separate, and ``whole`` that of one array of parameters.
    """

    declared: Declaration
    letter: Expr
    output: Expr
    size: Count | None = None
    later: Expr | None = None
    running: tuple[Running, ...] = ()
    whole: Expr | None = None
    draws: Draws = field(default_factory=dict)

    @property
    def exprs(self) -> tuple[Expr, ...]:
        """All that is computed."""
        states = (one.update for one in self.running)
        return (self.output, *([] if self.later is None else [self.later]), *states)


def both(left: Declaration, right: Declaration) -> tuple[Unfolded, Unfolded]:
    """Two declarations as expressions that can be compared."""
    one, other = unfolded(left), unfolded(right)
    if one.whole != one.output and other.whole != other.output:
        return one, other
    return _in_whole(one), _in_whole(other)


def _in_whole(one: Unfolded) -> Unfolded:
    return one if one.whole is None else replace(one, output=one.whole, size=_COMPONENTS)


@singledispatch
def unfolded(declared: Declaration) -> Unfolded:
    """What a declaration computes as one expression in the letters that it is given.

    >>> from symopt.catalog.lecture.rms_norm import rms_norm
    >>> print(unicode(unfolded(rms_norm).letter), unfolded(rms_norm).size)
    yᵢ m

    Raises
    ------
    UsageError
        For a kind of declaration that has no such expression.
    DerivationError
        If its equations do not lead to one.
    """
    raise UsageError(
        f"{declared.name} is {declared.a_kind}, which is not compared; give two update rules, "
        "layers, losses, schedules or regularizers"
    )


@unfolded.register
def _layer(declared: Layer) -> Unfolded:
    training, inference = forward(declared), at_inference(declared)
    names = Names(declared)
    images = _images(training, names)
    value = _output(training, images)
    found = Unfolded(declared, training[-1].letter, value, _size(training), draws=draws(declared))
    if not inference:
        return found
    hats = {one.letter: (None, names.put_in(one.value, {})) for one in corrections(declared)}
    after = _output(inference, _images(inference, names, hats))
    return _of_any_sign(replace(found, later=after, running=(*_running(declared, names, images),)))


def _of_any_sign(one: Unfolded) -> Unfolded:
    """With running numbers of which nothing is taken for granted, whatever is declared of them."""
    names = {s.letter: type(s.letter)(s.letter.spelling, (), real=True) for s in one.running}
    running = (
        replace(s, letter=names[s.letter], update=s.update.xreplace(names)) for s in one.running
    )
    assert one.later is not None  # what runs is read once training is over
    return replace(one, later=one.later.xreplace(names), running=tuple(running))


def _output(definitions: tuple[Definition, ...], images: Images) -> Expr:
    index, value = images[key_of(definitions[-1].letter)]
    return value if index is None else value.xreplace({index: POSITION})


def _size(definitions: Iterable[Definition]) -> Count | None:
    sizes = (
        total.bounds[1]
        for one in definitions
        for total in one.value.atoms(Sigma, Largest)
        if total.bounds is not None
    )
    return next(sizes, None)


def _running(declared: Layer, names: Names, images: Images) -> Iterable[Running]:
    start = declared.initial_values
    for id, one in answered(declared).equations:
        letter = one.left
        if not (isinstance(letter, Statistic) and canonical(one.right).has(letter)):
            continue
        if letter not in start:
            raise UsageError(
                f"{id} reads the past of {unicode(letter)}, which has no initial value; write "
                f"initial={{{letter.spelling.python}: 0}} in {declared.name}"
            )
        known = {name: image for name, image in images.items() if name != letter}
        yield Running(letter, start[letter], names.put_in(one.right, known))


@unfolded.register
def _schedule(declared: Schedule) -> Unfolded:
    names = Names(declared)
    id, last = declared.equations[-1]
    step = step_index(last.left)
    images: Images = {}
    for _, one in declared.equations:
        images[key_of(one.left)] = (step, names.put_in(one.right, images))
    value = images[key_of(last.left)][1]
    for entry in entries(value):
        raise UsageError(
            f"{id} reads {unicode(entry)}; a schedule is a function of the step {unicode(step)} "
            "and of hyperparameters alone"
        )
    return Unfolded(declared, last.left.xreplace({step: t}), value.xreplace({step: t}))


@unfolded.register
def _penalty(declared: Regularizer) -> Unfolded:
    """One component's part where components separate, the numbers of layers being free."""
    penalty = derive_penalty(declared)
    entry = _THETA[POSITION]
    term = canonical(penalty.term).xreplace({penalty.entry: entry})
    whole = _of_array(penalty.id, term, entry)
    letter = declared.equations[0][1].left
    try:
        alone = component(penalty.id, term, entry)
    except DerivationError:
        alone = whole
    return Unfolded(declared, letter, alone, None if alone != whole else _COMPONENTS, whole=whole)


def _of_array(id: str, term: Expr, entry: Expr) -> Expr:
    """What all components of an array add, and what their norms add once."""
    j = index("j")
    parts = []
    for one in Add.make_args(expand(term)):
        norms = {
            norm: sqrt(Sigma(norm.args[0].xreplace({POSITION: j}) ** 2, (j, S.One, _COMPONENTS)))
            for norm in one.atoms(Norm)
        }
        bare = one.xreplace(dict.fromkeys(norms, S.One)).has(entry)
        if norms and bare:
            raise UsageError(
                f"{id} multiplies a norm by components; write it as a sum to have it compared"
            )
        parts.append(
            Sigma(one.xreplace({POSITION: j}), (j, S.One, _COMPONENTS))
            if bare
            else one.xreplace(norms)
        )
    return Add(*parts)


def _images(definitions: Iterable[Definition], names: Names, known: Images | None = None) -> Images:
    images: Images = dict(known or {})
    for one in definitions:
        images[key_of(one.letter)] = (one.index, names.put_in(one.value, images))
    return images


class Names:
    """Letters for bound indices: one for each depth, so that none is bound where it is put in."""

    def __init__(self, declared: Declaration, avoid: Iterable[str] = ()) -> None:
        sides = [side for _, one in declared.equations for side in (one.left, one.right)]
        taken = {name for side in sides for one in side.free_symbols for name in shown_names(one)}
        taken |= set(avoid)
        free = [name for name in _NAMES if name not in taken]
        more = (f"j_{k}" for k in numbers(2))
        self.several = [index(one) for one in (*free, *(next(more) for _ in range(20)))]

    def put_in(self, expr: Basic, images: Images) -> Expr:
        """An expression as SymPy evaluates it, all images put in, its bound indices renamed."""
        if isinstance(expr, Sigma | Largest):
            own, *ends = expr.args[1]
            # no image knows of this one
            fresh = Dummy("bound", integer=True, positive=True)
            body = self.put_in(_freed(expr.args[0], own, fresh), images)
            name = self.several[self._depth(body)]
            return type(expr)(body.xreplace({fresh: name}), (name, *ends))
        if isinstance(expr, Indexed):
            if expr.base not in images:
                return expr
            place, image = images[expr.base]
            return image if place is None else image.xreplace({place: expr.indices[0]})
        if expr in images:
            return images[expr][1]
        if not expr.args:
            return expr
        return expr.func(*(self.put_in(part, images) for part in expr.args))

    def _depth(self, expr: Basic) -> int:
        bound = {one.args[1][0] for one in expr.atoms(Sigma, Largest)}
        return max((self.several.index(one) + 1 for one in bound), default=0)


def _freed(expr: Basic, own: Expr, fresh: Expr) -> Basic:
    """An expression with another index, where no sum within it binds that index again."""
    if isinstance(expr, Sigma | Largest) and expr.args[1][0] == own:
        return expr
    if expr == own:
        return fresh
    if own not in expr.atoms(type(own)):
        return expr
    return expr.func(*(_freed(part, own, fresh) for part in expr.args))
