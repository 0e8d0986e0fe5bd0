"""What the machine does in kernels with exponentials: several elements at once, and no calls."""

import re
from pathlib import Path

import numba
import numpy as np
import pytest
from sympy import Eq, erf, exp, log, tanh

from symopt.declaration import Loss, layer
from symopt.nodes import Largest
from symopt.notation import given, sequence
from symopt.runtime.compiling import compile
from symopt.symbols import example as i

x, y = given("x"), sequence("y")

FUNCTIONS = ("exp", "log", "tanh", "erf")
PACKED = re.compile(r"\bv?(fn?m(add|sub)\d+|mul|add)p[sd]\b")
NARROW = re.compile(r"\bv?cvt(ss2sd|sd2ss)\b")
WIDENED = re.compile(r"\bv?cvtps2pd\b")
LARGER = re.compile(r"\bv?pmaxs[dq]\b")
EXPONENTIAL = re.compile(r"\bexpf?\b")
CALLED = re.compile(rf"\b({'|'.join(FUNCTIONS)})f?\b")


def elementwise(library):
    """The layers in which no element knows of another, and which take such a function of it."""
    return [
        one
        for one in library.values()
        if getattr(one, "elementwise", False)
        and any(eq.right.has(exp, log, tanh, erf) for _, eq in one.equations)
    ]


def machine_code(kernel, dtype):
    (text,) = [
        kernel.inspect_asm(one) for one in kernel.signatures if str(one[0].dtype) == dtype
    ]  # fmt: skip
    return [line.strip() for line in text.splitlines() if line.startswith("\t")]


def run(module, dtype):
    given = np.linspace(-3, 3, 256).astype(dtype)
    found = module.forward(given)
    module.backward(*(given for _ in range(module.backward.__code__.co_argcount)))
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elements_are_computed_in_packs(library, load, dtype):
    several = elementwise(library)
    assert several
    for one in several:
        module = load(Path(compile(one).__file__))
        run(module, dtype)
        for kernel in (module._forward, module._backward):
            lines = machine_code(kernel, dtype)
            assert any(map(PACKED.search, lines)), one.name
            assert not any(map(CALLED.search, lines)), one.name
            if dtype == "float32":
                assert not any(map(NARROW.search, lines)), one.name


def over_rows(library):
    """The layers with exponentials in which a group knows of its largest element."""
    return [
        one
        for one in library.values()
        if hasattr(one, "equations") and any(eq.right.has(Largest) for _, eq in one.equations)
    ]


def test_rows_too_and_their_largest_is_found_in_packs(library, load):
    several = over_rows(library)
    assert several
    for one in several:
        module = load(Path(compile(one).__file__))
        given = np.random.default_rng(1).normal(size=(5, 2100)).astype(np.float32)
        labels = [np.arange(5)] if isinstance(one, Loss) else []
        statistics = module.forward(given, *labels)[1:]
        outer = 1.0 if labels else given
        module.backward(outer, given, *labels, *statistics)
        kernels = {key: k for key, k in vars(module).items() if "_flat" in key}
        kernels = {key: k for key, k in kernels.items() if hasattr(k, "signatures")}
        text = {key: machine_code(k, "float32") for key, k in kernels.items() if k.signatures}
        assert any("sums" in key for key in text)
        for key, lines in text.items():
            assert any(map(PACKED.search, lines)) or any(map(LARGER.search, lines)), (one.name, key)
            assert not any(map(EXPONENTIAL.search, lines)), (one.name, key)
            assert not any(map(WIDENED.search, lines)), (one.name, key)
        assert any(map(LARGER.search, text["_forward_flat_sums"])), one.name


def test_a_library_function_is_what_this_would_notice():
    @numba.njit(error_model="numpy")
    def each(source, target):
        for k in range(source.size):
            target[k] = np.exp(source[k])

    each(np.ones(2, np.float32), np.ones(2, np.float32))
    assert any(map(CALLED.search, machine_code(each, "float32")))


def test_logarithms_of_elements_too(load):
    @layer
    def softplus():
        """A smooth ReLU."""
        return {"output": Eq(y[i], log(1 + exp(x[i])))}

    module = load(Path(compile(softplus).__file__))
    given = np.linspace(-5, 5, 64).astype(np.float32)
    exact = np.log1p(np.exp(given.astype(np.float64)))
    # off by 1.5 roundings of the sum 1 + e^x, and by 2 of the logarithm
    bound = 2**-24 * (2 * (1 + np.exp(given)) + 3 * np.abs(exact))
    assert (np.abs(module.forward(given) - exact) <= bound).all()
    lines = machine_code(module._forward, "float32")
    assert any(map(PACKED.search, lines))
    assert not any(map(CALLED.search, lines))
