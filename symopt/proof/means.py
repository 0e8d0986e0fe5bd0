"""Expectations as plain letters: E is linear, and means of given letters are the same at each step.

Of what a recurrence defines the mean is a sequence with a recurrence of its own. Means of products
of several letters, or of one at several steps, are left alone: nothing says that they are
independent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sympy import Add, Basic, Dummy, Eq, Expr, Indexed, IndexedBase, Mul, Product, Sum, Symbol
from sympy import expand as multiplied_out

from symopt.derivation.steps import Reason
from symopt.nodes import Expectation, Gradient, Variance
from symopt.proof.definitions import bare
from symopt.proof.unfolding import Names, Said, Unclear, plain, unfolded

_PLACE = Symbol("·", integer=True, positive=True)
_SHOWN = Symbol("k", integer=True, positive=True)


@dataclass
class Means:
    """The letters that stand for means, as far as lines speak of some.

    ``alike`` are the functions of given letters whose means are taken to be the same at each step.
    """

    known: Said
    names: Names
    alike: dict[Expr, Symbol] = field(default_factory=dict)
    averages: dict[Basic, IndexedBase] = field(default_factory=dict)

    def without_means(self, expr: Basic) -> Basic:
        """An expression in plain form with letters in place of means.

        Raises
        ------
        Unclear
            For a mean of which nothing is known.
        """
        if isinstance(expr, Expectation):
            return self.mean(self._put_in(expr.args[0]))
        if isinstance(expr, Variance):
            (of,) = (self._put_in(one) for one in expr.args)
            return self.mean(of**2) - self.mean(of) ** 2
        if not expr.args or not expr.has(Expectation, Variance):
            return expr
        if isinstance(expr, Sum):
            return expr.func(self.without_means(expr.args[0]), *expr.args[1:])
        return expr.func(*(self.without_means(part) for part in expr.args))

    def mean(self, expr: Expr) -> Expr:
        """E of an expression in which all that can be is put in for letters."""
        if not _by_chance(expr):
            return expr
        if isinstance(expr, Add):
            return Add(*map(self.mean, expr.args))
        if isinstance(expr, Mul):
            return self._of_product(expr)
        if isinstance(expr, Sum):
            if any(_by_chance(end) for limit in expr.args[1:] for end in limit[1:]):
                raise Unclear("a sum whose length is left to chance")
            return expr.func(self.mean(expr.args[0]), *expr.args[1:])
        if isinstance(expr, Indexed) and expr.base in self._again:
            return self._average(expr.base)[expr.indices]
        return self._of_one_place(expr)

    def _of_product(self, expr: Mul) -> Expr:
        fixed = Mul(*(one for one in expr.args if not _by_chance(one)))
        chance = Mul(*(one for one in expr.args if _by_chance(one)))
        if not isinstance(chance, Mul):
            return fixed * self.mean(chance)
        apart = multiplied_out(chance)
        if isinstance(apart, Add):
            return fixed * self.mean(apart)
        return fixed * self._of_one_place(apart)

    def _of_one_place(self, expr: Expr) -> Expr:
        """The mean of a function of one given letter at one step, the same at each of them."""
        apart = multiplied_out(expr)
        if isinstance(apart, Add | Mul) and not isinstance(expr, Mul):
            return self.mean(apart)
        entries = expr.atoms(Indexed)
        if len(entries) != 1 or expr.has(Sum, Product, Gradient, Expectation, Variance):
            raise Unclear(f"the mean of {expr}, which is of several letters")
        (entry,) = entries
        if entry.base in self._again or len(entry.indices) != 1:
            raise Unclear(f"the mean of {expr}")
        # a step that stands beside the letter as well is no place of the letter alone
        mark = Dummy()
        beside = expr.xreplace({entry: mark})
        if beside.free_symbols & entry.indices[0].free_symbols:
            raise Unclear(f"the mean of {expr}, which is another function at each step")
        pattern = beside.xreplace({mark: entry.base[_PLACE]})
        if pattern not in self.alike:
            self.alike[pattern] = Symbol(f"E[{pattern}]", real=True)
        if len(set(self.alike.values())) < len(self.alike):
            raise Unclear("two letters with one name")
        return self.alike[pattern]

    def _put_in(self, expr: Expr) -> Expr:
        if expr.has(Gradient):
            raise Unclear("the mean of a gradient")
        if expr.has(Expectation, Variance):
            raise Unclear("a mean within a mean")
        return unfolded(expr, replace(self.known, loose={}), self.names)

    @property
    def _again(self) -> frozenset[Basic]:
        several = (*self.known.recurrences, *(one for one, _ in self.known.loose.values()))
        return frozenset(bare(one.lhs) for one in several)

    def _average(self, base: Basic) -> IndexedBase:
        if base not in self.averages:
            self.averages[base] = IndexedBase(f"E[{base}]", real=True)
        if len(set(self.averages.values())) < len(self.averages):
            raise Unclear("two letters with one name")
        return self.averages[base]

    def said(self) -> Said:
        """What is said of means of letters that recurrences define."""
        starts: list[Eq] = []
        recurrences: list[Eq] = []
        loose: dict[Basic, tuple[Eq, int]] = {}
        done: set[Basic] = set()
        while len(done) < len(self.averages):
            base = next(one for one in self.averages if one not in done)
            done.add(base)
            recurrences += self._equations(base, self.known.recurrences)
            starts += self._equations(base, self.known.starts)
            if base in self.known.loose:
                one, last = self.known.loose[base]
                (found,) = self._equations(base, (one,))
                loose[self._average(base)] = (found, last)
        return Said({}, tuple(recurrences), tuple(starts), loose)

    def _equations(self, base: Basic, several: tuple[Eq, ...]) -> Iterator[Eq]:
        for one in several:
            if bare(one.lhs) == base:
                right = self.mean(self._put_in(plain(one.rhs, self.names)))
                left = self._average(base)[one.lhs.indices]
                yield Eq(left, right, evaluate=False)

    @property
    def conditions(self) -> tuple[Reason, ...]:
        """What is taken to hold of given letters."""
        return tuple(
            (Expectation(pattern.xreplace({_PLACE: _SHOWN})), " is the same for every ", _SHOWN)
            for pattern in self.alike
        )


def _by_chance(expr: Basic) -> bool:
    """Whether an expression depends on chance: on entries of letters."""
    return bool(expr.atoms(Indexed))
