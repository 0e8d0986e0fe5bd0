"""A relation between the states of two rules: given, or found by following both for two steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Basic, Expr, Indexed, Pow, Symbol, cancel, sympify

from symopt.errors import UsageError, nearest
from symopt.notation import Hyperparameter, Sequence
from symopt.printing.unicode import unicode
from symopt.proof.proposals import linear_relation
from symopt.proof.stepping import Stepping


def needed(other: Stepping) -> tuple[Sequence, ...]:
    """The letters of a rule on which its parameters depend, sooner or later."""
    found = {other.parameter}
    while True:
        reading = {
            entry.base
            for expr in (*(other.new[one] for one in found), other.point)
            for entry in expr.atoms(Indexed)
            if entry.base in other.new
        }
        if reading <= found:
            return tuple(one for one in other.old if one in found)
        found |= reading


def hyperparameters_given(
    relation: Mapping[Any, Any] | None, one: Stepping, other: Stepping
) -> tuple[dict[Hyperparameter, Expr], dict[Any, Any] | None]:
    """What a relation says of hyperparameters of the second rule, and what it says of letters.

    Raises
    ------
    UsageError
        For a value that reads anything but hyperparameters of the first rule.
    """
    theirs = {letter.spelling.python: letter for letter in other.hyperparameters}
    ours = {letter.spelling.python: letter for letter in one.hyperparameters}
    called: dict[Hyperparameter, Expr] = {}
    rest: dict[Any, Any] = {}
    for key, value in (relation or {}).items():
        letter = theirs.get(str(key))
        if letter is None or isinstance(key, Indexed | Sequence):
            rest[key] = value
            continue
        expr = sympify(value)
        for symbol in sorted(expr.free_symbols, key=str):
            if str(symbol) not in ours:
                raise UsageError(
                    f"the relation for {letter} reads {symbol}, which {one.name} does not have; "
                    f"{nearest(str(symbol), ours)}"
                )
        called[letter] = expr.xreplace({each: ours[str(each)] for each in expr.free_symbols})
    return called, (rest or None)


def given_relation(
    relation: Mapping[Any, Any], one: Stepping, other: Stepping
) -> dict[Sequence, Expr]:
    """What a user says of the second rule's letters, in entries of the first before step t.

    Raises
    ------
    UsageError
        For a letter that the second rule does not carry, or an entry that the first has not.
    """
    found: dict[Sequence, Expr] = {other.parameter: one.old[one.parameter]}
    known = {letter.spelling.python.removesuffix("_prime"): letter for letter in other.old}
    for key, value in relation.items():
        base = key.base if isinstance(key, Indexed) else key
        letter = known.get(str(base))
        if letter is None:
            raise UsageError(
                f"{other.name} carries no letter {base} along; {nearest(str(base), known)}"
            )
        expr = _in_letters_of(one, sympify(value))
        allowed = set(one.old.values())
        for entry in sorted(expr.atoms(Indexed), key=str):
            if entry not in allowed:
                has = ", ".join(unicode(each) for each in one.old.values())
                raise UsageError(
                    f"the relation for {unicode(base)} reads {unicode(entry)}; before step "
                    f"{unicode(one.step)}, {one.name} has {has}"
                )
        found[letter] = expr
    return found


def _in_letters_of(one: Stepping, expr: Basic) -> Expr:
    """What a user wrote, each letter that of the rule that has its name."""
    letters = {letter.spelling.python: letter for letter in one.old}
    symbols = {letter.spelling.python: letter for letter in one.hyperparameters}
    symbols[one.step.name] = one.step
    if isinstance(expr, Indexed) and str(expr.base) in letters:
        places = (_in_letters_of(one, place) for place in expr.indices)
        return letters[str(expr.base)][tuple(places)]
    if isinstance(expr, Symbol):
        return symbols.get(expr.name, expr)
    if not expr.args or isinstance(expr, Indexed):
        return expr
    return expr.func(*(_in_letters_of(one, part) for part in expr.args))


def found_relation(
    one: Stepping, other: Stepping
) -> tuple[dict[Sequence, Expr], tuple[Sequence, ...]]:
    """Each needed letter of the second rule in letters of the first; those left over.

    Multiples of one letter are looked for first, then linear combinations.
    """
    firsts, seconds = _followed(one), _followed(other)
    relation: dict[Sequence, Expr] = {other.parameter: one.old[one.parameter]}
    missing = []
    for letter in needed(other):
        if letter == other.parameter:
            continue
        factor = None
        for candidate in one.old:
            factor = _factor([values[letter] for values in seconds], [v[candidate] for v in firsts])
            if factor is not None and candidate != one.parameter:
                relation[letter] = factor * one.old[candidate]
                break
        if letter not in relation:
            missing.append(letter)
    relation |= linear_relation(one, other, tuple(missing))
    return relation, tuple(letter for letter in missing if letter not in relation)


def change_of_letters(one: Stepping, other: Stepping) -> dict[Sequence, Expr] | None:
    """All needed letters of the second rule, θ among them, as combinations of the first's."""
    if any(_has_roots(rule.new[rule.parameter]) for rule in (one, other)):
        return None  # where steps take roots, the parameters are no linear combination
    letters = needed(other)
    found = linear_relation(one, other, letters)
    same = found.get(other.parameter) == one.old[one.parameter]
    return found if len(found) == len(letters) and not same else None


def _has_roots(expr: Expr) -> bool:
    return any(one.exp.is_Rational and not one.exp.is_Integer for one in expr.atoms(Pow))


def _followed(rule: Stepping) -> list[dict[Sequence, Expr]]:
    """The letters after the first and after the second step."""
    found, now = [], dict(rule.start)
    for k in (1, 2):
        values: dict[Basic, Basic] = {rule.old[letter]: value for letter, value in now.items()}
        now = {
            letter: expr.xreplace(values).subs(rule.step, k) for letter, expr in rule.new.items()
        }
        found.append(now)
    return found


def _factor(several: list[Expr], others: list[Expr]) -> Expr | None:
    """The constant by which one letter is a multiple of another one at all steps."""
    if any(other == 0 for other in others):
        return None
    ratios = [cancel(one / other) for one, other in zip(several, others, strict=True)]
    first = ratios[0]
    if any(ratio != first for ratio in ratios) or first == 0 or first.atoms(Indexed):
        return None
    return first
