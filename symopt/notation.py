"""What a symbol is: its LaTeX, Unicode and Python names, the role its author gives it, its range.

Every symbol here is a SymPy object, so declarations are plain SymPy. Two facts are added that
SymPy does not keep: how a symbol is spelt in each rendering, and which values it may take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import (
    Basic,
    Function,
    Indexed,
    IndexedBase,
    Interval,
    S,
    Set,
    Symbol,
    evaluate,
    oo,
)
from sympy.core.function import UndefinedFunction

from symopt.errors import DeclarationError
from symopt.spelling import Spelling, spell


def _named(word: str, latex: str | None, unicode: str | None, python: str | None) -> Spelling:
    given = {"latex": latex, "unicode": unicode, "python": python}
    return replace(spell(word), **{key: value for key, value in given.items() if value is not None})


class _Spelt(Symbol):
    """A SymPy symbol that knows its spelling; two are equal when all they know is equal."""

    __slots__ = ("facts", "spelling")
    spelling: Spelling
    facts: tuple[Any, ...]

    def __new__(cls, spelling: Spelling, facts: tuple[Any, ...], **assumptions: Any) -> _Spelt:
        created: _Spelt = Symbol.__xnew__(cls, spelling.python, **assumptions)
        created.spelling = spelling
        created.facts = facts
        return created

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.spelling, self.facts)

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.spelling, self.facts), self.assumptions0

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _respell, (type(self), self.spelling, self.facts, self._assumptions_orig)


def _respell(kind: Any, spelling: Spelling, facts: Any, assumptions: dict[str, Any]) -> Any:
    return kind(spelling, facts, **assumptions)


class Hyperparameter(_Spelt):
    """A number that the user of a rule chooses; ``domain`` holds the values it may take."""

    __slots__ = ()

    @property
    def domain(self) -> Set:
        """The admissible values, a SymPy interval or set of integers."""
        return self.facts[0]


class Count(_Spelt):
    """How many examples there are: a positive integer that is read off an array's shape."""

    __slots__ = ()


class Statistic(_Spelt):
    """A number that a layer computes from its input, one for each group that it averages over."""

    __slots__ = ()


class Parameter(_Spelt):
    """A number that a layer learns."""

    __slots__ = ()


class Unknown(_Spelt):
    """A number that a request asks for: the scale that makes an output unbiased."""

    __slots__ = ()


class Label(_Spelt):
    """Which element of a group is meant: a whole number from outside, one for each group."""

    __slots__ = ()


class Index(_Spelt):
    """An integer that tells elements of a sequence apart; ``counts`` says what."""

    __slots__ = ()

    @property
    def counts(self) -> str:
        """One of ``step``, ``component``, ``example``, ``layer`` and ``bound``."""
        counts: str = self.facts[0]
        return counts


class _Label(_Spelt):
    """The letter of a sequence; its facts are its role and, under a hat, the bare label."""

    __slots__ = ()


class Sequence(IndexedBase):
    """A letter whose values are told apart by indices: ``v[t]``, ``theta[t + 1, i]``, ``x[i]``."""

    def __new__(cls, label: _Label) -> Sequence:
        return IndexedBase.__new__(cls, label)

    @property
    def spelling(self) -> Spelling:
        """The letter in each rendering."""
        return self.args[0].spelling

    @property
    def role(self) -> str:
        """``given`` from outside, ``learned``, ``random``, or ``computed`` by some equation."""
        return self.args[0].facts[0]


def hyperparameter(
    word: str,
    domain: Set = S.Reals,
    *,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Hyperparameter:
    """A number that the user of a rule chooses, within ``domain``.

    >>> hyperparameter("rho", Interval.Ropen(0, 1)).domain
    Interval.Ropen(0, 1)
    """
    if domain is S.EmptySet or not isinstance(domain, Set):
        raise DeclarationError(
            f"hyperparameter {word} has the range {domain}; "
            "write a set such as Interval.Ropen(0, 1)"
        )
    return Hyperparameter(_named(word, latex, unicode, python), (domain,), **_facts(domain))


def _facts(domain: Set) -> dict[str, bool]:
    """What SymPy may assume of a number in this range."""
    with evaluate(True):  # set relations need it, and an author may be inside a declaration
        facts = {"integer": True} if domain.is_subset(S.Integers) else {"real": True}
        if domain.is_subset(Interval.open(0, oo)):
            facts["positive"] = True
        elif domain.is_subset(Interval(0, oo)):
            facts["nonnegative"] = True
    return facts


def sequence(
    word: str,
    *,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Sequence:
    """A letter with a value at each step, computed by an equation: a state or a temporary.

    Which of the two it is follows from the equations.
    """
    return Sequence(_Label(_named(word, latex, unicode, python), ("computed", None), real=True))


def given(
    word: str,
    *,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Sequence:
    """A letter whose values come from outside: the gradient g, the data x and y."""
    return Sequence(_Label(_named(word, latex, unicode, python), ("given", None), real=True))


def learned(
    word: str,
    *,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Sequence:
    """A letter whose values a layer learns, told apart by indices: the weights ``W[j, k]``."""
    return Sequence(_Label(_named(word, latex, unicode, python), ("learned", None), real=True))


def random(
    word: str,
    *,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Sequence:
    """A letter whose value at each element is drawn by itself; ``drawn`` says from what."""
    return Sequence(_Label(_named(word, latex, unicode, python), ("random", None), real=True))


def is_random(letter: Basic) -> bool:
    """Whether a letter, bare or with an index, is a random one."""
    base = letter.base if isinstance(letter, Indexed) else letter
    return isinstance(base, Sequence) and base.role == "random"


def each(parameter: Parameter) -> Sequence:
    """A learned number as a letter with a value of its own at each element: ``gamma[i]``."""
    return Sequence(_Label(parameter.spelling, ("learned", None), real=True))


def hat(base: Sequence | Statistic) -> Any:
    """The letter under a hat, computed by an equation of its own or by ``debias``."""
    if isinstance(base, Statistic):
        return Statistic(base.spelling.hatted, (), **base._assumptions_orig)
    label = base.args[0]
    return Sequence(_Label(label.spelling.hatted, ("computed", label), real=True))


def tilde(base: Sequence) -> Sequence:
    """The letter under a tilde: the same quantity of something that was changed."""
    return Sequence(_Label(base.args[0].spelling.tilded, ("computed", None), real=True))


def primed(letter: Any) -> Any:
    """The letter with a prime: what it becomes when something else is changed."""
    if isinstance(letter, Sequence):
        label = letter.args[0]
        return Sequence(_Label(label.spelling.primed, ("computed", None), real=True))
    return type(letter)(letter.spelling.primed, letter.facts, **letter._assumptions_orig)


INDEX_COUNTS = ("step", "component", "example", "layer", "bound")


def index(word: str, counts: str = "bound") -> Index:
    """An integer index; it counts steps, components, examples, layers, or is bound in a sum."""
    if counts not in INDEX_COUNTS:
        raise DeclarationError(
            f"index {word} counts '{counts}', which is unknown; "
            f"write one of {', '.join(INDEX_COUNTS)}"
        )
    return Index(spell(word), (counts,), integer=True, positive=True)


def count(word: str) -> Count:
    """A number of examples, read off an array's shape."""
    return Count(spell(word), (), integer=True, positive=True)


def statistic(
    word: str,
    *,
    nonnegative: bool = False,
    positive: bool = False,
    latex: str | None = None,
    unicode: str | None = None,
    python: str | None = None,
) -> Statistic:
    """A number that a layer computes from its input: a mean, a variance, a running average."""
    facts = {"positive": positive} if positive else {"nonnegative": True}
    facts = facts if positive or nonnegative else {"real": True}
    return Statistic(_named(word, latex, unicode, python), (), **facts)


def label(word: str, *, python: str | None = None) -> Label:
    """Which element of its group is meant, such as the correct class of an example."""
    return Label(_named(word, None, None, python), (), integer=True, positive=True)


def parameter(word: str) -> Parameter:
    """A number that a layer learns: its scale and its shift."""
    return Parameter(spell(word), (), real=True)


def unknown(word: str) -> Unknown:
    """A number that follows from what is asked of it, such as a scale; see ``unbias``."""
    return Unknown(spell(word), (), real=True)


def function(word: str) -> UndefinedFunction:
    """An unknown real function, such as the loss L, the model f or the penalty R."""
    return Function(word, real=True)
