"""Tensor layers that are right are verified, and those with one word changed are refuted."""

import importlib.util
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest

from symopt.catalog.network.affine import affine
from symopt.catalog.network.convolution import convolution
from symopt.cli.library import from_file
from symopt.judging import verify
from symopt.runtime.compiling import compile
from symopt.targets.numba import render_module
from symopt.targets.target import Options
from symopt.verification.tensor_world import COUNT, VALUE, World

USERS = Path(__file__).parent.parent / "data/tensor_layers.py"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [affine, convolution], ids=lambda one: one.name)
def test_what_is_generated_is_verified(layer, dtype):
    verdict = verify(layer, dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 500
    assert verdict.out_of_range == 0


@pytest.mark.parametrize("name", ["dense_at_each_place", "mixed", "causal"])
def test_layers_of_a_users_own_are_verified(name):
    (layer,) = (one for one in from_file(USERS) if one.name == name)
    verdict = verify(layer)
    assert verdict.ok, verdict.message
    assert verdict.points > 500


@pytest.fixture
def mutant(tmp_path, request):
    """The module of a layer with some words replaced; kernels that have not changed as they are."""

    def make(layer, old, new):
        text = render_module(layer, Options()).replace("cache=True, ", "")
        changed = text.replace(old, new)
        assert changed != text, old
        path = tmp_path / f"{layer.name}_mutant.py"
        path.write_text(changed, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"{path.stem}_{tmp_path.name}", path)
        module = importlib.util.module_from_spec(spec)
        request.addfinalizer(lambda: sys.modules.pop(spec.name, None))
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        plain = compile(layer)
        for name, kernel in vars(plain).items():
            if hasattr(kernel, "py_func") and _source(plain, name) == _source(module, name):
                setattr(module, name, kernel)
        return module

    return make


def _source(module, name):
    return inspect.getsource(getattr(module, name).py_func).replace("cache=True, ", "")


GATHER = "_write_x_windows(\n"
SIZES = "count, P, Q, U, V, padding, stride"
MUTANTS = {
    "transposed weights": (affine, "np.matmul(x, W, out", "np.matmul(x, W.T.reshape(J, K), out"),
    "no bias": (affine, "        _add_to_y(b, y, K, N)\n", ""),
    "the bias twice": (affine, "y_row[k] += b_row[k]", "y_row[k] += 2 * b_row[k]"),
    "another sign": (affine, "np.matmul(dy, W.T, out=dx)", "np.matmul(-dy, W.T, out=dx)"),
    "weights of another layer": (affine, "np.matmul(x.T, dy", "np.matmul(dy.T, x).T; np.matmul(abs(x).T, dy"),
    "the mean over examples": (affine, "return dx, dW,", "db /= max(1, N)\n    return dx, dW,"),
    "one example left out": (affine, "for n in range(N):\n        dy_row", "for n in range(min(N, 30)):\n        dy_row"),
    "digits lost": (affine, "    return y\n", "    y *= 1 + 2.0**-18\n    return y\n"),
    "no number hidden": (affine, "    return y\n", "    np.nan_to_num(y, copy=False)\n    return y\n"),
    "an input changed": (affine, "    return y\n", "    arrays['x'][...] = 0\n    return y\n"),
    "shapes unchecked": (affine, "    if known != length:", "    if False:"),
    "dtypes unchecked": (affine, "        if one.dtype != model.dtype:", "        if False:"),
    "another spread": (affine, "math.sqrt(2.0 / J)", "math.sqrt(1.0 / J)"),
    "one seed for all": (affine, "Philox(int(seed))", "Philox(0)"),
    "another start": (affine, "np.full((K,), 0.0, dtype)", "np.full((K,), 1.0, dtype)"),
    "what is saved": (affine, 'self._saved = {"x": x}', 'self._saved = {"x": x + 1}'),
    "gradients mixed up": (affine, 'gradients[f"d{key}"] for', '-gradients[f"d{key}"] for'),
    "a window moved by one": (convolution, "+= dx_windows_row[q]", "+= dx_windows_row[q - 1]"),
    "zeros on the other side": (convolution, f"{SIZES},\n                )\n                np.matmul(\n                    W",
                                f"{SIZES.replace('padding', '-padding')},\n                )\n                np.matmul(\n                    W"),
    "a stride forgotten": (convolution, f"A, B, C, {SIZES},\n            )", f"A, B, C, {SIZES.replace('stride', '1')},\n            )"),
    "ones around": (convolution, "x_windows.fill(0.0)", "x_windows.fill(1.0)"),
    "one block left out": (convolution, "range(0, N, step)", "range(0, N - N % step, step)"),
    "zero times no number": (convolution, "if _finite(W):", "if True:"),
    "zero times no gradient": (convolution, "if _finite(dy):", "if True:"),
    "loops that do nothing": (convolution, "            _add_to_dW(dy", "            (lambda *_: None)(dy"),
    "gradients not added up": (convolution, "dW += dW_products", "dW[...] = dW_products"),
    "numbers unchecked": (convolution, 'stride = _check_whole("stride"', 'stride = (lambda *_: stride)("stride"'),
    "a window that does not fit": (convolution, "    if last < 1:", "    if False:"),
    "windows not square": (convolution, "(O, C, A, B), math", "(O, C, B, A), math"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_one_word_changed_is_refuted(mutant, name):
    layer, old, new = MUTANTS[name]
    verdict = verify(layer, module=mutant(layer, old, new))
    assert not verdict.ok
    assert verdict.message


# the judge's own reading, beside sums written out


def test_the_declared_sum_is_evaluated_as_it_is_written_out():
    letters = {str(one): one for one in affine.outline.ranges.values()}
    world = World(affine, {letters["N"]: 2, letters["J"]: 3, letters["K"]: 2})
    x, W, b = affine.outline.arrays
    arrays = {x: np.arange(6).reshape(2, 3), W: np.arange(6).reshape(3, 2), b: np.array([7, 9])}
    by_hand = [[10 + 7, 13 + 9], [28 + 7, 40 + 9]]
    assert world.output(arrays, VALUE).tolist() == by_hand
    ones = {one: np.ones_like(array) for one, array in arrays.items()}
    assert world.output(ones, COUNT).tolist() == [[4, 4], [4, 4]]  # three products and b


def test_the_last_place_is_found_by_trying_and_what_lies_beyond_is_no_product():
    letters = {str(one): one for one in convolution.outline.ranges.values()}
    outline = convolution.outline
    letters |= {str(one): one for shape in outline.shapes.values() for one in shape}
    stride, padding = convolution.hyperparameters
    lengths = dict(zip("NCUVOAB", (1, 1, 5, 4, 1, 3, 2), strict=True))
    world = World(convolution, {letters[x]: n for x, n in lengths.items()}, {stride: 2, padding: 1})
    assert world.shape(outline.output.base) == (
        1,
        1,
        3,
        3,
    )  # ⌊(5 + 2 − 3)/2⌋ + 1, ⌊(4 + 2 − 2)/2⌋ + 1
    ones = {one: np.ones(world.shape(one), int) for one in outline.arrays}
    # windows of 3 × 2 in rows 0…5 and columns 0…5, of which 1…5 and 1…4 are there; and b
    assert world.output(ones, COUNT)[0, 0].tolist() == [[3, 5, 3], [4, 7, 4], [3, 5, 3]]
