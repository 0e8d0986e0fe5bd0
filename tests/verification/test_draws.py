"""The judge of layers that draw: its own words and scale, and what it refutes."""

import importlib.util
import inspect
import sys
from fractions import Fraction

import pytest
from sampling import every
from sympy import Eq, Interval, tanh

from symopt import (
    Bernoulli,
    Expectation,
    Normal,
    Sigma,
    drawn,
    given,
    hyperparameter,
    inference,
    layer,
    parameter,
    random,
    sequence,
    statistic,
    unbias,
    unknown,
)
from symopt.catalog.lecture.dropout import dropout
from symopt.errors import DeclarationError
from symopt.judging import verify
from symopt.runtime.compiling import compile
from symopt.symbols import example as i
from symopt.symbols import m
from symopt.targets.numba import render_module
from symopt.targets.target import Options
from symopt.verification.as_written import AsWritten
from symopt.verification.chance import chances
from symopt.verification.philox import philox
from symopt.verification.quantity import FLOAT64, scalar
from symopt.verification.scales import scales

x, y, h = given("x"), sequence("y"), sequence("h")
r, q, s = random("r"), random("q"), unknown("s")
p = hyperparameter("p", Interval.Ropen(0, 1))
mu, gamma = statistic("mu"), parameter("gamma")
OPS = AsWritten(FLOAT64)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_judges_words_are_the_published_ones(counter, key, words):
    assert philox(counter, key) == words


@pytest.mark.parametrize("share", [0.0, 0.25, 0.625, 1 - 2.0**-20])
def test_the_judges_scale_of_dropout_is_exact_and_its_bound_a_few_roundings(share):
    """At a p of few digits 1 − p is exact, and the quotient may be off by two roundings."""
    (one,) = scales(dropout)
    found = one.value(OPS, {letter: scalar(share) for letter in dropout.default_values})
    wanted = 1 / (1 - Fraction(share))
    assert abs(Fraction(float(found.value)) - wanted) <= wanted * Fraction(FLOAT64.unit)
    assert found.error <= 2 * FLOAT64.unit * float(wanted)


def test_the_judge_asks_for_a_number_that_does_for_all_data():
    def statements():
        return {
            "r": drawn(r[i], Bernoulli(1 - p)),
            "y": Eq(y[i], s * r[i] * x[i]),
            "s": unbias(s, Eq(Expectation(y[i]), x[i] ** 2)),
            "later": inference(Eq(y[i], x[i])),
        }

    (one,) = scales(layer(statements))
    with pytest.raises(DeclarationError) as caught:
        one.value(OPS, {p: scalar(0.25)})
    assert str(caught.value) == (
        "statements.s asks for s, but no one number satisfies it for all data"
    )


def test_the_judge_does_not_draw_from_what_no_kernel_draws_from():
    def statements():
        return {
            "r": drawn(r[i], Normal(1, 1)),
            "y": Eq(y[i], r[i] * x[i]),
            "later": inference(Eq(y[i], x[i])),
        }

    with pytest.raises(DeclarationError, match=r"^r\[i\] is drawn from Normal\(1, 1\), from which"):
        chances(layer(statements))


def two_letters():
    """Two random letters in one product, one of a fixed share in decimals."""
    return {
        "r": drawn(r[i], Bernoulli(1 - p)),
        "q": drawn(q[i], Bernoulli(0.9)),
        "y": Eq(y[i], s * r[i] * tanh(x[i]) * q[i]),
        "s": unbias(s, Eq(Expectation(y[i]), tanh(x[i]))),
        "later": inference(Eq(y[i], tanh(x[i]))),
    }


def before_a_mean():
    """What is drawn enters a mean over the group, and parameters are learned."""
    return {
        "r": drawn(r[i], Bernoulli(1 - p)),
        "q": drawn(q[i], Bernoulli(p**2)),
        "h": Eq(h[i], s * r[i] * x[i]),
        "mu": Eq(mu, 1 / m * Sigma(h[i], (i, 1, m))),
        "y": Eq(y[i], gamma * (h[i] - mu) * q[i] + x[i]),
        "s": unbias(s, Eq(Expectation(h[i]), x[i])),
        "later": inference(Eq(h[i], x[i])),
        "last": inference(Eq(y[i], gamma * p**2 * (h[i] - mu) + x[i])),
    }


USERS = {
    "two letters": layer(two_letters),
    "before a mean": layer(over="C H W", per="element", initial={gamma: 1})(before_a_mean),
}


@pytest.mark.parametrize("dtype", every(2, ["float32", "float64"]))
def test_dropout_is_verified_to_a_rounding(dtype):
    verdict = verify(dropout, dtype)
    assert verdict.ok, verdict.message
    assert 0 < verdict.error < 1
    assert verdict.bound <= 3.5
    assert verdict.points > 100_000


@pytest.mark.slow
@pytest.mark.parametrize("name", USERS)
def test_layers_of_users_that_draw_are_verified(name):
    verdict = verify(USERS[name])
    assert verdict.ok, verdict.message
    assert verdict.points > 100_000


@pytest.fixture
def mutant(tmp_path, request):
    """The module of dropout with words replaced, its kernels compiled anew if one has changed."""

    def make(old, new, count=-1):
        text = render_module(dropout, Options()).replace("cache=True, ", "")
        changed = text.replace(old, new, count)
        assert changed != text, old
        path = tmp_path / "dropout_mutant.py"
        path.write_text(changed, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"dropout_mutant_{tmp_path.name}", path)
        module = importlib.util.module_from_spec(spec)
        request.addfinalizer(lambda: sys.modules.pop(spec.name, None))
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        plain = compile(dropout)
        kernels = {key: one for key, one in vars(plain).items() if hasattr(one, "py_func")}
        if all(_source(plain, key) == _source(module, key) for key in kernels):
            vars(module).update(kernels)
        return module

    return make


def _source(module, name):
    return inspect.getsource(getattr(module, name).py_func).replace("cache=True, ", "")


# what is changed, into what, and where the judge says that it is wrong
BACKWARD_CALL = "        dx.reshape(shapes.element_walked),\n        seed,\n        step,\n"
MUTANTS = {
    "the scale is 1/p": ("y_scale = real(1.0 / (1.0 - p))", "y_scale = real(1.0 / p)", "y at"),
    "the scale is forgotten": ("y_scale = real(1.0 / (1.0 - p))", "y_scale = real(1.0)", "y at"),
    "the scale is forgotten in backward": (
        "dx_scale = real(1.0 / (1.0 - p))",
        "dx_scale = real(1.0)",
        "dL/dx at",
    ),
    "backward has the mask of another step": (
        BACKWARD_CALL,
        BACKWARD_CALL.replace("step,", "step + np.uint64(1),"),
        "dL/dx at",
    ),
    "backward has the mask of another seed": (
        BACKWARD_CALL,
        BACKWARD_CALL.replace("seed,", "seed ^ np.uint64(1),"),
        "dL/dx at",
    ),
    "backward has no mask": ("dy_block[e] * r[e] * dx_scale", "dy_block[e] * dx_scale", "dL/dx at"),
    "p is kept": ("_below(1.0 - p)", "_below(p)", "y at"),
    "seeds are ignored": ('seed = _check_word("seed", seed)', "seed = np.uint64(0)", "y at"),
    "steps are ignored": ('step = _check_word("step", step)', "step = np.uint64(0)", "y at"),
    "the upper half of the seed is ignored": (
        "seed & low, seed >> half",
        "seed & low, low",
        "y at",
    ),
    "the step and the position are exchanged": (
        "count & low, count >> half, step & low, step >> half",
        "step & low, step >> half, count & low, count >> half",
        "y at",
    ),
    "nine rounds": ("for _ in range(10)", "for _ in range(9)", "y at"),
    "blocks draw the same": (
        "_keep(r[:stop - start], start,",
        "_keep(r[:stop - start], 0,",
        "y at",
    ),
    "a dropped NaN is hidden": (
        "y_scale * r[e] * x_block[e]",
        "(y_scale * x_block[e] if r[e] > 0 else r[e])",
        "y at",
    ),
    "inference drops": (
        "y_block[e] = x_block[e]  #",
        "y_block[e] = x_block[e] if e else x_block[e] - x_block[e]  #",
        "inference",
    ),
}


@pytest.mark.parametrize("name", every(3, MUTANTS))
def test_a_kernel_that_drops_otherwise_is_refuted(mutant, name):
    old, new, where = MUTANTS[name]
    verdict = verify(dropout, module=mutant(old, new))
    assert not verdict.ok
    assert where in verdict.where
    assert "seed = " in verdict.message or "hides" in verdict.message or where == "inference"


CLASS = {
    "the step stays": ("        self.step += 1\n", ""),
    "two steps are taken": ("self.step += 1", "self.step += 2"),
    "backward has the next step": ('step=saved["step"]', "step=self.step"),
    "the seed is not taken": ("seed=self.seed,", "seed=0,"),
    "the state has no step": ("self.seed, self.step = seed, step", "self.seed = seed"),
    "the state has no seed": ("self.seed, self.step = seed, step", "self.step = step"),
    "evaluation draws": ("if not self.training", "if False"),
    "p is not taken": ("_numbers(p)", "_numbers(0.5)"),
}


@pytest.mark.parametrize("name", every(3, CLASS))
def test_a_class_that_draws_otherwise_is_refuted(mutant, name):
    verdict = verify(dropout, module=mutant(*CLASS[name]))
    assert verdict.where.startswith("dropout, the class"), verdict.message


OTHERS = {
    "a mask of its own": (
        "_keep(r.reshape(-1), 0, 0, seed, step, r_below)",
        "_keep(r.reshape(-1), 4, 0, seed, step, r_below)",
        "mask, r",
    ),
    "a mask of bytes": ("shape, np.bool_", "shape, np.uint8", "mask, r"),
    "a mask that is off at its end": (
        "for k in range(kept.size % 4)",
        "for k in range(kept.size % 4 - 1)",
        "dropout",
    ),
    "p = 1 is taken": ("lambda x: 0 <= x < 1", "lambda x: 0 <= x <= 1", "dropout, forward"),
    "a negative p is taken": ("lambda x: 0 <= x < 1", "lambda x: x < 1", "dropout, forward"),
    "p = NaN is taken": ("lambda x: 0 <= x < 1", "lambda x: not (x < 0 or x >= 1)", "the class"),
    "a seed may be a fraction": ("operator.index(value)", "int(value)", "dropout, forward"),
    "a seed may be True": ("-1 if isinstance(value, (bool, np.bool_)) else ", "", "forward"),
    "a seed may be too large": ("if not 0 <= number < 2**64", "if not 0 <= number", "forward"),
}


@pytest.mark.parametrize("name", every(4, OTHERS))
def test_a_mask_or_a_check_that_is_otherwise_is_refuted(mutant, name):
    old, new, where = OTHERS[name]
    verdict = verify(dropout, module=mutant(old, new))
    assert not verdict.ok
    assert where in verdict.where, verdict.message
