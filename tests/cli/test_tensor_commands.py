"""The command line with a layer whose arrays have several indices, in a user's file."""

import pytest
from typer.testing import CliRunner

from symopt.cli.main import app

DENSE = """
from sympy import Eq, sqrt
from symopt import Sigma, count, given, index, learned, normal, sequence, shape, tensor_layer
n, j, k, s = map(index, "njks")
N, J, K, S = map(count, "NJKS")
x, y, W = given("x"), sequence("y"), learned("W")

@tensor_layer(initial={W: normal(sqrt(1 / J))})
def dense():
    '''The same sums at each place.'''
    return {
        "input": shape(x, N, J, S),
        "weights": shape(W, J, K),
        "output": Eq(y[n, k, s], Sigma(x[n, j, s] * W[j, k], (j, 1, J))),
    }
"""


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "dense_layer.py"
    path.write_text(DENSE)

    def called(command, *more):
        result = CliRunner().invoke(app, [command, str(path), *more])
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    return called


def test_it_is_listed_and_shown_with_where_it_starts(run):
    assert "tensor layer" in run("list")
    assert "W ∈ ℝ^(J×K)" in run("show")
    assert "W = N(0, 1/J) at first" in run("show")


def test_it_is_derived_generated_and_verified(run, tmp_path):
    assert "dL/dx[n,j,s] = Σ_{k=1..K} dL/dy[n,k,s]·W[j,k]" in run("derive")
    assert r"\frac{dL}{dW_{j,k}} &= \sum_{n=1}^N \sum_{s=1}^S" in run("derive", "--latex")
    run("generate", "--out", str(tmp_path / "out"))
    assert "np.matmul(W.T, x, out=y)" in (tmp_path / "out/numba/dense.py").read_text()
    assert "refuted" not in run("verify")
