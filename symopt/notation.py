"""What a symbol is: its LaTeX, Unicode and Python names, the role its author gives it, its range.

Every symbol here is a SymPy object, so declarations are plain SymPy. Two facts are added that
SymPy does not keep: how a symbol is spelt in each rendering, and which values it may take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import (
    Expr,
    Function,
    IndexedBase,
    Interval,
    S,
    Set,
    Symbol,
    Tuple,
    evaluate,
    oo,
    sympify,
)
from sympy.core.function import AppliedUndef, UndefinedFunction

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
        """``given`` when its values come from outside, else ``computed`` by some equation."""
        return self.args[0].facts[0]

    @property
    def bare(self) -> Sequence | None:
        """Under a hat: the sequence without it; otherwise nothing."""
        label = self.args[0].facts[1]
        return None if label is None else Sequence(label)


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


def hat(base: Sequence) -> Sequence:
    """The sequence under a hat, computed by an equation of its own or by ``debias``."""
    label = base.args[0]
    return Sequence(_Label(label.spelling.hatted, ("computed", label), real=True))


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


def function(word: str) -> UndefinedFunction:
    """An unknown real function, such as the loss L, the model f or the penalty R."""
    return Function(word, real=True)


class Gradient(Expr):
    r"""The derivative of a loss with respect to the parameters, at the point the loss is taken.

    SymPy's ``Derivative(L(a - b*v), a)`` turns into a ``Subs`` at once; this node stays as the
    slide writes it, and knows the point apart from the variable.
    """

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, loss: Any, variable: Expr) -> Gradient:
        applied = loss() if isinstance(loss, UndefinedFunction) else sympify(loss)
        if not isinstance(applied, AppliedUndef):
            raise DeclarationError(
                f"d({applied}, {variable}) takes no derivative; write a loss such as L(theta)"
            )
        return Expr.__new__(cls, applied, variable)

    @property
    def loss(self) -> Expr:
        """The loss as written, with its arguments."""
        return self.args[0]

    @property
    def variable(self) -> Expr:
        """What the derivative is taken with respect to."""
        return self.args[1]


def d(loss: Any, variable: Expr) -> Gradient:
    """``dL/dθ`` as the slide writes it: ``d(L, theta)``, ``d(L(theta - gamma*v[t-1]), theta)``."""
    return Gradient(loss, variable)


class Sigma(Expr):
    """A sum over one index that shows its bounds, or leaves them out, as its author wrote it."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, body: Any, over: Any) -> Sigma:
        limits = over if isinstance(over, tuple | Tuple) else (over,)
        if len(limits) not in (1, 3) or not isinstance(limits[0], Index):
            raise DeclarationError(
                f"a sum over {over} has no index; write Sigma(body, (i, 1, n)) or Sigma(body, i)"
            )
        return Expr.__new__(cls, sympify(body), Tuple(*map(sympify, limits)))

    @property
    def body(self) -> Expr:
        """What is summed."""
        return self.args[0]

    @property
    def index(self) -> Index:
        """What is summed over."""
        found: Index = self.args[1][0]
        return found

    @property
    def bounds(self) -> tuple[Expr, Expr] | None:
        """The first and the last value of the index, where they are shown."""
        limits = self.args[1]
        return (limits[1], limits[2]) if len(limits) == 3 else None


class Expectation(Expr):
    """The mean of a random quantity over the data that it depends on."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, quantity: Any) -> Expectation:
        return Expr.__new__(cls, sympify(quantity))


class Norm(Expr):
    """The Euclidean norm of a parameter array: the root of the sum of its squared components."""

    is_commutative = True
    is_nonnegative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, vector: Any) -> Norm:
        return Expr.__new__(cls, sympify(vector))

    def _eval_derivative(self, variable: Symbol) -> Expr:
        # componentwise: d‖x‖/dx_j = x_j/‖x‖
        inner = self.args[0]
        return inner / self * inner.diff(variable)
