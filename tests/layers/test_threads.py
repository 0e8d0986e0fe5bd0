"""Results of layers do not depend on how many threads there are, not by a bit."""

import os
import subprocess
import sys
import textwrap

import pytest
from sampling import every

# how many threads Numba may use is settled when its process starts
PROGRAM = """
    import hashlib

    import numba
    import numpy as np

    from symopt import compile
    from symopt.cli.library import catalogue

    random = np.random.default_rng(0)
    compiled = {}
    declared = {one.name: one for one in catalogue()}


    def once(layer, inputs, dy):
        output = layer(*inputs)
        gradients = layer.backward(*dy)
        layer.evaluate()
        later = layer(*inputs)
        numbers = [output, gradients, later, *layer.gradients.values(), *layer.averages.values()]
        return hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in numbers)).hexdigest()


    def shown(name, make, shape, *labels):
        module = compiled.setdefault(name, compile(declared[name]))
        x, dy = (random.normal(size=shape).astype(np.float32) for _ in range(2))
        for threads in (1, 2, 3):
            vars(numba)["_symopt_pool"]["threads"] = threads
            bits = once(make(module), (x, *labels), () if labels else (dy,))
            drivers = (one for key, one in vars(module).items() if key.endswith("_shared"))
            used = any(one.signatures for one in drivers)
            print(name, "x".join(map(str, shape)), bits, used, threads)


    labels = random.integers(0, 301, size=127)
"""
CALLS = {
    "softmax_cross_entropy 127x301": "SoftmaxCrossEntropy(), (127, 301), labels",
    "batch_norm 7x5x1103": "BatchNorm(5), (7, 5, 1103)",
    "batch_norm 1100x33": "BatchNorm(33), (1100, 33)",
    "layer_norm 127x301": "LayerNorm(301), (127, 301)",
    "dropout 40001": "Dropout(), (40001,)",
    "group_norm 5x6x31x41": "GroupNorm(6, 3), (5, 6, 31, 41)",
    "softmax 5x7x31x41": "Softmax(), (5, 7, 31, 41)",
}


@pytest.mark.parametrize("case", every(4, CALLS))
def test_results_are_the_same_bits_for_one_two_and_three_threads(case):
    program = f"{textwrap.dedent(PROGRAM)}\nshown({case.split()[0]!r}, lambda m: m.{CALLS[case]})\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        name, shape, bits, shared, threads = line.split()
        found.setdefault(f"{name} {shape}", set()).add(bits)
        assert shared == "True" or threads == "1", line
    assert {name: len(bits) for name, bits in found.items()} == {case: 1}
