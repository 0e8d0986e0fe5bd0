"""Tensor layers that are right are verified, and those with one word changed are refuted."""

import importlib.util
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
from sampling import every

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


@pytest.mark.parametrize("name", every(2, ["dense_at_each_place", "causal"]))
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


SIZES = "A, B, C, count, P, Q, U, V, padding, stride"
BIAS, RETURN = "        _add_to_y(b, y, K, N)\n", "    return y\n\n"
ROWS = "for n in range(N):\n        dy_row"
MUTANTS = {
    "transposed weights": (affine, "(x, W, out=y)", "(x, W.T.reshape(J, K), out=y)"),
    "no bias": (affine, BIAS, ""),
    "the bias twice": (affine, BIAS, 2 * BIAS),
    "another sign": (affine, "(dy, W.T, out=dx)", "(-dy, W.T, out=dx)"),
    "sizes of inputs": (affine, "(x.T, dy, out=dW)", "(abs(x.T), dy, out=dW)"),
    "the mean over examples": (affine, "return dx, dW,", "db /= max(1, N)\n    return dx, dW,"),
    "examples left out": (affine, ROWS, ROWS.replace("N", "min(N, 100)")),
    "digits lost": (affine, BIAS, BIAS + "        y *= 1 + 2.0**-18\n"),
    "no number hidden": (affine, BIAS, BIAS + "        np.nan_to_num(y, copy=False)\n"),
    "an input changed": (affine, BIAS, BIAS + "        x[...] = 0\n"),
    "lengths unchecked": (affine, "    if known != length:", "    if False:"),
    "dtypes unchecked": (affine, "if one.dtype != model.dtype:", "if False:"),
    "another spread": (affine, "math.sqrt(2.0 / J)", "math.sqrt(1.0 / J)"),
    "one seed for all": (affine, "Philox(int(seed))", "Philox(0)"),
    "another start": (affine, "np.full((K,), 0.0, dtype)", "np.full((K,), 1.0, dtype)"),
    "another input saved": (affine, '= {"x": x}', '= {"x": x + 1}'),
    "signs of gradients": (affine, 'gradients[f"d{key}"] for', '-gradients[f"d{key}"] for'),
    "a window moved by one": (convolution, "+= dx_windows_row[q]", "+= dx_windows_row[q - 1]"),
    "zeros on the other side": (convolution, SIZES, SIZES.replace("padding", "-padding")),
    "a stride forgotten": (convolution, SIZES, SIZES.replace("stride", "1")),
    "ones around": (convolution, "x_windows.fill(0.0)", "x_windows.fill(1.0)"),
    "a block left out": (convolution, "range(0, N, step)", "range(0, N - N % step, step)"),
    "zero times no weight": (convolution, "if _finite(W):", "if True:"),
    "zero times no gradient": (convolution, "if _finite(dy):", "if True:"),
    "loops that do nothing": (convolution, "    _add_to_dW(dy", "    (lambda *_: None)(dy"),
    "the last block alone": (convolution, "dW += dW_products", "dW[...] = dW_products"),
    "numbers unchecked": (convolution, '_check_whole("stride"', '(lambda *_: stride)("stride"'),
    "no place": (convolution, "    if last < 1:", "    if False:"),
    "another window": (convolution, "(O, C, A, B), math", "(O, C, B, A), math"),
}


@pytest.mark.parametrize("name", every(3, MUTANTS))
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
    )
    ones = {one: np.ones(world.shape(one), int) for one in outline.arrays}
    # windows of 3 × 2 in rows 0…5 and columns 0…5, of which 1…5 and 1…4 are there; and b
    assert world.output(ones, COUNT)[0, 0].tolist() == [[3, 5, 3], [4, 7, 4], [3, 5, 3]]
