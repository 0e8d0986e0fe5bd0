"""What is refused of layers: one sentence that names the layer, the equation and the axis."""

import numpy as np
import pytest
from sympy import Eq

from symopt import Sigma, count, debias, given, hat, index, inference, layer, parameter, statistic
from symopt.errors import SymoptError
from symopt.runtime.compiling import compile
from symopt.symbols import alpha, epsilon, m, y
from symopt.symbols import example as i

x, out = given("x"), hat(given("x"))
gamma, beta = parameter("gamma"), parameter("beta")
mu, nu = statistic("mu"), statistic("nu")
k, n = index("k"), count("n")
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))
SHIFT = Eq(out[i], x[i] - mu)

# what an author writes ⇒ what is said
MISTAKES = {
    "an axis that is none": (
        {"over": "N X"},
        lambda: {"mean": MEAN, "shift": SHIFT},
        "own averages over X, which is no axis; write some of N, C, H and W, such as "
        'over="N H W", and C/G for the channels of a group',
    ),
    "half of space": (
        {"over": "N H"},
        lambda: {"mean": MEAN, "shift": SHIFT},
        "own averages over one of H and W alone; name both, they stand for all axes in space, "
        "or none",
    ),
    "channels twice": (
        {"over": "C C/G"},
        lambda: {"mean": MEAN, "shift": SHIFT},
        "own averages over an axis twice in 'C C/G'; name each once",
    ),
    "parameters along batches": (
        {"over": "N H W", "per": "element"},
        lambda: {"mean": MEAN, "shift": SHIFT},
        "own has parameters per element, but averages over N H W; let it average over C H W, or "
        "have parameters per channel",
    ),
    "an index that no sum binds": (
        {},
        lambda: {"mean": Eq(mu, 1 / m * Sigma(x[k], (i, 1, m))), "shift": SHIFT},
        "own.mean reads xₖ, but no sum binds k; write Sigma(…, (k, 1, m)) around it, or the "
        "index of the left side",
    ),
    "a sum without bounds": (
        {},
        lambda: {"mean": Eq(mu, 1 / m * Sigma(x[i], i)), "shift": SHIFT},
        "own.mean has the sum Σ_i xᵢ, which does not run over the elements of a group; write "
        "Sigma(…, (i, 1, m)) with a count m",
    ),
    "groups of two sizes": (
        {},
        lambda: {"mean": MEAN, "other": Eq(nu, Sigma(x[i], (i, 1, n))), "shift": SHIFT},
        "own sums to m and n; the elements of one group have one number, write one",
    ),
    "a statistic before its equation": (
        {},
        lambda: {"shift": SHIFT, "mean": MEAN},
        "own.shift reads μ, which no equation before it defines; write the equation of μ first",
    ),
    "a letter before its equation": (
        {},
        lambda: {"mean": Eq(mu, 1 / m * Sigma(out[i], (i, 1, m))), "shift": SHIFT},
        "own.mean reads x̂, which no equation before it defines; write the equation of x̂ first, or "
        "declare it with given(…)",
    ),
    "a running average of each example": (
        {"over": "C H W"},
        lambda: {"mean": MEAN, "average": Eq(nu, alpha * mu + (1 - alpha) * nu), "shift": SHIFT},
        "own.average keeps a running average of a statistic that each example has for itself, as "
        "own does not average over N; leave ν out, or average over N",
    ),
    "a parameter of elements outside of a sum": (
        {"over": "C H W", "per": "element"},
        lambda: {"mean": Eq(mu, gamma / m * Sigma(x[i], (i, 1, m))), "shift": SHIFT},
        "own.mean reads γ, which differs from element to element, outside of a sum; sum over the "
        "elements, or average over axes along which it is the same",
    ),
    "inference of nothing": (
        {},
        lambda: {"mean": MEAN, "shift": SHIFT, "later": inference(Eq(y[i], x[i]))},
        "own.later replaces the equation of y, which there is none of; let it define a letter "
        "that training defines",
    ),
    "a correction of no average": (
        {},
        lambda: {"mean": MEAN, "shift": SHIFT, "correction": debias(nu)},
        "own.correction corrects ν, which is no running average of own; write one that an "
        "equation updates from its own past",
    ),
    "a start of something else": (
        {"initial": {epsilon: 1}},
        lambda: {"mean": MEAN, "shift": SHIFT},
        "own starts epsilon from 1; give a number to a learned or a running letter, such as "
        "initial={gamma: 1}",
    ),
    "a sum of nothing that moves": (
        {},
        lambda: {"mean": Eq(mu, 1 / m * Sigma(beta, (i, 1, m))), "shift": SHIFT},
        "own.mean sums what is the same for every element, for which no kernel is written; "
        "multiply by the number of elements",
    ),
    "a sum inside of a sum": (
        {},
        lambda: {
            "mean": Eq(mu, Sigma(x[i] * Sigma(x[k], (k, 1, m)), (i, 1, m))),
            "shift": SHIFT,
        },
        "own.mean has a sum inside of Σ_{i=1..m} xᵢ·Σ_{k=1..m} xₖ, for which no kernel is "
        "written; give the inner sum an equation of its own",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_an_author_is_answered_in_one_sentence(name):
    facts, body, words = MISTAKES[name]

    def own():
        return body()

    with pytest.raises(SymoptError) as error:
        compile(layer(**facts)(own))
    assert str(error.value) == words


def test_a_fact_that_no_rule_has_is_refused():
    with pytest.raises(SymoptError, match="a layer has no axes; leave it out"):
        layer(axes="N")


X = np.arange(24.0).reshape(4, 6) % 7


def forward(module, **changes):
    taken = {"x": X, "gamma": np.ones(6), "beta": np.zeros(6), "mu_hat": np.zeros(6)}
    return module.forward(**{**taken, "sigma2_hat": np.ones(6), **changes})


SHARED = np.zeros(6)
CALLS = {
    "channels that do not fit": (
        {"gamma": np.ones(5)},
        "batch_norm: gamma has shape (5,), but needs (6,), a number for each channel, along axis C",
    ),
    "an average that does not fit": (
        {"mu_hat": np.zeros((6, 1))},
        "batch_norm: mu_hat has shape (6, 1), but needs (6,), a number for each group of "
        "elements, along C",
    ),
    "no channels": (
        {"x": np.ones(6)},
        "batch_norm: the input has shape (6,), but (N, C, *spatial) is needed",
    ),
    "unlike dtypes": (
        {"x": X.astype(np.float32)},
        "batch_norm: gamma is float64, but the input is float32; use one dtype",
    ),
    "whole numbers": (
        {"x": X.astype(int)},
        "batch_norm: the input has dtype int64; float32 or float64 is needed",
    ),
    "swapped bytes": (
        {"x": X.astype(">f8")},
        "batch_norm: the input has dtype >f8; float32 or float64 is needed",
    ),
    "a list": (
        {"x": X.tolist()},
        "batch_norm: the input is a list, not a NumPy array",
    ),
    "a weight outside its range": (
        {"alpha": 0.0},
        "batch_norm: alpha = 0.0 is outside its range (0, 1]",
    ),
    "a negative ε": (
        {"epsilon": -1e-5},
        "batch_norm: epsilon = -1e-05 is outside its range [0, ∞)",
    ),
    "an ε that is no number": (
        {"epsilon": float("nan")},
        "batch_norm: epsilon = nan is outside its range [0, ∞)",
    ),
    "an empty batch": (
        {"x": X[:0]},
        "batch_norm: the input has shape (0, 6); axis N is empty, and nothing is known of no "
        "elements",
    ),
    "no space": (
        {"x": np.zeros((4, 6, 0))},
        "batch_norm: the input has shape (4, 6, 0); axis S is empty, and nothing is known of no "
        "elements",
    ),
    "averages that overlap": (
        {"mu_hat": SHARED, "sigma2_hat": SHARED},
        "batch_norm: mu_hat and sigma2_hat overlap in memory; copy one",
    ),
    "averages that are strided": (
        {"mu_hat": np.zeros(12)[::2]},
        "batch_norm: mu_hat is read-only or not contiguous, but is updated in place",
    ),
    "constant features and no ε": (
        {"x": np.where(np.arange(6) == 2, 3.0, X), "epsilon": 0.0},
        "batch_norm.normalize divides by √(σ²_B + ε), which is 0 at c = 2; the output has no "
        "value there",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_does_not_fit_changes_nothing(library, name):
    changes, words = CALLS[name]
    mean, spread = np.zeros(6), np.ones(6)
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
        forward(compile(library["batch_norm"]), **{"mu_hat": mean, "sigma2_hat": spread, **changes})
    assert str(error.value) == words
    np.testing.assert_array_equal([mean, spread], [np.zeros(6), np.ones(6)])


@pytest.mark.parametrize("groups", [0, 4, 7, 2.0, True, None])
def test_groups_divide_the_channels(library, groups):
    module = compile(library["group_norm"])
    words = f"group_norm: groups = {groups!r} does not divide the 6 channels of axis C"
    for call in (
        lambda: module.forward(X, np.ones(6), np.zeros(6), groups),
        lambda: module.GroupNorm(6, groups),
    ):
        with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
            call()
        assert str(error.value) == words


def test_elements_are_the_last_axes(library):
    module = compile(library["layer_norm"])
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message follows
        module.forward(X, np.ones(4), np.ones(4))
    assert str(error.value) == (
        "layer_norm: the input has shape (4, 6), whose last axes are not those of the parameters, "
        "(4,)"
    )


def test_one_example_is_its_own_mean(library):
    """Stated in the lecture's equations: x̂ = 0, so y = β and no gradient comes back."""
    module = compile(library["batch_norm"])
    y, mean, variance = forward(module, x=X[:1], beta=np.arange(6.0))
    np.testing.assert_array_equal(y, [np.arange(6.0)])
    np.testing.assert_array_equal([mean, variance], [X[0], np.zeros(6)])
    dx, dgamma, dbeta = module.backward(X[:1], X[:1], np.ones(6), mean, variance)
    np.testing.assert_array_equal([dx[0], dgamma, dbeta], [np.zeros(6), np.zeros(6), X[0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_number_is_never_hidden_and_stays_in_its_group(library, bad, dtype):
    module = compile(library["batch_norm"])
    spoilt = X.astype(dtype)
    spoilt[1, 3] = bad
    ones, zeros, mean, spread = (np.full(6, v, dtype) for v in (1, 0, 0, 1))
    y, mu_B, sigma2_B = module.forward(spoilt, ones, zeros, mean, spread)
    found = module.backward(spoilt, spoilt, ones, mu_B, sigma2_B)
    for one in (y, found[0]):
        assert np.isnan(one[:, 3]).all()
        assert np.isfinite(np.delete(one, 3, axis=1)).all()
    for one in (mu_B, sigma2_B, mean, spread, *found[1:]):
        assert not np.isfinite(one[3])
        assert np.isfinite(np.delete(one, 3)).all()


@pytest.mark.parametrize("name", ["batch_norm", "group_norm", "layer_norm", "rms_norm"])
def test_an_object_goes_on_from_what_was_saved(library, name):
    module = compile(library[name])
    made = getattr(module, "".join(part.capitalize() for part in name.split("_")))
    sizes = {"group_norm": (6, 3)}.get(name, (6,))
    first, second = (made(*sizes, dtype=np.float64, epsilon=e) for e in (1e-3, 1e-5))
    first(X)
    second.load_state_dict(first.state_dict())
    for one in (first, second):
        one.evaluate()
    np.testing.assert_array_equal(first(X), second(X))
    other = made(*((3, 3) if name == "group_norm" else (3,)), dtype=np.float64)
    with pytest.raises(ValueError, match="names, shapes or dtypes differ"):
        second.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="it is of 'something', not of"):
        second.load_state_dict({"layer": "something", "fingerprint": "0"})
    with pytest.raises(ValueError, match="backward needs a call in training before it"):
        other.backward(X)


def test_a_mean_far_from_zero_costs_no_more_digits_than_the_data_has(library):
    """Mean 1e4 times the spread in float32: the data has three digits left, and the output too."""
    module = compile(library["batch_norm"])
    x = (1e4 + np.random.default_rng(0).normal(size=(64, 6, 50))).astype(np.float32)
    exact = x.astype(np.float64)
    wanted = (exact - exact.mean((0, 2), keepdims=True)) / np.sqrt(
        exact.var((0, 2), keepdims=True) + 1e-5
    )
    ones, zeros, mean, spread = (np.full(6, v, np.float32) for v in (1, 0, 0, 1))
    y, *_ = module.forward(x, ones, zeros, mean, spread)
    digits_of_the_data = float(np.spacing(np.float32(1e4)))
    assert np.abs(y - wanted).max() < digits_of_the_data


@pytest.mark.parametrize(
    "name", ["N", "S", "mu_c", "part_1", "sum_1", "READ", "training", "gradients", "dx", "dy"]
)
def test_a_letter_called_like_something_else_in_its_file_is_refused(name):
    letter = parameter(name)

    def own():
        return {"mean": MEAN, "scale": Eq(y[i], letter * (x[i] - mu))}

    with pytest.raises(SymoptError) as error:
        compile(layer(initial={letter: 1})(own))
    assert str(error.value) == (
        f"own has a letter with the Python name {name}, which its file needs for something else; "
        "rename it with python='…'"
    )


def test_training_reads_no_running_average():
    def own():
        return {
            "mean": MEAN,
            "average": Eq(nu, alpha * mu + (1 - alpha) * nu),
            "shift": Eq(y[i], x[i] - nu),
        }

    with pytest.raises(SymoptError) as error:
        layer(own)
    assert str(error.value) == (
        "own.shift reads the running average ν, which follows a batch and is read at inference; "
        "let training of own read the batch's own statistic, or write inference(…)"
    )


def test_a_layer_reads_something():
    def own():
        return {"scale": Eq(y[i], gamma)}

    with pytest.raises(SymoptError, match="own reads no input; declare one with given"):
        compile(layer(own))


def test_groups_need_channels_even_without_parameters_and_averages_may_be_of_groups():
    def own():
        return {
            "mean": MEAN,
            "average": Eq(nu, alpha * mu + (1 - alpha) * nu),
            "shift": Eq(y[i], x[i] - mu),
            "later": inference(Eq(mu, nu)),
        }

    made = compile(layer(over="N C/G H W", initial={nu: 0})(own)).Own(
        4, 2, alpha=0.5, dtype=np.float64
    )
    batch = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(made(batch), batch - [2.5, 2.5, 4.5, 4.5])
    np.testing.assert_array_equal(made.nu, [1.25, 2.25])
    made.evaluate()
    np.testing.assert_array_equal(made(batch), batch - [1.25, 1.25, 2.25, 2.25])


@pytest.mark.parametrize("junk", [{"t": -1}, {"t": True}, {"t": "x"}, {"arrays": 3}])
def test_what_is_no_state_is_refused_whole(library, junk):
    made = compile(library["batch_norm_debiased"]).BatchNormDebiased(6, dtype=np.float64)
    made(X)
    before = made.state_dict()
    with pytest.raises(ValueError, match="what was saved is no state of this layer"):
        made.load_state_dict({**before, "hyperparameters": {"alpha": 0.5, "epsilon": 1.0}, **junk})
    after = made.state_dict()
    assert after["hyperparameters"] == before["hyperparameters"]
    assert after["t"] == before["t"]
    for key, one in before["arrays"].items():
        np.testing.assert_array_equal(after["arrays"][key], one)


def test_a_state_of_other_groups_is_refused(library):
    module = compile(library["group_norm"])
    with pytest.raises(ValueError, match="it has 3 groups, not 2"):
        module.GroupNorm(6, 2).load_state_dict(module.GroupNorm(6, 3).state_dict())


@pytest.mark.parametrize("size", [2.5, "a", None, True, (2, 3.0), -1, 0])
def test_sizes_are_whole_numbers(library, size):
    with pytest.raises(ValueError, match=r"batch_norm: channels is .*, but takes whole numbers"):
        compile(library["batch_norm"]).BatchNorm(size)


@pytest.mark.parametrize("dtype", ["junk", int, "f2", complex, object, ">f4"])
def test_dtypes_are_those_of_kernels(library, dtype):
    with pytest.raises(ValueError, match="float32 or float64 is needed"):
        compile(library["batch_norm"]).BatchNorm(6, dtype=dtype)


def test_a_mask_is_not_dropped_in_silence(library):
    with pytest.raises(ValueError, match="the input is a MaskedArray, not a NumPy array"):
        forward(compile(library["batch_norm"]), x=np.ma.masked_array(X, mask=X > 3))
