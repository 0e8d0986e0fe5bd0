"""What is assumed of letters: real unless declared otherwise, and what a user adds to that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import (
    And,
    Basic,
    Eq,
    Expr,
    Ge,
    Gt,
    Indexed,
    IndexedBase,
    Interval,
    Le,
    Lt,
    Ne,
    Product,
    Rational,
    S,
    Sum,
    Symbol,
)
from sympy.assumptions import AppliedPredicate
from sympy.core.relational import Relational

from symopt.errors import UsageError
from symopt.nodes import Largest, Sigma
from symopt.notation import Hyperparameter
from symopt.printing.unicode import unicode

_PREDICATES = (
    *("positive", "negative", "nonnegative", "nonpositive", "nonzero", "zero"),
    *("integer", "real", "complex", "even", "odd", "rational"),
)


@dataclass(frozen=True)
class Setting:
    """Letters that know what is assumed of them, and conditions that every point must satisfy.

    ``names`` maps each letter of the user's to the one that takes its place; ``sizes`` are those
    that say how long sums are and which entry is meant.
    """

    names: Mapping[Basic, Basic]
    conditions: tuple[Basic, ...]
    sizes: tuple[Symbol, ...]
    definitions: tuple[Eq, ...] = ()
    said: tuple[str, ...] = field(default=())

    def inward(self, expr: Basic) -> Basic:
        """An expression of the user's in our letters."""
        return with_whole_indices(_renamed(expr, self.names))

    def outward(self, expr: Basic) -> Basic:
        """An expression of ours in the user's letters."""
        return _renamed(expr, {new: old for old, new in self.names.items()})


def _renamed(expr: Basic, names: Mapping[Basic, Basic]) -> Basic:
    return expr.xreplace({old: new for old, new in names.items() if old != new})


def with_whole_indices(expr: Basic) -> Basic:
    """An expression with what its sums bind known to be a whole number; sums are SymPy's own."""
    if not expr.args:
        return expr
    args = [with_whole_indices(part) for part in expr.args]
    if not isinstance(expr, Sum | Product | Sigma):
        return expr.func(*args)
    body, *limits = args
    names = {
        limit[0]: Symbol(limit[0].name, integer=True) for limit in limits if not limit[0].is_integer
    }
    ends = [(names.get(limit[0], limit[0]), *limit[1:]) for limit in limits]
    return (Product if isinstance(expr, Product) else Sum)(body.xreplace(names), *ends)


def setting(exprs: Iterable[Basic], assumptions: Any = ()) -> Setting:
    """The letters of some expressions with all that is assumed of them.

    A letter is real unless SymPy was told otherwise; what bounds a sum or tells entries apart is
    a whole number.

    Raises
    ------
    UsageError
        For an assumption that is no relation, predicate or conjunction of some.
    """
    exprs = tuple(map(with_whole_indices, exprs))
    stated = tuple(map(with_whole_indices, flat(assumptions)))
    definitions = tuple(one for one in stated if isinstance(one, Eq) and one.lhs.is_Indexed)
    stated = tuple(one for one in stated if one not in definitions)
    everything = (*exprs, *stated, *definitions)
    whole = _whole_numbers(everything)
    # what a definition holds for all of is no size, unless the question is about it too
    patterns = {one for each in definitions for one in each.lhs.indices[0].free_symbols}
    sizes = whole - (patterns - _whole_numbers((*exprs, *stated)))
    facts: dict[Basic, dict[str, bool]] = {}
    conditions: list[Basic] = []
    for one in (*stated, *domains(everything)):
        _take(one, facts, conditions)
    names = _names(everything, whole, facts)
    inner = tuple(with_whole_indices(_renamed(one, names)) for one in conditions)
    return Setting(
        names,
        tuple(one for one in inner if one is not S.true),
        tuple(sorted((names.get(one, one) for one in sizes), key=str)),
        tuple(with_whole_indices(_renamed(one, names)) for one in definitions),
        tuple(unicode(one) if isinstance(one, Relational) else str(one) for one in stated),
    )


def flat(assumptions: Any) -> Iterable[Basic]:
    """Assumptions one by one, conjunctions taken apart."""
    if isinstance(assumptions, And):
        yield from assumptions.args
        return
    if isinstance(assumptions, Basic | bool):
        assumptions = (assumptions,)
    try:
        several = tuple(assumptions)
    except TypeError:
        several = (assumptions,)
    for one in several:
        if isinstance(one, And):
            yield from flat(one)
        elif one is S.true or one is True:
            continue
        elif isinstance(one, Relational | AppliedPredicate):
            yield one
        else:
            raise UsageError(
                f"the assumption {one} is no relation; write x > 0, Ne(x, 0) or Q.positive(x)"
            )


def domains(exprs: Iterable[Basic]) -> Iterable[Basic]:
    """The ranges of hyperparameters as relations."""
    found = {one for expr in exprs for one in expr.atoms(Hyperparameter)}
    for one in sorted(found, key=str):
        domain = one.domain
        if isinstance(domain, Interval):
            if domain.start.is_finite:
                yield (Gt if domain.left_open else Ge)(one, domain.start, evaluate=False)
            if domain.end.is_finite:
                yield (Lt if domain.right_open else Le)(one, domain.end, evaluate=False)


def _whole_numbers(exprs: Iterable[Basic]) -> set[Symbol]:
    """The letters in bounds of sums and places of entries, without those that sums bind."""
    found: set[Symbol] = set()
    for expr in exprs:
        bound: set[Basic] = set()
        for total in expr.atoms(Sum, Product, Sigma, Largest):
            limits = total.args[1:]
            bound |= {limit[0] for limit in limits}
            found |= {one for limit in limits for end in limit[1:] for one in end.free_symbols}
        for entry in expr.atoms(Indexed):
            places = {one for place in entry.indices for one in place.free_symbols}
            found |= {one for one in places if isinstance(one, Symbol)}
        found -= bound - expr.free_symbols
    return found


def _take(one: Basic, facts: dict[Basic, dict[str, bool]], conditions: list[Basic]) -> None:
    """One assumption into what SymPy may know of a letter, or a condition, or both."""
    if isinstance(one, AppliedPredicate):
        word, of = one.function.name, one.arguments[0]
        if word not in _PREDICATES or not isinstance(of, Symbol | Indexed):
            raise UsageError(
                f"the assumption {one} is not understood; write a relation such as x > 0"
            )
        facts.setdefault(_letter(of), {})[word] = True
        return
    if not isinstance(one, Relational):
        raise UsageError(f"the assumption {one} is no relation; write x > 0 or Ne(x, 0)")
    left, right = one.args
    for of, number, kind in ((left, right, type(one)), (right, left, _REVERSED.get(type(one)))):
        if isinstance(of, Symbol | Indexed) and number.is_number and kind is not None:
            known = facts.setdefault(_letter(of), {})
            known["real"] = True
            word = _word(kind, number)
            if word:
                known[word] = True
            if kind is Ne and number == 0:
                known["zero"] = False
            break
    conditions.append(one)


def _word(kind: Any, number: Expr) -> str:
    """What a letter has as its sign, that compares in this way with a number."""
    if kind in (Gt, Ge) and number.is_nonnegative:
        return "positive" if kind is Gt or number.is_positive else "nonnegative"
    if kind in (Lt, Le) and number.is_nonpositive:
        return "negative" if kind is Lt or number.is_negative else "nonpositive"
    return ""


_REVERSED = {Gt: Lt, Lt: Gt, Ge: Le, Le: Ge, Ne: Ne, Eq: Eq}


def _letter(of: Basic) -> Basic:
    """A symbol, or the letter of all entries of an indexed one."""
    return of.base if isinstance(of, Indexed) else of


def _names(
    exprs: tuple[Basic, ...], whole: set[Symbol], facts: Mapping[Basic, Mapping[str, bool]]
) -> dict[Basic, Basic]:
    symbols = sorted(
        {one for expr in exprs for one in _letters(expr)}, key=lambda one: (str(one), repr(one))
    )
    names: dict[Basic, Basic] = {}
    taken: dict[str, int] = {}
    for one in symbols:
        added = dict(facts.get(one, {}))
        if one in whole:
            added["integer"] = True
        own = dict(one._assumptions_orig)
        if not _complex(one):
            added.setdefault("real", True)
        if one.is_integer or added.get("integer"):
            added.pop("real", None)
        name = one.name
        again = taken.get(name, 0)
        taken[name] = again + 1
        known = one.assumptions0
        if again == 0 and all(known.get(word) == value for word, value in added.items()):
            names[one] = one
            continue
        names[one] = _symbol(name + "′" * again, {**own, **added}, one)
    for base in sorted({one for expr in exprs for one in expr.atoms(IndexedBase)}, key=str):
        added = {"real": True, **facts.get(base, {})}
        known = base.assumptions0
        if _complex(base) or all(known.get(word) == value for word, value in added.items()):
            names[base] = base
        else:
            names[base] = IndexedBase(str(base.label), **added)
    return names


def _letters(expr: Basic) -> set[Symbol]:
    """All letters that no sum binds, but not the labels of indexed ones."""
    labels = {one.label for one in expr.atoms(IndexedBase)}
    free = expr.free_symbols
    return {
        one for one in free if isinstance(one, Symbol) and one not in labels and not _is_label(one)
    }


def _is_label(one: Symbol) -> bool:
    return type(one).__name__ == "_Label"


def _complex(one: Any) -> bool:
    """Whether a letter was declared as complex, and not as real."""
    known = one.assumptions0
    return bool(
        known.get("real") is False
        or (known.get("complex") and known.get("real") is None and known.get("commutative"))
    )


def _symbol(name: str, facts: Mapping[str, bool], like: Symbol) -> Symbol:
    try:
        found = Symbol(name, **facts)
        found.is_positive  # noqa: B018  # asking finds contradictions
    except Exception as error:  # SymPy's own kind is not public
        raise UsageError(
            f"what is assumed of {unicode(like)} cannot be all true: "
            + ", ".join(word if value else f"not {word}" for word, value in facts.items())
        ) from error
    return found


def assumed(symbol: Expr, value: Rational) -> bool:
    """Whether a number has all that is assumed of a letter.

    >>> assumed(Symbol("n", positive=True, integer=True), Rational(1, 2))
    False
    """
    return all(
        getattr(value, f"is_{word}") is known
        for word, known in symbol.assumptions0.items()
        if word in _PREDICATES
    )
