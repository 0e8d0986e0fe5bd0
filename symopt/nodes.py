"""Expressions of papers for which SymPy has no node that stays as it is written."""

from __future__ import annotations

from typing import Any

from sympy import Basic, Expr, Pow, S, Symbol, Tuple, sympify
from sympy.core.function import AppliedUndef, UndefinedFunction

from symopt.errors import DeclarationError
from symopt.notation import Index


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
    """A sum over one index that shows its bounds, or leaves them out, as its author wrote it.

    ``Sigma(f, (i, 1, m), (j, 1, n))`` is a sum of sums, the first one outermost.
    """

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, body: Any, over: Any, *inner: Any) -> Sigma:
        if inner:  # several sums at once, the outermost first
            body = Sigma(body, *inner)
        limits = over if isinstance(over, tuple | Tuple) else (over,)
        if len(limits) not in (1, 3) or not isinstance(limits[0], Index):
            raise DeclarationError(
                f"a sum over {over} has no index; write Sigma(body, (i, 1, n)) or Sigma(body, i)"
            )
        return Expr.__new__(cls, sympify(body), Tuple(*map(sympify, limits)))

    def _eval_derivative(self, variable: Expr) -> Expr:
        return Sigma(self.body.diff(variable), self.args[1])

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


class Largest(Expr):
    """The largest of a group of numbers, one for each value of an index from 1 on."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, body: Any, over: Any) -> Largest:
        limits = over if isinstance(over, tuple | Tuple) else ()
        if len(limits) != 3 or not isinstance(limits[0], Index):
            raise DeclarationError(
                f"the largest over {over} has no index with bounds; write Largest(x[i], (i, 1, m))"
            )
        return Expr.__new__(cls, sympify(body), Tuple(*map(sympify, limits)))

    @property
    def free_symbols(self) -> set[Basic]:
        """The letters on which it depends, its own index not among them."""
        index, *ends = self.args[1]
        outside = (one for end in ends for one in end.free_symbols)
        return (self.body.free_symbols - {index}).union(outside)

    @property
    def body(self) -> Expr:
        """What is compared."""
        return self.args[0]

    @property
    def index(self) -> Index:
        """What tells the numbers apart."""
        found: Index = self.args[1][0]
        return found

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        """The first and the last value of the index."""
        limits = self.args[1]
        return limits[1], limits[2]


class Inside(Expr):
    """1 where a whole number lies from ``low`` to ``high``, else 0: Iverson's bracket.

    A factor beside it that has no value outside of these bounds counts as 0 there.
    """

    is_commutative = True
    is_nonnegative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, place: Any, low: Any, high: Any) -> Inside:
        return Expr.__new__(cls, *map(sympify, (place, low, high)))


class Expectation(Expr):
    """The mean of a random quantity over the data that it depends on."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, quantity: Any) -> Expectation:
        return Expr.__new__(cls, sympify(quantity))


class Variance(Expr):
    """The mean square of what a random quantity is more or less than its mean."""

    is_commutative = True
    is_nonnegative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, quantity: Any) -> Variance:
        return Expr.__new__(cls, sympify(quantity))


class Distribution(Basic):
    """What a random letter is drawn from, its values at unlike elements independent."""

    __slots__ = ()


class Bernoulli(Distribution):
    """1 with a probability, the ``share``, and else 0."""

    __slots__ = ()

    def __new__(cls, share: Any) -> Bernoulli:
        return Basic.__new__(cls, sympify(share))

    @property
    def share(self) -> Expr:
        """The probability of a 1."""
        return self.args[0]


class Normal(Distribution):
    """Any real number, with the density of Gauss around a ``mean``, of some ``variance``."""

    __slots__ = ()

    def __new__(cls, mean: Any, variance: Any) -> Normal:
        return Basic.__new__(cls, sympify(mean), sympify(variance))

    @property
    def mean(self) -> Expr:
        """The mean."""
        return self.args[0]

    @property
    def variance(self) -> Expr:
        """The square of the standard deviation."""
        return self.args[1]

    @property
    def deviation(self) -> Expr:
        """The standard deviation, as the root of the variance."""
        return Pow(self.variance, S.Half, evaluate=False)


class Argmin(Expr):
    """The number at which an expression is smallest."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, smallest: Any, variable: Expr) -> Argmin:
        return Expr.__new__(cls, sympify(smallest), variable)


class Proximal(Expr):
    """What a proximal step by a weight times a penalty makes of a number: prox_κR(u)."""

    is_commutative = True
    is_real = True
    __slots__ = ()

    def __new__(cls, weight: Expr, penalty: AppliedUndef, place: Expr) -> Proximal:
        return Expr.__new__(cls, weight, penalty, place)


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
