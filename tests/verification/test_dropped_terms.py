"""A declaration that lacks a term refutes the kernel of the one that has it, whichever term."""

from dataclasses import replace
from importlib import import_module

import pytest
from handwritten import PENALTIES, RULES, SCHEDULES
from sympy import Add, Indexed

from symopt.declaration import Equation, Slip
from symopt.errors import DeclarationError
from symopt.verification import judge_penalty, judge_rule, judge_schedule
from symopt.views import rebuild

NAMES = (*RULES, *SCHEDULES, *PENALTIES)


def declared(name):
    return getattr(import_module(f"symopt.catalog.lecture.{name}"), name)


def shortened(expr):
    """The expression without one of its terms, for each term of each sum in it."""
    if isinstance(expr, Indexed) or not expr.args:
        return
    if isinstance(expr, Add):
        for k in range(len(expr.args)):
            rest = [one for j, one in enumerate(expr.args) if j != k]
            yield rest[0] if len(rest) == 1 else Add(*rest, evaluate=False)
    for k, part in enumerate(expr.args):
        for less in shortened(part):
            yield rebuild(expr, [*expr.args[:k], less, *expr.args[k + 1 :]])


def without_a_term(one):
    for k, statement in enumerate(one.statements):
        meant = statement.meant.content
        if not isinstance(meant, Equation):
            continue
        for right in shortened(meant.right):
            content = replace(meant, right=right)
            if isinstance(statement.content, Slip):
                content = replace(statement.content, meant=content)
            changed = replace(statement, content=content)
            yield replace(one, statements=(*one.statements[:k], changed, *one.statements[k + 1 :]))


def cases():
    return list(_cases())


def _cases():
    for name in NAMES:
        for k, less in enumerate(without_a_term(declared(name))):
            yield pytest.param(name, less, id=f"{name}-{k}")


def judged(name, less):
    if name in RULES:
        return judge_rule(less, RULES[name])
    if name in SCHEDULES:
        return judge_schedule(less, SCHEDULES[name])
    return judge_penalty(less, *PENALTIES[name])


def test_there_are_terms_to_drop_in_most_of_the_catalogue():
    assert len(cases()) > 60


@pytest.mark.parametrize(("name", "less"), cases())
def test_a_declaration_without_a_term_does_not_fit_its_kernel(name, less):
    try:
        verdict = judged(name, less)
    except DeclarationError:
        return  # what is left has no meaning
    assert not verdict.ok, f"{less} fits the kernel of {name}"
