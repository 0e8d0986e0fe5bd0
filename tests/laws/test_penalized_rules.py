"""Every rule with every penalty: one kernel does what the penalty's and the rule's do in turn."""

import inspect
import math
from itertools import cycle

import numpy as np
import pytest
import torch
from sampling import every
from sympy import sign

from symopt import compile, penalized, verify
from symopt.cli.library import catalogue
from symopt.declaration import Debias, Regularizer, UpdateRule
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import INPUT
from symopt.nodes import Gradient
from symopt.targets.numba import render_module
from symopt.targets.numba_rule import class_name
from symopt.targets.target import Options
from symopt.verification.quantity import FLOAT64

RULES = [one for one in catalogue() if isinstance(one, UpdateRule)]
PENALTIES = [one for one in catalogue() if isinstance(one, Regularizer)]
PAIRS = [
    pytest.param(rule, one, id=f"{rule.name}-{one.name}") for rule in RULES for one in PENALTIES
]
GRID = 2.0**-4
U = FLOAT64.unit


def batch(rule):
    """Whether the rule takes a gradient for each example."""
    return any(one.examples for one in derive_rule(rule).of_role(INPUT))


def of_module(function, values):
    """The function called with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(**{name: value for name, value in values.items() if name in taken})


def rounded(arrays):
    for one in arrays:
        one[...] = np.round(one / GRID) * GRID


@pytest.mark.parametrize(("rule", "penalty"), PAIRS)
def test_one_kernel_does_what_two_do_in_turn(rule, penalty):
    """Bit by bit: on whole multiples of 1/16 no sum or product up to g̃ rounds, in any order.

    θ, the states and g have at most 12 binary digits there and all numbers are powers of two, so
    that the penalized gradient has fewer than the 53 of float64. What follows from it is computed
    by the same equations. After each step all are rounded to the grid again. Memory is gone over
    as often as without a penalty.
    """
    fused, plain, alone = (compile(one) for one in (penalized(rule, penalty), rule, penalty))
    random = np.random.default_rng(7)
    numbers = {"alpha": 0.5, "beta": 0.5, "beta_1": 0.5, "beta_2": 0.25, "gamma": 0.5}
    numbers |= {"epsilon": 0.25}
    theta = np.round(random.normal(size=99) / GRID) * GRID
    theta[::3] = 0.0
    start = theta.copy()
    states = fused.initial_states(theta)
    other, others = theta.copy(), plain.initial_states(theta)
    assert states.keys() == others.keys()
    zeros = 0
    for t in range(1, 9):
        g = np.round(random.normal(size=(4, 99) if batch(rule) else 99) / GRID) * GRID
        values = {**numbers, "theta": theta, "g": g.copy(), **states, "t": t, "lambda_": 0.125}
        of_module(fused.step, values)
        before = {**numbers, "theta": other, **others, "t": t}
        point = (
            of_module(plain.gradient_point, before) if hasattr(plain, "gradient_point") else other
        )
        zeros += np.count_nonzero(point == 0)
        for one in g if batch(rule) else [g]:
            alone.gradient(point, one, 0.125)
        of_module(plain.step, {**before, "g": g})
        assert theta.tobytes() == other.tobytes()
        for name, state in states.items():
            assert state.tobytes() == others[name].tobytes()
        rounded([theta, other, *states.values(), *others.values()])
    assert zeros > 40
    loops = [inspect.getsource(one._step.py_func).count("for ") for one in (fused, plain)]
    assert loops[0] == loops[1]
    assert np.count_nonzero(theta != start) > 66


def sample():
    """A rule for each way in which gradients come in, with a penalty with and without a kink."""
    ways = {
        "a request": lambda one: any(isinstance(s.content, Debias) for s in one.statements),
        "a point": lambda one: derive_rule(one).gradient_point is not None,
        "examples": batch,
        "a letter": lambda one: any(isinstance(e.right, Gradient) for _, e in one.equations),
    }
    found, dtypes = {}, cycle(("float32", "float64", "float64", "float32"))
    for word, holds in ways.items():
        rule = next(one for one in RULES if holds(one))
        for kink in (True, False):
            one = next(p for p in PENALTIES if derive_penalty(p).gradient.has(sign) == kink)
            name = f"{word}, {'a kink' if kink else 'none'}"
            dtype = next(dtypes)
            found[f"{name}, {dtype}"] = penalized(rule, one), dtype
    return found


SAMPLE = sample()


@pytest.mark.parametrize("case", every(3, SAMPLE))
def test_the_judge_proves_a_penalized_rule_like_any_other(case):
    made, dtype = SAMPLE[case]
    verdict = verify(made, dtype, steps=5)
    assert verdict.ok, verdict.message
    assert verdict.error < verdict.bound


def test_the_class_steps_with_a_penalty_that_follows_a_schedule(library):
    made = penalized(library["sgd"], library["l2"])
    module = compile(made)
    theta = np.array([1.0, -2.0])
    optimizer = getattr(module, class_name(made.name))(
        [theta], alpha=0.5, lambda_=lambda t: 0.5 / t
    )
    optimizer.step([np.zeros(2)])
    assert list(theta) == [0.5, -1.0]
    optimizer.step([np.zeros(2)])
    assert list(theta) == [0.375, -0.75]


def test_the_gradient_of_a_step_reaches_parameters_and_weight(library):
    """θ' = θ − α(g + λ·sign θ + 2λθ), differentiated by hand; all is exact."""
    module = compile(penalized(library["sgd"], library["elastic_net"]))
    theta, g = np.array([2.0, -1.0, 0.0]), np.array([0.5, 0.25, 1.0])
    alpha, lambda_, back = 0.5, 0.25, np.array([1.0, 2.0, -4.0])
    found = module.step_vjp(theta, g, alpha, lambda_, dtheta=back)
    slope = np.sign(theta) + 2 * theta
    assert np.array_equal(found["theta"], back * (1 - 2 * alpha * lambda_))
    assert np.array_equal(found["g"], -alpha * back)
    assert found["alpha"] == -np.sum(back * (g + lambda_ * slope))
    assert found["lambda_"] == -alpha * np.sum(back * slope)


def test_without_a_weight_the_penalty_is_gone(library):
    module, plain = (
        compile(penalized(library["adam"], library["elastic_net"])),
        compile(library["adam"]),
    )
    theta, g = np.linspace(-1, 1, 9), np.linspace(2, -1, 9)
    other = theta.copy()
    module.step(theta, g, **module.initial_states(theta), t=1, lambda_=0.0)
    plain.step(other, g, **plain.initial_states(other), t=1)
    assert np.array_equal(theta, other)


def test_a_weight_outside_its_range_is_refused_before_anything_moves(library):
    module = compile(penalized(library["sgd"], library["l2"]))
    theta = np.ones(2)
    for wrong in (-1e-4, math.nan, math.inf):
        with pytest.raises(
            ValueError, match=r"^sgd_l2: lambda_ = .* is outside its range \[0, ∞\)$"
        ):
            module.step(theta, np.ones(2), lambda_=wrong)
    assert list(theta) == [1.0, 1.0]


# beside PyTorch


def test_sgd_with_l2_is_the_weight_decay_of_pytorch(library):
    """θ' = θ − α(g + 2λθ) in both; each step is off by few roundings of its terms' magnitudes.

    The product 2λ·θ, the sum with g, the product with α and the difference round once each, in
    the kernel and in PyTorch: 8·u·(|θ| + α(|g| + 2λ|θ|)) a step. An error in θ is multiplied by
    1 − 2αλ < 1 from step to step, so that errors add up at most.
    """
    module = compile(penalized(library["sgd"], library["l2"]))
    random = np.random.default_rng(0)
    theta = random.normal(size=50)
    theta[::5] = 0.0
    mirror = torch.tensor(theta.copy(), requires_grad=True)
    alpha, lambda_ = 0.05, 0.3
    optimizer = torch.optim.SGD([mirror], lr=alpha, weight_decay=2 * lambda_)
    allowed = np.zeros(50)
    for _ in range(100):
        g = random.normal(size=50)
        allowed += 8 * U * (abs(theta) + alpha * (abs(g) + 2 * lambda_ * abs(theta)))
        mirror.grad = torch.tensor(g)
        optimizer.step()
        module.step(theta, g, alpha=alpha, lambda_=lambda_)
        assert np.all(abs(theta - mirror.detach().numpy()) <= allowed)


def test_adam_with_l2_is_autograd_of_the_loss_with_the_penalty_and_then_adam(library):
    """From the same state; all numbers are positive, so that nothing cancels and roundings add up.

    Relative errors in units u, in the kernel and in PyTorch: the gradient of h·θ + λ‖θ‖² takes at
    most 4 roundings each, so g̃ differs by 8 and g̃² by 18; v by 8 and G by 18, and 4 each for either
    average's own operations, so by 16 and 26; v̂ and Ĝ by 6 more each for the correction (its own
    expm1 and log are the same numbers), the root halves 32 and adds 2, and quotient and product
    add 4: less than 64. The difference with θ adds 2 roundings of the result.
    """
    module = compile(penalized(library["adam"], library["l2"]))
    random = np.random.default_rng(1)
    theta, states = random.uniform(1, 2, 40), None
    states = module.initial_states(theta)
    alpha, beta_1, beta_2, epsilon, lambda_ = 1e-2, 0.9, 0.999, 1e-8, 0.1
    for t in range(1, 31):
        h = random.uniform(0.5, 1.5, 40)
        mirror = torch.tensor(theta.copy(), requires_grad=True)
        v, G = (torch.tensor(states[name].copy()) for name in "vG")
        loss = (torch.tensor(h) * mirror).sum()
        (loss + lambda_ * (mirror**2).sum()).backward()
        v = beta_1 * v + (1 - beta_1) * mirror.grad
        G = beta_2 * G + (1 - beta_2) * mirror.grad**2
        v_hat = v / -math.expm1(t * math.log(beta_1))
        G_hat = G / -math.expm1(t * math.log(beta_2))
        moved = alpha / torch.sqrt(G_hat + epsilon) * v_hat
        wanted = (mirror.detach() - moved).numpy()
        module.step(
            theta, h, **states, t=t, alpha=alpha, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            lambda_=lambda_,
        )  # fmt: skip
        allowed = 64 * U * moved.numpy() + 2 * U * abs(wanted)
        assert np.all(abs(theta - wanted) <= allowed)


# spoilt by hand


SPOILT = {
    "the weight is dropped": ("l2", "real(2.0 * lambda_)", "real(2.0)"),
    "the factor 2 is forgotten": ("l2", "real(2.0 * lambda_)", "real(lambda_)"),
    "the penalty is dropped": ("l2", "g[i] + g_tilde_scale * theta[i]", "g[i]"),
    "the penalty is subtracted": ("l1", "g[i] + lambda_ *", "g[i] - lambda_ *"),
    "the square is dropped": ("elastic_net", " + g_tilde_scale * theta[i]", ""),
    "a sign of the gradient": ("l1", "np.sign(theta[i])", "np.sign(g[i])"),
    "a sign at zero": ("l1", "np.sign(theta[i])", "math.copysign(real(1.0), theta[i])"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_kernel_is_refuted(tmp_path, load, library, case):
    penalty, old, new = SPOILT[case]
    made = penalized(library["adam"], library[penalty])
    text = render_module(made, Options())
    head, kernel = text.split("def _step(")[0], text[text.index("def _step(") :]
    assert old in kernel
    path = tmp_path / f"{made.name}.py"
    path.write_text(head + kernel.replace(old, new, 1))
    verdict = verify(made, module=load(path))
    assert not verdict.ok
    assert "lambda_ = " in verdict.message


def test_a_penalty_at_the_parameters_is_no_penalty_at_nesterovs_point(tmp_path, load, library):
    made = penalized(library["nesterov"], library["l2"])
    text = render_module(made, Options())
    old = "g_tilde_scale * (theta[i] - gamma * v[i])"
    assert text.count(old) == 1
    path = tmp_path / f"{made.name}.py"
    path.write_text(text.replace(old, "g_tilde_scale * theta[i]", 1))
    verdict = verify(made, module=load(path))
    assert not verdict.ok
    assert verdict.where.startswith("nesterov_l2.velocity, step 2")
