"""Rules that read the parameters two steps back ⇒ rules that carry them along."""

from __future__ import annotations

from dataclasses import replace

from sympy import Basic, Indexed, Integer

from symopt.declaration import Equation, Initial, Statement, UpdateRule
from symopt.derivation.times import entries, step_index
from symopt.notation import Sequence, sequence
from symopt.views import canonical, rewrite


def with_lags(rule: UpdateRule) -> UpdateRule:
    """θ_{t+1} = … θ_{t−1} … ⇒ θ_{t+1} = … p_{t−1} … with p_t = θ_t and p_0 = θ_1.

    A run starts at rest, its parameters the same before the first step and one step earlier. Other
    rules stay as they are.
    """
    step = step_index(*(one.left for _, one in rule.equations))
    found = _read_late(rule, step)
    if found is None:
        return rule
    entry, letter = found
    kept = sequence(
        f"{letter.spelling.python}_before",
        latex=rf"{letter.spelling.latex}^{{-}}",
        unicode=f"{letter.spelling.unicode}⁻",
    )

    def change(node: Basic) -> Basic | None:
        return kept[step - 1] if node == entry else None

    def put(one: Statement) -> Statement:
        content = one.content
        if not isinstance(content, Equation):
            return one
        return replace(one, content=replace(content, right=rewrite(content.right, change)))

    keeping = Statement("keeping", Equation(kept[step], letter[step]))
    starting = Statement("starting", Initial(letter[Integer(1)], (kept,)))
    statements = (*map(put, rule.statements), keeping, starting)
    return replace(rule, statements=statements, file="")


def _read_late(rule: UpdateRule, step: Basic) -> tuple[Indexed, Sequence] | None:
    """An entry two steps before the one that its own equation defines, of what has no start."""
    defined = {
        one.left.base: canonical(one.left.indices[0] - step)
        for _, one in rule.equations
        if isinstance(one.left, Indexed)
    }
    for _, one in rule.equations:
        for entry in entries(one.right):
            place = defined.get(entry.base)
            if place != 1 or len(entry.indices) != 1 or entry.base in rule.initial_values:
                continue
            if canonical(entry.indices[0] - step) == -1:
                return entry, entry.base
    return None
