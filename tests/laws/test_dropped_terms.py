"""A term missing from any declaration does not go unnoticed."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sympy import Add, Expr, Mul, S

from symopt.cli.library import catalogue
from symopt.declaration import Aside, Equation, Minimize, Slip, UpdateRule
from symopt.errors import SymoptError
from symopt.judging import subject
from symopt.runtime.generation import differences, files
from symopt.verification.judge import judge_rule
from symopt.views import rebuild, signed_terms

GENERATED = Path(__file__).parent.parent.parent / "generated"


def dropped(expr: Expr):
    """Every expression that lacks one additive term of this one, at whatever depth it stands."""
    if isinstance(expr, Add):
        terms = signed_terms(expr)
        for place in range(len(terms)):
            kept = [
                Mul(S.NegativeOne, term, evaluate=False) if negative else term
                for k, (negative, term) in enumerate(terms)
                if k != place
            ]
            yield kept[0] if len(kept) == 1 else Add(*kept, evaluate=False)
    if not expr.is_Indexed:
        for place, part in enumerate(expr.args):
            if isinstance(part, Expr):
                for less in dropped(part):
                    arguments = [*expr.args[:place], less, *expr.args[place + 1 :]]
                    yield rebuild(expr, arguments)


def less(content):
    """Every statement that lacks a term of this one."""
    match content:
        case Equation():
            yield from (replace(content, right=right) for right in dropped(content.right))
        case Aside(shown):
            yield from (Aside(one) for one in less(shown))
        case Slip(shown, meant):
            yield from (replace(content, shown=one) for one in less(shown))
            yield from (replace(content, meant=one) for one in less(meant))
        case Minimize():
            yield from (replace(content, expr=expr) for expr in dropped(content.expr))


def mutants(declared):
    for place, statement in enumerate(declared.statements):
        for k, content in enumerate(less(statement.content)):
            others = list(declared.statements)
            others[place] = replace(statement, content=content)
            name = f"{declared.id_of(statement.key)}-{k}"
            yield pytest.param(declared, replace(declared, statements=tuple(others)), id=name)


ALL = [one for declared in catalogue() for one in mutants(declared)]
RULES = [one for one in ALL if isinstance(one.values[0], UpdateRule)]


def test_there_are_terms_to_drop_in_most_declarations():
    assert len(ALL) > 60


@pytest.mark.parametrize(("declared", "mutant"), ALL)
def test_generate_check_notices_a_dropped_term(declared, mutant):  # noqa: ARG001  # one table
    try:
        texts = files([mutant])
    except SymoptError:
        return  # a declaration that means nothing without the term: generate stops at once
    assert list(differences(GENERATED, texts))


@pytest.fixture(scope="module")
def committed(load):
    """The modules that are committed, whatever their declarations say today."""
    return cache(lambda name: load(GENERATED / f"numba/{name}.py"))


@pytest.mark.parametrize(("declared", "mutant"), RULES)
def test_the_judge_refutes_the_committed_kernel_against_a_declaration_without_a_term(
    committed, declared, mutant
):
    if declared.equations == mutant.equations:
        return  # an aside, or the printed side of a slip: computed by nothing
    try:
        kernel = subject(declared, committed(declared.name))
        verdict = judge_rule(mutant, kernel, "float64", steps=4)
    except SymoptError:
        return  # the judge finds no meaning in the mutant, or a kernel that takes too much
    assert not verdict.ok
    assert verdict.message
