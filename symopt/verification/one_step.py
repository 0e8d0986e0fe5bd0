"""One step of a rule as equations in plain letters: from old values and inputs to new values.

A letter is told apart by when it is read: as it was before the step, or as the step makes it. A sum
over the past is a letter too, of which each step multiplies the old value and adds a term; a sum
over examples is written out. Numbers, the step among them, are letters, so that all of them can be
moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from sympy import Add, Basic, Expr, Indexed, Integer, Mul, S, powsimp, simplify

from symopt.errors import DeclarationError
from symopt.nodes import Expectation, Gradient, Largest, Norm, Sigma
from symopt.notation import Count, Hyperparameter, Index, Sequence, Statistic, statistic
from symopt.verification.anatomy import Anatomy
from symopt.verification.definitions import Definition, entries, times
from symopt.verification.unrolled import read
from symopt.views import canonical, occurrences, rewrite

TIME = statistic("judge_time")
EXAMPLES = statistic("judge_examples")

# what has a value at each step: a letter of the declaration, or a sum over the past in an equation
Source = Sequence | Sigma


class Unclear(Exception):
    """What a step is a function of cannot be told, in a sentence."""


@dataclass(frozen=True)
class StepLine:
    """``letter = right``: the new value of a letter of the declaration, or a part of it.

    ``mixed`` holds the letters of its own past that it multiplies by something, ``kept`` the
    response by which this one may have been computed as a geometric sum; ``data`` tells whether
    a gradient, a parameter or another input enters.
    """

    id: str
    letter: Statistic
    right: Expr
    data: bool
    mixed: tuple[Statistic, ...] = ()
    kept: Statistic | None = None


@cache
def plain(name: str, when: str) -> Statistic:
    """A plain letter for what has this Python name."""
    return statistic(f"judge_{name}_{when}")


class OneStep:
    """The lines of a step that ``outputs`` need, in an order in which each reads what is known.

    ``new`` and ``old`` are the plain letters for what a step makes and what it reads from before,
    ``given`` those for what is handed to it: under which name, and of which example, if of one.
    ``starts`` say what ``old`` is before the first step, where that is a number.

    Raises
    ------
    Unclear
        If a step reads a value from before the last step, or all elements at once.
    """

    def __init__(
        self,
        taken: Anatomy,
        outputs: Iterable[Definition],
        examples: int,
        gradient: str,
        inputs: Iterable[str],
    ) -> None:
        self.lines: list[StepLine] = []
        self.new: dict[Source, Statistic] = {}
        self.old: dict[Source, Statistic] = {}
        self.given: dict[Statistic, tuple[str, int | None]] = {}
        self.numbers: dict[Hyperparameter, Statistic] = {}
        self.starts: dict[Source, Expr] = {}
        self.data: set[Source] = set()
        self._taken, self._examples = taken, examples
        self._gradient, self._inputs = gradient, frozenset(inputs)
        self._open: set[Sequence] = set()
        self._moving: set[Basic] = set()  # the plain letters that data enter
        self._parts: dict[Expr, Statistic] = {}
        for one in outputs:
            self._defined(one)
        while missing := [x for x in self.old if x not in self.new and x not in taken.driven]:
            for letter in missing:  # a number is followed from its start
                self._defined(taken.definitions[letter])

    def _defined(self, one: Definition) -> Statistic:
        """The letter for the new value; its line is made after those that it reads."""
        letter = one.letter
        if letter in self.new:
            return self.new[letter]
        if letter in self._open:
            raise DeclarationError(f"{one.id} defines {letter} by itself, in a circle")
        self._open.add(letter)
        if isinstance(one.right, Sigma) and one.right.index.counts != "example":
            right, mixed = self._recurrence(one, one.right, self._old(letter))
            self.starts[letter] = S.Zero
        else:
            right = self._plain(one, one.right, {})
            mixed = tuple(self._plain(one, past, {}) for past in one.mixed)
        kept = None if one.kept is None else self._defined(self._taken.definitions[one.kept])
        self._line(one, letter, right, mixed, kept)
        if one.initial is not None and not isinstance(one.initial, Indexed):
            self.starts[letter] = rewrite(one.initial, self._number)
        return self.new[letter]

    def _line(
        self,
        one: Definition,
        source: Source,
        right: Expr,
        mixed: tuple[Statistic, ...] = (),
        kept: Statistic | None = None,
    ) -> Statistic:
        """The letter for the new value of a letter or of a sum in its equation."""
        self.new[source] = self._made(one, source == one.letter, right, mixed, kept)
        if self.new[source] in self._moving:
            self.data.add(source)
        return self.new[source]

    def _made(
        self,
        one: Definition,
        whole: bool,
        right: Expr,
        mixed: tuple[Statistic, ...] = (),
        kept: Statistic | None = None,
    ) -> Statistic:
        letter = plain(one.letter.spelling.python, "new" if whole else f"part_{len(self.lines)}")
        data = bool(read(right) & self._moving)
        if data:
            self._moving.add(letter)
        self.lines.append(StepLine(one.id, letter, right, data, mixed, kept))
        return letter

    def _old(self, letter: Sequence) -> Statistic:
        found = self.old.setdefault(letter, plain(letter.spelling.python, "old"))
        if letter in self._taken.driven:
            self.data.add(letter)
            self._moving.add(found)
        return found

    def _number(self, node: Basic) -> Statistic | None:
        """The letter of a hyperparameter."""
        if isinstance(node, Hyperparameter):
            return self.numbers.setdefault(node, plain(node.spelling.python, "number"))
        return None

    def _plain(self, one: Definition, expr: Basic, bound: Mapping[Index, int]) -> Expr:
        """An expression in the equation ``one`` in plain letters."""

        def change(node: Basic) -> Basic | None:
            if isinstance(node, Sigma):
                return self._sum(one, node, bound)
            if isinstance(node, Gradient):
                return self._handed(one, self._gradient, bound)
            if isinstance(node, Indexed | Sequence):
                return self._read(one, node, bound)
            if isinstance(node, Count):
                return EXAMPLES
            if isinstance(node, Index):
                return _counter(one, node, bound)
            if isinstance(node, Norm | Largest | Expectation):
                raise Unclear(f"{one.id} reads {node}, into which all elements enter")
            if isinstance(node, Add) and node is not expr:
                return self._part(one, self._plain(one, node, bound))
            return self._number(node)

        return rewrite(expr, change)

    def _part(self, one: Definition, right: Expr) -> Expr:
        """The letter of a sum within an expression: what cancels in it, a kernel computes."""
        if right not in self._parts and read(right):
            self._parts[right] = self._made(one, False, right)
        return self._parts.get(right, right)

    def _read(self, one: Definition, node: Basic, bound: Mapping[Index, int]) -> Statistic:
        """A letter as it was before the step, as the step makes it, or as it is handed over."""
        letter, whens = (node.base, times(node)) if isinstance(node, Indexed) else (node, ())
        shift = canonical(whens[0] - one.step) if whens else S.Zero
        found = self._taken.definitions.get(letter)
        name = letter.spelling.python
        if found is None and shift == 0:
            return self._handed(one, name if name in self._inputs else self._gradient, bound)
        if found is not None and shift == found.offset:
            return self._defined(found)
        if found is not None and shift == found.offset - 1:
            return self._old(letter)
        raise Unclear(f"{one.id} reads {node}, which is neither of this step nor of the last")

    def _handed(self, one: Definition, name: str, bound: Mapping[Index, int]) -> Statistic:
        numbers = [k for index, k in bound.items() if index.counts == "example"]
        each = None
        if name == self._gradient and self._taken.per_example:
            if not numbers:
                raise Unclear(f"{one.id} reads {name} both of each example and of none")
            each = numbers[-1]
        letter = plain(name, "given" if each is None else f"given_{each}")
        self.given[letter] = (name, each)
        self._moving.add(letter)
        return letter

    def _sum(self, one: Definition, node: Sigma, bound: Mapping[Index, int]) -> Statistic:
        """The letter of a sum, over examples or over the past."""
        if node in self.new and not bound:
            return self.new[node]
        if node.index.counts == "example":
            several = range(self._examples)
            terms = [self._plain(one, node.body, {**bound, node.index: k}) for k in several]
            whole = Add(*terms, evaluate=False) if len(terms) > 1 else terms[0]
            return self._line(one, node, whole)
        old = self.old[node] = plain(one.letter.spelling.python, f"part_{len(self.lines)}_old")
        if self._taken.has_data(node):
            self._moving.add(old)
        self.starts[node] = S.Zero
        return self._line(one, node, *self._recurrence(one, node, old))

    def _recurrence(
        self, one: Definition, node: Sigma, old: Statistic
    ) -> tuple[Expr, tuple[Statistic, ...]]:
        """Σ_{τ=1..t} f_τ ⇒ what it was, times one factor for all its terms, and the newest term."""
        low, high = node.bounds or (None, None)
        if low is None or canonical(low) != 1 or canonical(high) != one.step:
            raise Unclear(f"{one.id} sums {node}, which does not run from the first step to this")
        factor, newest = _factor(one, node), rewrite(node.body, {node.index: one.step}.get)
        if factor == 1:
            return Add(old, self._plain(one, newest, {}), evaluate=False), ()
        kept = Mul(self._plain(one, factor, {}), old, evaluate=False)
        # the weight of the newest term, as β^(t − t), is a number
        return Add(kept, self._plain(one, canonical(newest), {}), evaluate=False), (old,)


def _counter(one: Definition, node: Index, bound: Mapping[Index, int]) -> Expr:
    """An index as a number."""
    if node.counts == "step":
        return TIME
    if node not in bound:
        raise Unclear(f"{one.id} reads the index {node} as a number")
    return Integer(bound[node] + 1)


def _factor(one: Definition, node: Sigma) -> Expr:
    """By what each step multiplies the terms of a sum over the past."""
    here = canonical(node.body)
    if one.step not in here.free_symbols:
        return S.One
    before = canonical(rewrite(node.body, {one.step: one.step - 1}.get))
    found = powsimp(simplify(here / before))
    if found.has(node.index) or entries(found) or occurrences(found, Gradient):
        raise Unclear(f"{one.id} weights the terms of {node} unevenly as steps go on")
    return found
