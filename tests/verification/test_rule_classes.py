"""The judge of optimizer classes: what steps many tensors must do what the step does to each."""

import inspect

import pytest
from sampling import every
from sympy import Eq, sqrt

from symopt import compile, debias, hat, initially, verify
from symopt.symbols import alpha, beta, g, t, theta, u, v


@pytest.fixture
def numbers_carried_along(declare):
    """A rule with a number that goes from step to step and is shared by all elements."""
    return declare(
        lambda: {
            "number": Eq(u[t], beta * u[t - 1] + 1),
            "average": Eq(v[t], v[t - 1] / t + 3 * g[t]),
            "start": initially(1, u, v),
            "correction": debias(v),
            "step": Eq(theta[t + 1], theta[t] - alpha * hat(v)[t] / sqrt(u[t])),
        }
    )


# a slip in what surrounds the kernel, which by itself is right
SLIPS = {
    "segments that all begin at the tensor's start": (" + start * width", ""),
    "a segment too short": ("(tensor, start, size - start)", "(tensor, start, size - start - 1)"),
    "a step that does not count": ("        self.t = t\n", "        self.t = t - 1\n"),
    "a step that goes by the first one's number": ("numbers[0] = t\n", "numbers[0] = 1\n"),
    "a state in another's place": (
        'state[key] for key in ("v", "G",)',
        'state[key] for key in ("G", "v",)',
    ),
    "states that start anew": ("        copy[...] = one\n", "        copy[...] = 1\n"),
}


@pytest.mark.parametrize("slip", every(4, SLIPS))
def test_a_slip_around_a_right_kernel_is_noticed(library, load, tmp_path, slip):
    rule = library["adam"]
    text = inspect.getsource(compile(rule))
    right, wrong = SLIPS[slip]
    assert text.count(right) >= 1
    path = tmp_path / "adam.py"
    path.write_text(text.replace(right, wrong))
    verdict = verify(rule, module=load(path), steps=2)
    assert not verdict.ok
    assert "adam, the class, " in verdict.message


@pytest.mark.slow
def test_a_number_advanced_once_a_segment_is_noticed(numbers_carried_along, load, tmp_path):
    text = inspect.getsource(compile(numbers_carried_along))
    advanced_in_place = "kept[k, 0] = numba.carray(_pointer(rows[tensor, 2], kept), 1)[0]"
    assert text.count(advanced_in_place) == 1
    path = tmp_path / "rule.py"
    # each segment goes on from the one before
    path.write_text(text.replace(advanced_in_place, f"if k == 0: {advanced_in_place}"))
    verdict = verify(numbers_carried_along, module=load(path), steps=2)
    assert not verdict.ok
    assert verify(numbers_carried_along, steps=2).ok
