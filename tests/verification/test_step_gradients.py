"""Gradients of steps are accepted in whichever form; one slip refutes them, and says where."""

from dataclasses import replace
from itertools import cycle

import pytest
from handwritten import RULES
from handwritten_vjps import ADAM, TEXTS, vjps, with_vjps
from sampling import every
from sympy import Interval, Rational

from symopt.derivation.rule import derive_rule
from symopt.derivation.update_gradient import update_gradient
from symopt.errors import UsageError
from symopt.judging import verify
from symopt.notation import hyperparameter
from symopt.program import lower_vjp
from symopt.verification import chains, judge_rule
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
        verdict = verify(library[name], dtype, steps=2, gradients=True)
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
        assert verify(rule, gradients=True).where.startswith("adagrad, step_vjp, dL/d"), (
            place,
            how,
        )


ADAM_TEXT = [
    (" + dbeta_2_terms_scale * G_now * dG_hat", "", "beta_2"),
    ("min(start + 1024, size)", "min(start + 1000, size)", ""),
]


@pytest.mark.parametrize(("old", "new", "letter"), every(3, ADAM_TEXT))
def test_a_generated_gradient_with_a_word_changed_is_refuted(mutant, old, new, letter):
    declared, module = mutant("adam", old, new)
    verdict = verify(declared, module=module, gradients=True)
    assert verdict.where.startswith(f"adam, step_vjp, dL/d{letter}"), verdict.message
