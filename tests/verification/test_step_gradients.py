"""Gradients of steps are accepted in whichever form; one slip refutes them, and says where."""

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
from handwritten import RULES
from handwritten_vjps import ADAM, TEXTS, vjps, with_vjps
from sympy import Eq, Interval, Rational, sqrt

from symopt.declaration import debias, initially, update_rule
from symopt.derivation.rule import derive_rule
from symopt.derivation.update_gradient import update_gradient
from symopt.errors import UsageError
from symopt.judging import verify
from symopt.nodes import Norm, Sigma
from symopt.notation import hat, hyperparameter
from symopt.program import lower_vjp
from symopt.symbols import alpha, beta, g, t, tau, theta, v
from symopt.verification import Subject, chains, judge_rule
from symopt.views import canonical

FEW = {"steps": 4, "size": 36}
FEWER = {"steps": 2, "size": 36}
rho = hyperparameter("rho", Interval.open(0, 1))


@pytest.mark.parametrize(
    ("name", "dtype"), list(zip(TEXTS, cycle(["float32", "float64"]), strict=False))
)
def test_a_gradient_written_by_hand_is_accepted(library, name, dtype):
    verdict = judge_rule(library[name], with_vjps(name), dtype, **FEWER)
    assert verdict.ok, verdict.message
    alone = judge_rule(library[name], RULES[name], dtype, **FEWER)
    assert verdict.points > 4 * alone.points
    assert "step_vjp" in verdict.note
    assert ("gradient_point_vjp" in verdict.note) == (name == "nesterov")
    # all that concerns the step itself is as it was
    assert "vjp" not in alone.note
    assert alone.error <= verdict.error


def test_the_order_in_which_bias_corrections_are_taken_does_not_matter(library):
    changed = ADAM.replace("/ T(whole_1)", "* T(1 / whole_1)").replace(
        "T(alpha / 2) * v_hat", "v_hat * T(alpha) * T(0.5)"
    )
    verdict = judge_rule(library["adam"], replace(RULES["adam"], **vjps(changed)), **FEWER)
    assert verdict.ok, verdict.message


OWN_V, OWN_G = "own_v = dv + dv_hat / T(whole_1)", "own_G = dG + dG_hat / T(whole_2)"
SLIPS = [
    ("minibatch", "alpha / len(g)", "alpha", "g"),
    ("minibatch", "sum(dtype=float) / len(g)", "sum(dtype=float)", "alpha"),
    ("minibatch", "dalpha = -", "dalpha = ", "alpha"),
    ("minibatch", "np.tile(-T", "np.tile(T", "g"),
    ("momentum", "dv - dtheta", "dv + dtheta", "g"),
    ("momentum", "dv - dtheta", "-dtheta", "g"),
    ("momentum", "dv - dtheta", "dv - 2 * dtheta", "g"),
    ("momentum", '"theta": dtheta.copy()', '"theta": dtheta + own', "theta"),
    ("momentum", "(v * own)", "(g * own)", "gamma"),
    ("momentum", '"alpha": float((g * own)', '"alpha": float((g * dv)', "alpha"),
    ("adam", "- beta_1) * own_v +", "- beta_1) * own_v -", "g"),
    ("adam", " + T(2 * (1 - beta_2)) * g * own_G", "", "g"),
    ("adam", "T(2 * (1 - beta_2))", "T(1 - beta_2)", "g"),
    ("adam", OWN_V, "own_v = dv_hat / T(whole_1)", "g"),
    ("adam", OWN_V, "own_v = dv + dv_hat", "g"),
    ("adam", OWN_G, "own_G = dG", "g"),
    ("adam", "(root * (G_hat + T(epsilon)))", "(root * G_hat)", "g"),
    ("adam", " + T(power_1) * v_hat * dv_hat", "", "beta_1"),
    ("adam", " + T(power_2) * G_hat * dG_hat", "", "beta_2"),
    ("adam", "(v - g) * own_v", "v * own_v", "beta_1"),
    ("adam", "beta_2 ** (t - 1)", "beta_2 ** t", "beta_2"),
    ("adam", "t * beta_1 **", "beta_1 **", "beta_1"),
    ("adam", "float(dG_hat.sum", "float(2 * dG_hat.sum", "epsilon"),
    ("adam", "-float((v_hat / root", "-float((v_new / root", "alpha"),
]


@pytest.mark.parametrize(("name", "old", "new", "letter"), SLIPS)
def test_a_slip_in_a_gradient_is_refuted_where_it_is(library, name, old, new, letter):
    verdict = judge_rule(library[name], with_vjps(name, old, new), **FEW)
    assert verdict.where.startswith(f"{name}, step_vjp, dL/d{letter}, step "), verdict.message
    assert " alpha = " in verdict.message


def test_a_slip_in_the_gradient_of_a_point_is_refuted(library):
    kernels = with_vjps("nesterov", "-T(gamma) * dpoint", "T(gamma) * dpoint")
    verdict = judge_rule(library["nesterov"], kernels, **FEW)
    assert verdict.where == "nesterov, gradient_point_vjp, dL/dv, step 1, element 0"
    kernels = with_vjps("nesterov", "dgamma = -", "dgamma = ")
    verdict = judge_rule(library["nesterov"], kernels, **FEW)
    assert verdict.where.startswith("nesterov, gradient_point_vjp, dL/dgamma, step 2")


FORMS = {
    "a gradient that is left out": (
        '        "alpha": float((g * own).sum(dtype=float)),\n',
        "",
        "the gradients are by theta, g, v, gamma; wanted are those by theta, g, v, alpha, gamma",
    ),
    "a gradient in another precision": (
        '"g": T(alpha) * own',
        '"g": alpha * own.astype(float)',
        "the gradient by g is an array of shape (36,) and float64, where an array of shape (36,) "
        "and float32 is wanted",
    ),
    "an array for a number": (
        "float((v * own).sum(dtype=float))",
        "v * own",
        "the gradient by gamma is an array of shape (36,) and float32, where a number is wanted",
    ),
    "an adjoint that is changed": (
        "own = dv - dtheta",
        "dv -= dtheta; own = dv",
        "the function changes dv, which it only reads",
    ),
    "no adjoint of a state": (
        "dtheta, dv):",
        "dtheta, dv=0):",
        "the function takes no adjoint of v",
    ),
    "a refusal": (
        "own = dv - dtheta",
        "raise ValueError('not now')",
        "the function refuses its inputs: not now",
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_what_is_no_gradient_by_its_form_is_refuted(library, case):
    old, new, words = FORMS[case]
    kernels = with_vjps("momentum", old, new)
    if "dv=0" in new:
        vjp = kernels.step_vjp
        kernels = replace(kernels, step_vjp=replace(vjp, arguments=vjp.arguments[:-1]))
    verdict = judge_rule(library["momentum"], kernels, **FEW)
    assert verdict.message == f"momentum, step_vjp: {words}"


def test_an_argument_that_the_rule_does_not_know_is_refused(library):
    kernels = with_vjps("momentum", "alpha, gamma, dtheta", "alpha, gama, dtheta")
    with pytest.raises(UsageError, match="takes gama; did you mean gamma"):
        judge_rule(library["momentum"], kernels, **FEW)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("own = dv - dtheta", "own = np.nan_to_num(dv - dtheta)", "dL/dg: with dv = nan"),
        ("(v * own)", "np.nan_to_num(v * own)", "dL/dgamma: with v = nan"),
        ('"v": T(gamma) * own', '"v": T(gamma) * own + 0 * own.sum()', "of other elements changes"),
    ],
)
def test_a_bad_number_is_not_hidden_and_stays_where_it_is(library, old, new, words):
    verdict = judge_rule(library["momentum"], with_vjps("momentum", old, new), **FEW)
    assert words in verdict.message


def test_blocks_of_elements_are_judged(library):
    leaving_out = "(g * own)[np.arange(g.size) % 1024 < 1000]"
    verdict = judge_rule(
        library["momentum"], with_vjps("momentum", "(g * own)", leaving_out), **FEW
    )
    assert verdict.where == "momentum, step_vjp, dL/dalpha, step 4"


def test_the_chain_rule_is_held_against_differences(library, monkeypatch):
    off = 1 + Rational(1, 10**9)
    monkeypatch.setattr(chains, "canonical", lambda expr: canonical(expr) * off)
    with pytest.raises(AssertionError, match=r"^adam, step_vjp, dL/d.*: the chain rule gives"):
        judge_rule(library["adam"], with_vjps("adam"), **FEW)


# generated gradients


def test_a_generated_gradient_is_verified(library):
    for name, dtype in (("nesterov", "float32"), ("gd_full", "float64")):
        verdict = verify(library[name], dtype, steps=2)
        assert verdict.ok, verdict.message
        assert "step_vjp" in verdict.note


SPOILT = {"dropped": 0, "doubled": 2, "negated": -1}


def spoilt(found, place, factor):
    """The gradient of a step with one of its shares multiplied by a number."""
    count = iter(range(10**6))

    def changed(several):
        return tuple(
            replace(
                one,
                shares=tuple(
                    replace(x, value=factor * x.value, outer=factor * x.outer)
                    if next(count) == place
                    else x
                    for x in one.shares
                ),
            )
            for one in several
        )

    return replace(found, made=changed(found.made), sources=changed(found.sources))


def test_a_share_of_a_generated_gradient_that_is_wrong_is_refuted(library, monkeypatch):
    rule = library["adagrad"]
    whole = update_gradient(derive_rule(rule))
    last = sum(len(one.shares) for one in (*whole.made, *whole.sources)) - 1
    for place, how in zip((0, last // 2, last), SPOILT, strict=True):
        broken = spoilt(whole, place, SPOILT[how])
        monkeypatch.setattr(lower_vjp, "update_gradient", lambda _, broken=broken: broken)
        assert verify(rule).where.startswith("adagrad, step_vjp, dL/d"), (place, how)


ADAM_TEXT = [
    (" + dbeta_2_terms_scale * G_now * dG_hat", "", "beta_2"),
    ("min(start + 1024, size)", "min(start + 1000, size)", ""),
]


@pytest.mark.parametrize(("old", "new", "letter"), ADAM_TEXT)
def test_a_generated_gradient_with_a_word_changed_is_refuted(mutant, old, new, letter):
    declared, module = mutant("adam", old, new)
    verdict = verify(declared, module=module)
    assert verdict.where.startswith(f"adam, step_vjp, dL/d{letter}"), verdict.message


# what a kernel carries along


@update_rule(defaults={alpha: 0.1, rho: 0.5})
def slowing():
    """An average whose decay varies, so that the kernel carries what is kept of its start."""
    return {
        "average": Eq(v[t], (1 - rho / t) * v[t - 1] + rho / t * g[t]),
        "start": initially(2, v),
        "correction": debias(v),
        "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t]),
    }


SLOWING = """
def step(theta, g, v, kept, t, alpha, rho):
    T = theta.dtype.type
    kept *= 1 - rho / t
    v[:] = T(1 - rho / t) * v + T(rho / t) * g
    theta -= T(alpha) * (v - T(2 * kept[0])) * T(1 / (1 - kept[0]))

def step_vjp(theta, g, v, kept, t, alpha, rho, dtheta, dv, dkept):
    T = theta.dtype.type
    P = kept[0] * (1 - rho / t)
    v_new = T(1 - rho / t) * v + T(rho / t) * g
    rest, one = v_new - T(2 * P), 1 / (1 - P)
    own = dv - T(alpha * one) * dtheta
    dP = dkept[0] + float((T(2 * alpha * one) * dtheta).sum(dtype=float))
    dP -= float((T(alpha * one * one) * rest * dtheta).sum(dtype=float))
    through = -kept[0] / t * dP
    return {
        "theta": dtheta.copy(),
        "g": T(rho / t) * own,
        "v": T(1 - rho / t) * own,
        "kept": np.array([(1 - rho / t) * dP]),
        "alpha": -float((rest * T(one) * dtheta).sum(dtype=float)),
        "rho": float((T(1 / t) * (g - v) * own).sum(dtype=float)) + through,
    }
"""


def carrying(text=SLOWING, first=1.0):
    names: dict = {"np": np}
    exec(text, names)
    arguments = ("theta", "g", "v", "kept", "t", "alpha", "rho")

    def states(start):
        return {"v": np.full_like(start, 2), "kept": np.array([first])}

    return Subject(names["step"], arguments, states, **vjps(text))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_that_the_declaration_has_no_name_for_is_told_by_its_value(dtype):
    verdict = judge_rule(slowing, carrying(), dtype, **FEW)
    assert verdict.ok, verdict.message
    assert "not judged" not in verdict.note


@pytest.mark.parametrize(
    ("old", "new", "letter"),
    [
        ('"kept": np.array([(1 - rho / t) * dP])', '"kept": np.array([dP])', "rho"),
        ("dP = dkept[0] +", "dP =", "rho"),
        ("T(2 * alpha * one) * dtheta", "T(alpha * one) * dtheta", "rho"),
        (" + through", "", "rho"),
    ],
)
def test_a_slip_in_what_goes_through_such_a_number_is_refuted(old, new, letter):
    assert SLOWING.count(old) == 1
    verdict = judge_rule(slowing, carrying(SLOWING.replace(old, new)), **FEW)
    assert verdict.where.startswith(f"slowing, step_vjp, dL/d{letter}, step "), verdict.message


def test_a_number_that_nothing_declared_equals_is_told_and_its_share_left_out():
    thrice = SLOWING.replace("dkept[0]", "adjoint").replace("kept[0]", "(kept[0] / 3)")
    text = thrice.replace("adjoint", "3 * dkept[0]").replace("* dP])", "* dP / 3])")
    verdict = judge_rule(slowing, carrying(text, first=3.0), **FEW)
    assert verdict.ok, verdict.message
    assert "what kept stands for is not declared" in verdict.note


@update_rule(defaults={alpha: 0.1, beta: 0.5, rho: 0.25})
def rooted():
    """A sum over the past within an equation, of which the kernel keeps the sum."""
    return {
        "size": Eq(v[t], sqrt(Sigma(beta ** (t - tau) * g[tau] ** 2, (tau, 1, t)) + rho)),
        "step": Eq(theta[t + 1], theta[t] - alpha * g[t] / v[t]),
    }


def test_a_sum_within_an_equation_is_a_state_of_its_own():
    verdict = verify(rooted, steps=2)
    assert verdict.ok, verdict.message
    assert "not judged" not in verdict.note


@update_rule(defaults={alpha: 0.1, rho: 0.5})
def by_length():
    return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t] / (Norm(g[t]) + rho))}


def test_a_gradient_into_which_all_elements_enter_is_not_judged_and_says_so():
    def step(theta, g, alpha, rho):
        T = theta.dtype.type
        theta -= T(alpha) * g / (np.sqrt(np.sum(g * g, dtype=g.dtype)) + T(rho))

    arguments = ("theta", "g", "alpha", "rho")
    made = vjps("def step_vjp(theta, g, alpha, rho, dtheta):\n    return {}\n")
    verdict = judge_rule(
        by_length, Subject(step, arguments, lambda _: {}, **made), steps=2, size=18
    )
    assert verdict.ok, verdict.message
    assert verdict.note == (
        "step_vjp was not judged: by_length.step reads Norm(g[t]), into which all elements enter"
    )


def test_a_kink_is_counted_and_not_judged():
    @update_rule(defaults={alpha: 0.1})
    def by_size():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * abs(g[t]))}

    text = """
def step(theta, g, alpha):
    theta -= theta.dtype.type(alpha) * abs(g)

def step_vjp(theta, g, alpha, dtheta):
    dalpha = -float((abs(g) * dtheta).sum(dtype=float))
    dg = -theta.dtype.type(alpha) * np.sign(g) * dtheta
    return {"theta": dtheta.copy(), "g": dg, "alpha": dalpha}
"""
    for changed in (
        text,
        text.replace("np.sign(g)", "np.where(g >= 0, 1, -1 + 0 * g).astype(g.dtype)"),
    ):
        names: dict = {"np": np}
        exec(changed, names)
        kernels = Subject(names["step"], ("theta", "g", "alpha"), lambda _: {}, **vjps(changed))
        verdict = judge_rule(by_size, kernels, **FEW)
        assert verdict.ok, verdict.message
        assert verdict.out_of_range
