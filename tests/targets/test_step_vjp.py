"""Gradients through training: beside differences of the step itself, and beside PyTorch."""

import inspect
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from sampling import every
from sympy import Abs, And, Eq, Interval, Max, Min, Piecewise, Rational, exp, sign, sqrt

from symopt import Sigma, compile, d, debias, given, hat, hyperparameter, initially, sequence
from symopt.derivation.rule import derive_rule
from symopt.derivation.update_gradient import update_gradient
from symopt.errors import LoweringError
from symopt.program import lower_vjp
from symopt.symbols import L, alpha, beta, example, f, g, gamma, m, t, theta, u, v, x, y

rho = hyperparameter("rho", Interval.open(0, 1))
LOSS = d(L(y[example], f(x[example], theta)), theta)


# the law: by differences

# a fourth-order stencil: at a step h of a thousandth it leaves h⁴/30 of the fifth derivative, some
# 1e-13 where a function changes over the size of its argument, and 1e-16/h of the values by
# rounding; poles nearby (1 − β^t) take the rest
STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
STEP = 1e-3
CLOSE = 1e-9


def weighted(function, arguments, weights):
    """Σ weight · new value, nothing of the arguments changed."""
    taken = {k: one.copy() if isinstance(one, np.ndarray) else one for k, one in arguments.items()}
    found = function(**taken)
    new = taken if found is None else {"point": found}
    return sum(float((weight * new[name]).sum()) for name, weight in weights.items())


def by_differences(function, arguments, weights):
    """The derivative of ``weighted`` by each number in the arguments, but for the step's own."""
    found = {}
    for name, one in arguments.items():
        if name == "t":
            continue
        slopes = np.empty(np.shape(one))
        for place in np.ndindex(slopes.shape):
            h = STEP * max(abs(float(np.asarray(one)[place])), 0.1)
            slopes[place] = 0.0
            for steps, factor in STENCIL:
                moved = np.array(one, float)
                moved[place] += steps * h
                value = moved if isinstance(one, np.ndarray) else float(moved)
                slopes[place] += (
                    factor / h * weighted(function, {**arguments, name: value}, weights)
                )
        found[name] = slopes
    return found


def point_of(module, name, size=3):
    """Arguments of a generated function away from kinks, and adjoints of what it makes."""
    random = np.random.default_rng(7)
    states = module.initial_states(np.zeros(size), **start_numbers(module))
    batch = {"m", "n"} & set(module._step.py_func.__code__.co_varnames)
    arguments = {}
    for key in inspect.signature(getattr(module, name)).parameters:
        if key == "t":
            arguments[key] = 3
        elif key in states:
            arguments[key] = random.uniform(0.4, 0.9, size=states[key].shape)
        elif key in ("theta", "g", "h"):
            shape = (4, size) if batch and key == "g" else (size,)
            arguments[key] = random.uniform(0.5, 1.5, size=shape) * random.choice((-1, 1), shape)
        else:
            arguments[key] = float(random.uniform(0.3, 0.7))
    taken = inspect.signature(getattr(module, f"{name}_vjp")).parameters
    made = [key[1:] for key in taken if key not in arguments]
    shapes = {key: np.shape(arguments.get(key, np.zeros(size))) for key in made}
    return arguments, {key: random.normal(size=shape) for key, shape in shapes.items()}


def start_numbers(module):
    names = list(inspect.signature(module.initial_states).parameters)[1:]
    return dict.fromkeys(names, 0.5)


def judge(module, name):
    """Whether a function's gradient is what differences of it say; nothing given is changed."""
    arguments, weights = point_of(module, name)
    before = {key: np.copy(one) for key, one in arguments.items()}
    handed = {f"d{key}": one for key, one in weights.items()}
    kept = {key: one.copy() for key, one in handed.items()}
    found = getattr(module, f"{name}_vjp")(**arguments, **handed)
    assert all(np.array_equal(arguments[key], one) for key, one in before.items())
    assert all(np.array_equal(handed[key], one) for key, one in kept.items())
    wanted = by_differences(getattr(module, name), arguments, weights)
    assert list(found) == [key for key in arguments if key != "t"]
    for key, one in wanted.items():
        assert np.shape(found[key]) == np.shape(one), key
        np.testing.assert_allclose(found[key], one, rtol=CLOSE, atol=CLOSE, err_msg=key)


def test_every_rule_of_the_catalogue_is_differentiated(rules):
    for rule in rules:
        module = compile(rule)
        for name in ("step", "gradient_point"):
            if hasattr(module, name):
                judge(module, name)


def step(right):
    return {"step": Eq(theta[t + 1], right)}


ODD = {
    "a scalar state that decays with time": lambda: {
        "average": Eq(v[t], v[t - 1] / t + 3 * g[t]),
        "start": initially(1, v),
        "correction": debias(v),
        **step(theta[t] - hat(v)[t]),
    },
    "weights of a power of the step": lambda: {
        "average": Eq(v[t], (1 - t ** Rational(-4, 5)) * v[t - 1] + t ** Rational(-4, 5) * g[t]),
        "start": initially(0, v),
        "correction": debias(v),
        **step(theta[t] - alpha ** Rational(1, 3) * hat(v)[t]),
    },
    "a scalar state with hyperparameters of its own": lambda: {
        "weight": Eq(u[t], beta * u[t - 1] + rho / t),
        "average": Eq(v[t], gamma * v[t - 1] + u[t] * u[t - 1] * g[t]),
        "start": initially(0, u, v),
        **step(theta[t] - alpha * u[t] ** 2 * v[t] - beta * g[t]),
    },
    "an initial value that is chosen": lambda: {
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * g[t] ** 2),
        "start": initially(rho, v),
        "correction": debias(v),
        **step(theta[t] - alpha * g[t] / sqrt(hat(v)[t] + 1)),
    },
    "a variance over examples": lambda: {
        "spread": Eq(v[t], Sigma((LOSS - rho * v[t - 1]) ** 2, (example, 1, m)) / m),
        "start": initially(0, v),
        **step(theta[t] - alpha * v[t]),
    },
    "two sums over examples": lambda: step(
        theta[t]
        - alpha * Sigma(LOSS, (example, 1, m)) / (1 + Sigma(Abs(LOSS) ** 3, (example, 1, m)))
    ),
    "a vote of examples": lambda: step(theta[t] - alpha * Sigma(sign(LOSS), (example, 1, m)) / m),
    "clipping by cases": lambda: step(
        theta[t]
        - alpha
        * Piecewise(
            (rho, g[t] > rho), (-rho * theta[t], And(g[t] < -1, theta[t] < 0)), (g[t], True)
        )
    ),
    "clipping by extremes": lambda: step(theta[t] - alpha * Max(-rho, Min(rho, g[t], theta[t]))),
    "a sign of an average": lambda: {
        "update": Eq(u[t], beta * v[t - 1] + 3 * g[t]),
        **step(theta[t] - alpha * sign(u[t]) * Abs(u[t]) ** Rational(1, 3)),
        "average": Eq(v[t], gamma * v[t - 1] + (1 - gamma) * g[t]),
        "start": initially(0, v),
    },
    "an average of the parameters": lambda: {
        **step(theta[t] - alpha * g[t]),
        "average": Eq(v[t], beta * v[t - 1] + (1 - beta) * theta[t + 1]),
        "start": initially(theta[1], v),
    },
    "a point far from the parameters": lambda: {
        "velocity": Eq(
            v[t], gamma * v[t - 1] + alpha * d(L(theta - exp(-gamma) * v[t - 1] ** 2), theta)
        ),
        "start": initially(0, v),
        **step(theta[t] - v[t]),
    },
    "two inputs": lambda: step(theta[t] - alpha * g[t] * given("h")[t]),
    "no hyperparameter": lambda: step(theta[t] - g[t] ** 5 / 3),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_rule_is_differentiated(declare, case):
    module = compile(declare(ODD[case]))
    for name in ("step", "gradient_point"):
        if hasattr(module, name):
            judge(module, name)


# the mutation that must be noticed

SPOILT = {"dropped": 0, "doubled": 2, "negated": -1}


def spoilt(found, place, factor):
    """The gradient of a step with one of its shares multiplied by a number."""
    count = itertools.count()

    def change(share):
        if next(count) != place:
            return share
        return replace(share, value=factor * share.value, outer=factor * share.outer)

    def changed(several):
        return tuple(replace(one, shares=tuple(map(change, one.shares))) for one in several)

    return replace(found, made=changed(found.made), sources=changed(found.sources))


@pytest.mark.parametrize("how", every(3, SPOILT))
@pytest.mark.parametrize("name", ["adagrad", "minibatch"])
def test_a_share_that_is_dropped_doubled_or_negated_is_noticed(library, monkeypatch, name, how):
    system = derive_rule(library[name])
    whole = update_gradient(system)
    shares = sum(len(one.shares) for one in (*whole.made, *whole.sources))
    for place in range(shares):
        broken = spoilt(whole, place, SPOILT[how])
        monkeypatch.setattr(lower_vjp, "update_gradient", lambda _, broken=broken: broken)
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            judge(compile(library[name]), "step")


# beside PyTorch: one step, written straight


def torch_momentum(theta, g, v, alpha, gamma):
    v = gamma * v + alpha * g
    return {"theta": theta - v, "v": v}


def torch_nesterov(theta, g, v, alpha, gamma):
    return torch_momentum(theta, g, v, alpha, gamma)


def torch_adagrad(theta, g, G, alpha, epsilon):
    G = G + g**2
    return {"theta": theta - alpha * g / torch.sqrt(G + epsilon), "G": G}


def torch_rmsprop(theta, g, G, alpha, beta, epsilon):
    G = beta * G + (1 - beta) * g**2
    return {"theta": theta - alpha * g / torch.sqrt(G + epsilon), "G": G}


def torch_adam(theta, g, v, G, t, alpha, beta_1, beta_2, epsilon):
    v = beta_1 * v + (1 - beta_1) * g
    G = beta_2 * G + (1 - beta_2) * g**2
    v_hat, G_hat = v / (1 - beta_1**t), G / (1 - beta_2**t)
    return {"theta": theta - alpha / torch.sqrt(G_hat + epsilon) * v_hat, "v": v, "G": G}


# relative to the largest of a gradient's numbers: a few dozen roundings of a double and what they
# grow by in 1 − β^t, an order or two below
ROUNDING = 1e-10


def same(mine, theirs, key=""):
    mine, theirs = np.asarray(mine), theirs.detach().numpy()
    np.testing.assert_allclose(mine, theirs, rtol=ROUNDING, atol=ROUNDING, err_msg=key)


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adagrad", "rmsprop", "adam"])
@pytest.mark.parametrize("size", [5, 3000])
def test_one_step_is_differentiated_as_by_torch(library, name, size):
    module = compile(library[name])
    arguments, weights = point_of(module, "step", size)
    leaves = {
        key: one if key == "t" else torch.tensor(one, dtype=torch.float64, requires_grad=True)
        for key, one in arguments.items()
    }
    made = globals()[f"torch_{name}"](**leaves)
    loss = sum((torch.tensor(weights[key]) * one).sum() for key, one in made.items())
    loss.backward()
    found = module.step_vjp(**arguments, **{f"d{key}": one for key, one in weights.items()})
    for key, one in found.items():
        same(one, leaves[key].grad, key)


# a run: gradients are functions of the parameters, so each step back asks for a Hessian's product

A = np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 0.5]])
LOSSES = {
    "a quadratic": (lambda w: 0.5 * w @ torch.tensor(A) @ w, np.array([1.0, -2.0, 0.5])),
    "a valley": (
        lambda w: (1 - w[0]) ** 2 + 5 * (w[1] - w[0] ** 2) ** 2 + torch.sin(w[0] * w[1]),
        np.array([-0.7, 1.1]),
    ),
}
STEPS = 20
NUMBERS = {"alpha": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4}


def trained(adam, loss, start):
    """dL(θ_K) by the hyperparameters and by θ_0, through K steps of the kernel and back."""
    gradient, product = (
        lambda w: torch.func.grad(loss)(torch.tensor(w)).numpy(),
        lambda w, by: torch.func.vjp(torch.func.grad(loss), torch.tensor(w))[1](torch.tensor(by)),
    )
    theta, states, tape = start.copy(), adam.initial_states(start), []
    for k in range(1, STEPS + 1):
        here = {"theta": theta.copy(), "g": gradient(theta)}
        here |= {key: one.copy() for key, one in states.items()}
        tape.append({**here, "t": k})
        adam.step(theta, here["g"], **states, t=k, **NUMBERS)
    back = {"theta": gradient(theta), "v": np.zeros_like(theta), "G": np.zeros_like(theta)}
    totals = dict.fromkeys(NUMBERS, 0.0)
    for here in reversed(tape):
        handed = {f"d{key}": back[key] for key in ("theta", "v", "G")}
        back = adam.step_vjp(**here, **NUMBERS, **handed)
        back["theta"] = back["theta"] + product(here["theta"], back["g"])[0].numpy()
        totals = {key: totals[key] + back[key] for key in NUMBERS}
    return {**totals, "theta": back["theta"]}, theta


@pytest.mark.parametrize("case", LOSSES)
def test_a_run_of_adam_is_differentiated_as_by_torch(library, case):
    loss, start = LOSSES[case]
    mine, reached = trained(compile(library["adam"]), loss, start)
    leaves = {
        key: torch.tensor(one, dtype=torch.float64, requires_grad=True)
        for key, one in {**NUMBERS, "theta": start}.items()
    }
    theta = leaves["theta"]
    v, G = torch.zeros_like(theta), torch.zeros_like(theta)
    for k in range(1, STEPS + 1):
        (g,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
        numbers = {key: leaves[key] for key in NUMBERS}
        theta, v, G = torch_adam(theta, g, v, G, k, **numbers).values()
    same(reached, theta)
    loss(theta).backward()
    for key, one in mine.items():
        same(one, leaves[key].grad, key)


# traps


@pytest.fixture(scope="module")
def adam(library):
    return compile(library["adam"])


def arguments(shape=(2, 3), dtype=np.float32, order="C"):
    random = np.random.default_rng(3)
    arrays = {
        key: np.array(random.uniform(0.5, 1.5, size=shape), dtype=dtype, order=order)
        for key in ("theta", "g", "v", "G", "dtheta", "dv", "dG")
    }
    return {**arrays, "t": 2}


@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3), (2, 3, 4), (2500,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adjoints_have_the_shapes_and_dtypes_of_what_they_are_of(adam, shape, dtype):
    taken = arguments(shape, dtype)
    found = adam.step_vjp(**taken)
    for key in ("theta", "g", "v", "G"):
        assert found[key].shape == shape
        assert found[key].dtype == dtype
        assert not any(np.may_share_memory(found[key], one) for one in taken.values())
    assert all(type(found[key]) is float for key in ("alpha", "beta_1", "beta_2", "epsilon"))


def test_arrays_in_fortran_order_give_adjoints_that_lie_as_they_do(adam):
    plain, turned = adam.step_vjp(**arguments()), adam.step_vjp(**arguments(order="F"))
    assert turned["g"].flags.f_contiguous
    for key, one in plain.items():
        np.testing.assert_allclose(turned[key], one, rtol=1e-6)


def test_a_decay_of_zero_has_a_derivative(adam):
    """β^t/β would be 0/0: at β₁ = 0 and t = 1, v̂ is g whatever β₁ is."""
    taken = {**arguments(dtype=np.float64), "t": 1, "v": np.zeros((2, 3)), "dv": np.zeros((2, 3))}
    assert adam.step_vjp(**taken, beta_1=0.0)["beta_1"] == pytest.approx(0.0, abs=1e-15)


def test_hyperparameters_are_summed_in_double_precision(library):
    """A million terms of 0.1: float32 sums in a row are off in the third digit."""
    sgd = compile(library["sgd"])
    ones = np.ones(10**6, np.float32)
    found = sgd.step_vjp(ones, ones, dtheta=np.full(10**6, 0.1, np.float32))
    assert found["alpha"] == pytest.approx(-(10**6) * float(np.float32(0.1)), rel=1e-12)


def test_a_nan_goes_back_to_its_own_element_and_to_sums(adam):
    taken = arguments((4,))
    taken["g"][2] = np.nan
    found = adam.step_vjp(**taken)
    assert list(np.isnan(found["g"])) == [False, False, True, False]
    assert np.isnan(found["alpha"])


# refusals


def changed(**new):
    return {**arguments(), **new}


REFUSED = {
    "an adjoint of another shape": (
        lambda: changed(dv=np.zeros((3, 2), np.float32)),
        "adam: dv has shape (3, 2), but theta has shape (2, 3)",
    ),
    "an adjoint of another dtype": (
        lambda: changed(dtheta=np.zeros((2, 3))),
        "adam: dtheta is float64, but theta is float32; use one dtype",
    ),
    "an adjoint that is no array": (
        lambda: changed(dG=[1.0]),
        "adam: dG is a list, not a NumPy array",
    ),
    "a view with gaps": (
        lambda: changed(dtheta=np.zeros((2, 6), np.float32)[:, ::2]),
        "adam: dtheta is not contiguous in memory like theta; pass np.ascontiguousarray of each",
    ),
    "step zero": (
        lambda: changed(t=0),
        "adam: t is 0, but steps are whole numbers from 1 on",
    ),
    "a rate out of its range": (
        lambda: changed(alpha=0.0),
        "adam: alpha = 0.0 is outside its range (0, ∞)",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_wrong_argument_is_refused(adam, mistake):
    make, message = REFUSED[mistake]
    with pytest.raises(ValueError, match=r"^adam: ") as error:
        adam.step_vjp(**make())
    assert str(error.value) == message


def test_an_adjoint_must_be_given_by_name(adam):
    taken = arguments()
    del taken["dv"]
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'dv'"):
        adam.step_vjp(**taken)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"u": np.zeros(2)}, "rule: u is not an array of one float64; use initial_states"),
        (
            {"du": np.zeros(1, np.float32)},
            "rule: du is not an array of one float64; give np.zeros(1) or its adjoint",
        ),
    ],
)
def test_a_scalar_state_and_its_adjoint_are_single_numbers(declare, wrong, message):
    module = compile(declare(ODD["a scalar state with hyperparameters of its own"]))
    taken, weights = point_of(module, "step")
    taken |= {f"d{key}": one for key, one in weights.items()}
    taken["u"].flags.writeable = False  # it is read alone
    module.step_vjp(**taken)
    with pytest.raises(ValueError, match="rule: ") as error:
        module.step_vjp(**{**taken, **wrong})
    assert str(error.value) == message


def test_a_letter_that_is_called_like_an_adjoint_is_refused(declare):
    dv = sequence("dv")
    rule = declare(
        lambda: {
            "average": Eq(v[t], beta * v[t - 1] + g[t]),
            "other": Eq(dv[t], g[t] - v[t]),
            "start": initially(0, v),
            **step(theta[t] - alpha * dv[t]),
        }
    )
    with pytest.raises(LoweringError) as error:
        compile(rule)
    assert str(error.value) == (
        "rule has symbols with the Python names v and dv, but dv is what the adjoint of v is "
        "called; rename one with python='…'"
    )
