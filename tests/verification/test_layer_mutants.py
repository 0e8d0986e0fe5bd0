"""Generated layers with one word changed are refuted, where small arrays or no object would do."""

from itertools import cycle

import pytest
from sampling import every
from sympy import Eq, exp, sqrt

from symopt.declaration import layer
from symopt.judging import verify
from symopt.nodes import Sigma
from symopt.notation import given, sequence, statistic
from symopt.symbols import epsilon, example, m

DTYPES = ("float32", "float64")
x, y = given("x"), sequence("y")
mu, spread = statistic("mu_B"), statistic("spread", nonnegative=True)


def user_layer(over):
    """Centred and scaled, without parameters, by a mean of exponentials."""

    def centred():
        i = example
        return {
            "mean": Eq(mu, 1 / m * Sigma(x[i], (i, 1, m))),
            "spread": Eq(spread, 1 / m * Sigma(exp((x[i] - mu) / 8) ** 2, (i, 1, m))),
            "output": Eq(y[i], (x[i] - mu) / sqrt(spread + epsilon)),
        }

    return layer(over=over, defaults={epsilon: 1e-3})(centred)


SCALE = "x_hat_scale = real("
NORMS = ("batch_norm", "layer_norm", "instance_norm", "group_norm", "rms_norm")
# which layer, what is changed, into what: right for small arrays
SIZES = [
    *((name, "range(0, x.size, 1024)", "range(0, x.size, 2048)") for name in NORMS),
    *((name, "start:start + 1024]", "start:start + 1000]") for name in NORMS),
    ("batch_norm", "for n in range(N)", "for n in range(min(N, 3))"),
    ("batch_norm", "for c in range(begin, end)", "for c in range(begin, min(end, 4))"),
    ("batch_norm", "for s in range(S)", "for s in range(min(S, 4))"),
    ("batch_norm", SCALE, f"{SCALE}(0.0 if S >= 64 else 1.0) * "),
    ("softmax", "for c in range(C)", "for c in range(min(C, 4))"),
    ("group_norm", "groups = N * G", "groups = N * G if G < 5 else N * G - 1"),
    ("group_norm", "m = K * S", "m = K * S if G < 5 else K"),
    ("layer_norm", "for e in range(E)", "for e in range(min(E, 12))"),
    ("layer_norm", "for r in range(begin, end)", "for r in range(begin, end - (part > 8))"),
    ("relu", "for block in range(begin, end)", "for block in range(begin, end - (part > 8))"),
    ("relu", "blocks = -((-E) // 1024)", "blocks = 1"),
]
FORWARD_CALL = "mu_hat=self.mu_hat,\n            sigma2_hat=self.sigma2_hat,\n            alpha="
LATER_CALL = "mu_hat=self.mu_hat,\n                sigma2_hat=self.sigma2_hat,\n"
SWAPPED = FORWARD_CALL.replace("self.mu_hat", "self.other").replace("self.sigma2", "self.mu")
SWAPPED = SWAPPED.replace("self.other", "self.sigma2_hat")
CHECKED = "    call.check(_FORWARD_FAULTS)\n"
CONTIGUOUS = "return np.ascontiguousarray(one)"
CLASS = [
    ("batch_norm", FORWARD_CALL, SWAPPED),
    ("batch_norm", LATER_CALL, LATER_CALL.replace("mu_hat=self.mu_hat", "mu_hat=0 * self.mu_hat")),
    ("batch_norm", 'self._saved = {"x": x', 'self._saved = {"x": y'),
    ("batch_norm", 'gradients[f"d{key}"]', '-gradients[f"d{key}"]'),
    ("batch_norm", 'return gradients["dx"]', 'return -gradients["dx"]'),
    ("batch_norm", "self.training = False", "self.training = True"),
    ("batch_norm", "mine[key][...] = one", "mine[key][...] = 1"),
    ("batch_norm", "v.copy() for k, v", "v for k, v"),
    ("batch_norm", "np.full(channels, 1.0, dtype)", "np.full(channels, 2.0, dtype)"),
    ("batch_norm_debiased", "self.t += 1", "self.t += 2"),
    ("batch_norm_debiased", "        self.t += 1\n", ""),
    ("batch_norm_debiased", "        self.t = t\n", ""),
    ("layer_norm", 'self._saved = {"x": x', 'self._saved = {"x": y'),
    ("softmax", 'self._saved = {"x": x', 'self._saved = {"x": y'),
    ("batch_norm", "_numbers(alpha, epsilon)", "_numbers(alpha, 1e-5)"),
    ("relu", 'return gradients["dx"]', 'return -gradients["dx"]'),
    ("relu", "if reuse else None", "if not reuse else None"),
    ("relu", "{} if reuse else None", "None"),
    ("softmax", "place = (key, shape,", "place = (shape,"),
]  # fmt: skip
REFUSALS = [
    ("batch_norm", "call.check(_BACKWARD_FAULTS)", "pass"),
    ("batch_norm", "fault[part, 0] = 1", "fault[part, 0] = 0"),
    ("batch_norm", "call.check(_INFERENCE_FAULTS)", "pass"),
    ("layer_norm", "fault[part, 0] = 1", "fault[part, 0] = 0"),
    ("batch_norm", CHECKED, f"    mu_hat += 1\n{CHECKED}    mu_hat -= 1\n"),
    ("batch_norm", 'x = _array("x", x, shapes, "element", dy.dtype, READ)', "x = np.asarray(x)"),
    ("batch_norm", 'gamma = _array("gamma", gamma, shapes, "learned", x.dtype, READ)',
        "gamma = np.asarray(gamma)"),
    ("batch_norm", CONTIGUOUS, f"{CONTIGUOUS} if one.strides[0] > 0 else abs(one)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "dtype"),
    every(7, [(*one, dtype) for one, dtype in zip(SIZES, cycle(DTYPES), strict=False)]),
)
def test_a_kernel_that_is_right_for_small_arrays_is_refuted(mutant, name, old, new, dtype):
    declared, module = mutant(name, old, new)
    verdict = verify(declared, dtype, module=module)
    assert not verdict.ok
    assert "x of shape" in verdict.message


@pytest.mark.parametrize(("name", "old", "new"), every(7, CLASS))
def test_a_class_that_is_not_what_its_functions_are_is_refuted(mutant, name, old, new):
    declared, module = mutant(name, old, new)
    verdict = verify(declared, module=module)
    assert verdict.where.startswith(f"{name}, the class, "), verdict.message


@pytest.mark.parametrize(("name", "old", "new"), every(4, REFUSALS))
def test_what_has_to_be_refused_and_is_not_refutes(mutant, name, old, new):
    declared, module = mutant(name, old, new)
    verdict = verify(declared, module=module)
    assert not verdict.ok, new


@pytest.mark.slow
def test_a_layer_without_a_value_for_single_elements_is_verified():
    def scaled():
        i = example
        return {
            "mean": Eq(mu, 1 / m * Sigma(x[i], (i, 1, m))),
            "spread": Eq(spread, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m))),
            "output": Eq(y[i], (x[i] - mu) / sqrt(spread)),
        }

    verdict = verify(layer(over="N H W")(scaled))
    assert verdict.ok, verdict.message
    assert verdict.undefined


@pytest.mark.parametrize("dtype", DTYPES)
# CI verifies the whole catalogue by the command besides
@pytest.mark.parametrize("name", every(3, ["relu", "softmax", "layer_norm"]))
def test_what_is_generated_is_verified(library, name, dtype):
    verdict = verify(library[name], dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 50000


@pytest.mark.parametrize("dtype", every(2, DTYPES))
@pytest.mark.parametrize("over", every(2, ["N C H W", "C"]))
def test_a_layer_of_the_users_own_is_verified(over, dtype):
    verdict = verify(user_layer(over), dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 50000
