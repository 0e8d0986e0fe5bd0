"""Results that are stored past the caches: the same bits, nothing beside them, where it pays."""

import inspect
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from sampling import every

from symopt import compile

CASES = {
    "channels": ("batch_norm", "BatchNorm", (3,), (4, 3, 37, 41)),
    "columns": ("batch_norm", "BatchNorm", (1100,), (70, 1100)),
    "groups": ("group_norm", "GroupNorm", (6, 2), (3, 6, 19, 23)),
    "rows": ("layer_norm", "LayerNorm", (1100,), (5, 1100)),
    "elements": ("relu", "Relu", (), (3001,)),
}


def results(module, case, dtype, streams, monkeypatch):
    name, cls, sizes, shape = CASES[case]
    monkeypatch.setattr(module, "_streams", lambda *_: streams)
    rng = np.random.default_rng(5)
    x, dy = rng.normal(size=(2, *shape)).astype(dtype)
    layer = getattr(module, cls)(*sizes, **({"dtype": dtype} if sizes else {}))
    y, dx = layer(x), layer.backward(dy)
    layer.evaluate()
    return [y, dx, layer(x) if name == "batch_norm" else y, *layer.gradients.values()]


@pytest.mark.parametrize(
    ("case", "dtype"), every(3, itertools.product(CASES, (np.float32, np.float64)))
)
def test_the_bits_are_the_same(library, case, dtype, monkeypatch):
    module = compile(library[CASES[case][0]])
    plain = results(module, case, dtype, 0, monkeypatch)
    past = results(module, case, dtype, 1, monkeypatch)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(plain, past, strict=True))


@pytest.mark.parametrize("case", every(3, CASES))
def test_the_compiler_is_told_to_store_past_the_caches(library, load, tmp_path, case, monkeypatch):
    # anew, for what another process has compiled comes as machine code alone
    path = tmp_path / f"{case}.py"
    path.write_text(inspect.getsource(compile(library[CASES[case][0]])))
    module = load(path)
    results(module, case, np.float32, 1, monkeypatch)
    kernel = module._forward_flat if case == "columns" else module._forward
    assert kernel.signatures
    assert all("!nontemporal" in kernel.inspect_llvm(one) for one in kernel.signatures)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_is_stored_before_or_behind_the_result(library, dtype):
    stream = compile(library["relu"])._stream
    values = np.arange(1, 200, dtype=dtype)
    for begin in range(20):
        for size in (0, 1, 7, 15, 16, 17, 40, 150):
            room = np.zeros(220, dtype)
            stream(room[begin : begin + size], values[:size])
            assert np.array_equal(room[begin : begin + size], values[:size])
            assert not room[:begin].any()
            assert not room[begin + size :].any()


def test_small_results_and_short_rows_stay_in_the_caches(library, monkeypatch):
    module = compile(library["relu"])
    monkeypatch.setitem(module._POOL, "streams", True)
    monkeypatch.setitem(module._POOL, "threads", 1)
    large = np.empty((2**14, 128), np.float32)
    assert module._streams(large, large.shape) == 1
    assert module._streams(large, (2**21 // 127, 127)) == 0
    assert module._streams(large[1:], (2**14 - 1, 128)) == 0
    monkeypatch.setitem(module._POOL, "streams", False)
    assert module._streams(large, large.shape) == 0


def test_whether_it_pays_is_measured_once(library, monkeypatch):
    module = compile(library["relu"])
    monkeypatch.delitem(module._POOL, "streams", raising=False)
    monkeypatch.setitem(module._POOL, "threads", 1)
    module.forward(np.ones(2**23, np.float32))
    assert module._POOL["streams"] in (True, False)
    monkeypatch.setattr(module, "_streaming_pays", lambda: pytest.fail("measured again"))
    module.forward(np.ones(2**23, np.float32))


def test_kernels_run_as_python_too(library, tmp_path):
    path = tmp_path / "plain_layer_norm.py"
    path.write_text(inspect.getsource(compile(library["layer_norm"])))
    words = (
        "import numpy as np, plain_layer_norm as module\n"
        "module.STREAMED_FROM = module.STREAMED_ROW = 0\n"
        "y = module.LayerNorm(3)(np.array([[1, 2, 3]], np.float32))\n"
        "assert np.allclose(y, [[-(1.5**0.5), 0, 1.5**0.5]], atol=1e-4), y\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", words], cwd=tmp_path, env=environment, check=True)
