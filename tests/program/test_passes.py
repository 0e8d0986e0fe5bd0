"""Each pass: before ⇒ after, and that after means the same as before."""

import math

import mpmath
import numpy as np
import pytest
from sympy import Add, Eq, Indexed, Mul, S, Symbol, evaluate, sqrt

from symopt import compile, initially
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import Assignment
from symopt.printing.unicode import unicode
from symopt.program.accurate import accurate
from symopt.program.average import average_form
from symopt.program.hoist import Numbers, hoist
from symopt.program.invariants import check
from symopt.program.ir import ARRAY, Argument, Assign, Kernel, Loop, element, local
from symopt.program.lower import lower_step
from symopt.program.share import share
from symopt.symbols import G, alpha, beta, beta_1, epsilon, g, gamma, m, t, theta, v
from symopt.targets.python_code import number_code
from symopt.views import canonical

with evaluate(False):
    AVERAGES = {
        "vₜ₋₁ + (1 − β)·(gₜ − vₜ₋₁)": beta * v[t - 1] + (1 - beta) * g[t],
        "vₜ₋₁ + (1 − β)·(gₜ² − vₜ₋₁)": (1 - beta) * g[t] ** 2 + v[t - 1] * beta,
        "vₜ₋₁ + 1/t·(gₜ − vₜ₋₁)": (1 - 1 / t) * v[t - 1] + g[t] / t,
        "vₜ₋₁ + β·(gₜ − vₜ₋₁)": beta * g[t] + (1 - beta) * v[t - 1],
    }
    OTHERS = {
        "a sum": v[t - 1] + g[t],
        "weights that do not add up to one": gamma * v[t - 1] + (1 - beta) * g[t],
        "another letter's past": beta * G[t - 1] + (1 - beta) * g[t],
        "a difference": beta * v[t - 1] - (1 - beta) * g[t],
    }


@pytest.mark.parametrize("after", AVERAGES)
def test_an_exponential_average_becomes_a_step_towards_the_new(after):
    before = AVERAGES[after]
    made = average_form(Assignment("rule.v", v[t], before)).right
    assert unicode(made) == after
    assert canonical(canonical(made) - canonical(before)).expand() == 0


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_exponential_average_is_left_alone(case):
    stated = Assignment("rule.v", v[t], OTHERS[case])
    assert average_form(stated) is stated


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (lambda: (1 - beta) * g[t], "one_minus_beta·gₜ", {"one_minus_beta": "1 − β"}),
        (lambda: v[t] / (1 - beta**t), "vₜ·x_scale", {"x_scale": "1/(1 − βᵗ)"}),
        (lambda: alpha / m * g[t], "x_scale·gₜ", {"x_scale": "α/m"}),
        (
            lambda: alpha / sqrt(G[t] + epsilon) * v[t],
            "alpha/√(Gₜ + epsilon)·vₜ",
            {"epsilon": "ε", "alpha": "α"},
        ),
        (lambda: g[t] + 1, "gₜ + one", {"one": "1"}),
        (lambda: 1 / g[t], "one/gₜ", {"one": "1"}),
        (lambda: g[t] ** 2, "gₜ²", {}),
        (lambda: 3 * g[t] * alpha, "x_scale·gₜ", {"x_scale": "3·α"}),
    ],
)
def test_numbers_leave_the_loop(before, after, held):
    numbers = Numbers(set())
    with evaluate(False):
        expr = before()
    assert unicode(hoist(expr, numbers, "x")) == after
    assert {name: unicode(expr) for expr, name in numbers.found.items()} == held


def test_a_name_that_is_taken_is_not_given_twice():
    numbers = Numbers({"one_minus_beta"})
    assert str(numbers.name(1 - beta, "x")) == "one_minus_beta_2"
    assert str(numbers.name(1 - beta, "x")) == "one_minus_beta_2"


def test_a_part_that_is_written_twice_is_shared():
    part = sqrt(g[t] + 1)
    stated = (Assignment("a", v[t], part * 2), Assignment("b", theta[t + 1], theta[t] - part))
    found, (letter,) = share(stated, t, frozenset())
    assert [one.left for one in found] == [letter[t], v[t], theta[t + 1]]
    assert found[0].right == part
    assert not any(one.right.has(sqrt(g[t] + 1)) for one in found[1:])


def test_values_of_different_steps_are_not_shared():
    stated = (
        Assignment("a", v[t], sqrt(v[t - 1] + 1)),
        Assignment("b", theta[t + 1], theta[t] - sqrt(v[t] + 1)),
    )
    assert share(stated, t, frozenset()) == (stated, ())


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999, 1 - 1e-9])
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_the_complement_of_a_power_keeps_its_digits(decay, step):
    """Against mpmath at 50 digits: 4 ulp, for a logarithm, a product and expm1 each add one."""
    with evaluate(False):
        code = number_code(accurate(1 - beta_1**t))
    made = eval(code, {"math": math, "beta_1": decay, "t": float(step)})
    with mpmath.workdps(50):
        wanted = 1 - mpmath.mpf(decay) ** step
        assert abs(made - wanted) <= 4 * np.finfo(float).eps * wanted


def test_powers_that_may_be_of_negative_numbers_are_left_alone():
    wide = Symbol("w", real=True)
    with evaluate(False):
        assert accurate(1 - wide**t) == Add(1, Mul(-1, wide**t))
        assert accurate(1 - beta**2) == Add(1, Mul(-1, beta**2))


def test_an_old_value_that_is_read_late_is_kept(declare):
    rule = declare(
        lambda: {
            "average": Eq(v[t], beta * v[t - 1] + g[t]),
            "step": Eq(theta[t + 1], theta[t] - alpha * (v[t] - v[t - 1])),
            "start": initially(0, v),
        }
    )
    module = compile(rule)
    theta_, v_ = np.array([0.0]), np.array([4.0])
    module.step(theta_, np.array([1.0]), v_, alpha=1.0, beta=0.5)
    assert (v_[0], theta_[0]) == (3.0, 1.0)


def test_every_kernel_of_the_catalogue_reads_and_writes_each_array_once_a_step(rules):
    """One pass over memory: no array is indexed twice under different loops."""
    for rule in rules:
        kernel = lower_step(derive_rule(rule))
        loops = [one for one in kernel.body if isinstance(one, Loop)]
        assert len(loops) == 1, rule.name


def broken(**changes):
    i = local("i")
    whole = {
        "value": element("v", i),
        "target": element("v", i),
        "written": True,
        **changes,
    }
    loop = Loop(i, S.Zero, "size", (Assign(whole["target"], whole["value"]),))
    return Kernel("_step", (Argument("v", ARRAY, whole["written"]),), (), (loop,), "v")


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (broken(value=element("v", local("i")) + 1), "numbers inside loops are typed"),
        (broken(value=local("w")), "w is read before it is known"),
        (broken(written=False), "v.i. is written, but no output"),
        (broken(value=v[t]), "is still an entry of a sequence"),
    ],
)
def test_an_invariant_that_is_broken_is_noticed(kernel, message):
    with pytest.raises(AssertionError, match=message):
        check(kernel)


def test_a_kernel_that_keeps_all_invariants_passes():
    kernel = broken()
    assert check(kernel) is kernel
    assert isinstance(kernel.body[0].body[0].target, Indexed)
