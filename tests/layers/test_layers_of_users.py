"""A layer that the catalogue does not have, in a user's file: all follows from its declaration."""

import numpy as np
import pytest
import torch
from sampling import every
from typer.testing import CliRunner

from symopt.cli.library import from_file
from symopt.cli.main import app
from symopt.runtime.compiling import compile

HEAD = """
from sympy import Abs, Eq, exp, sqrt
from symopt import Sigma, given, hat, layer, parameter, sequence, statistic
from symopt.symbols import epsilon, m, example as i
x, y, mu, q = given("x"), sequence("y"), statistic("mu"), statistic("q", nonnegative=True)
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))
"""
LAYERS = {
    "weight_standardization": '''
@layer(over="C H W", defaults={epsilon: 1e-5})
def weight_standardization():
    """Each output's weights without their mean and spread."""
    return {
        "mean": MEAN,
        "variance": Eq(q, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m))),
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    }
''',
    "mean_absolute": '''
@layer(over="H W", defaults={epsilon: 1e-3})
def mean_absolute():
    """Each channel over the mean of its absolute values."""
    return {
        "size": Eq(q, 1 / m * Sigma(Abs(x[i]), (i, 1, m))),
        "divide": Eq(y[i], x[i] / (epsilon + q)),
    }
''',
    "mixed_means": '''
share, gamma = parameter("share"), parameter("gamma")
@layer(over="N H W", initial={share: 0.25, gamma: 1}, defaults={epsilon: 1e-5})
def mixed_means():
    """Each feature without a learned mixture of its mean and its root mean square."""
    return {
        "mean": MEAN,
        "root": Eq(q, sqrt(1 / m * Sigma(x[i] ** 2, (i, 1, m)) + epsilon)),
        "shift": Eq(y[i], gamma * (x[i] - share * mu - (1 - share) * q)),
    }
''',
    "soft": '''
@layer(over="C")
def soft():
    """The softmax over channels, at each place by itself."""
    return {
        "total": Eq(q, Sigma(exp(x[i]), (i, 1, m))),
        "share": Eq(y[i], exp(x[i]) / q),
    }
''',
    "whole": '''
gamma = parameter("gamma")
@layer(over="N C H W", initial={gamma: 2}, defaults={epsilon: 1e-5})
def whole():
    """All of a batch over its root mean square, each channel scaled."""
    return {
        "size": Eq(q, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        "divide": Eq(y[i], gamma * x[i] / sqrt(q + epsilon)),
    }
''',
}


def mean(x, axes):
    return x.mean(dim=axes, keepdim=True)


TORCH = {
    "weight_standardization": lambda x: (
        (x - mean(x, (1, 2))) / (mean((x - mean(x, (1, 2))) ** 2, (1, 2)) + 1e-5).sqrt()
    ),
    "mean_absolute": lambda x: x / (1e-3 + mean(x.abs(), (2,))),
    "mixed_means": lambda x, share, gamma: (
        gamma[:, None]
        * (
            x
            - share[:, None] * mean(x, (0, 2))
            - (1 - share[:, None]) * (mean(x**2, (0, 2)) + 1e-5).sqrt()
        )
    ),
    "soft": lambda x: x.softmax(1),
    "whole": lambda x, gamma: gamma[:, None] * x / (mean(x**2, (0, 1, 2)) + 1e-5).sqrt(),
}


@pytest.fixture(params=every(5, reversed(LAYERS)))
def file(request, tmp_path):
    path = tmp_path / f"{request.param}_layer.py"
    path.write_text(HEAD + LAYERS[request.param])
    return path


def test_a_layer_takes_fewer_than_fifteen_lines():
    for text in LAYERS.values():
        assert len((HEAD + text).strip().splitlines()) < 17
        assert len(text.strip().splitlines()) < 15


def test_output_and_gradients_are_torchs(file):
    (declared,) = from_file(file)
    module = compile(declared)
    x = np.random.default_rng(1).normal(size=(3, 4, 5)) + 0.3
    dy = np.random.default_rng(2).normal(size=x.shape)
    learned = TORCH[declared.name].__code__.co_varnames[1:]
    values = {name: np.random.default_rng(3).normal(size=4) for name in learned}
    y, *_ = module.forward(x=x, **values)
    leaves = [torch.tensor(one, requires_grad=True) for one in (x, *values.values())]
    theirs = TORCH[declared.name](*leaves)
    (theirs * torch.tensor(dy)).sum().backward()
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=1e-12, atol=1e-13)
    made = getattr(module, "".join(part.capitalize() for part in declared.name.split("_")))
    one = made(4, dtype=np.float64) if values else made(dtype=np.float64)
    for name, value in values.items():
        getattr(one, name)[...] = value
    assert one(x).tobytes() == y.tobytes()
    np.testing.assert_allclose(one.backward(dy), leaves[0].grad.numpy(), rtol=1e-11, atol=1e-13)
    for leaf, name in zip(leaves[1:], values, strict=True):
        np.testing.assert_allclose(one.gradients[name], leaf.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_the_commands_take_it_without_any_other_change(file, tmp_path):
    run = CliRunner()
    for arguments in (
        ["show", str(file)],
        ["derive", str(file)],
        ["derive", str(file), "--latex"],
        ["generate", str(file), "--out", str(tmp_path / "out")],
        ["verify", str(file)],
    ):
        result = run.invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output, result.exception)
    kinds = sorted(one.suffix for one in (tmp_path / "out").rglob("*.*") if one.is_file())
    assert kinds == [".py", ".tex"]
