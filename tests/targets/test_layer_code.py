"""The compiler's code of layers: element loops take several numbers at a time, in their own dtype.

It is judged before it becomes instructions, and so on any machine.
"""

import inspect
import re

import numba
import numpy as np
import pytest
from sampling import every

from symopt import compile

ARITHMETIC = re.compile(r"= (fadd|fsub|fmul|call) .*<\d+ x float>")
ELEMENTS = re.compile(r"\bd?[xy](_block|_row)?\[")
# elements that are read one at a time, or as if they lay apart
NARROW = re.compile(r"= load float,|masked\.gather")
# one number made a double, or the other way round
CONVERSION = re.compile(r"= (fpext float|fptrunc double) ")


def wide_loops(words):
    """The blocks of code that jump back to themselves and take several float32 at a time."""
    for block in re.split(r"\n(?=[\w.$\"-]+:)", words):
        label = block.partition(":")[0].strip('"')
        again = re.search(rf"br i1 .*label %\"?{re.escape(label)}\"?(,|$|\s)", block)
        if again and ARITHMETIC.search(block) and not NARROW.search(block):
            yield block


def element_loops(function):
    """How many of a function's loops hold no other loop and write or add elements."""
    lines = inspect.getsource(function.py_func).splitlines()
    found = 0
    for place, line in enumerate(lines):
        if not (match := re.match(r"( *)for (\w+) in range\(", line)):
            continue
        inside = []
        for one in lines[place + 1 :]:
            if not one.startswith(match[1] + " "):
                break
            inside.append(one)
        shown = " ".join(inside)
        # a loop over the counter of a row that computes with elements of inputs and outputs
        computed = re.search(rf"\[[^\]]*\b{match[2]}\] (\*|\+|-)", shown)
        if " for " not in shown and computed and ELEMENTS.search(shown):
            found += 1
    return found


CALLS = {
    "layer_norm": (lambda module: module.LayerNorm(90), ((7, 90),)),
    "batch_norm": (lambda module: module.BatchNorm(40), ((5, 40, 9, 9), (70, 40))),
    "group_norm": (lambda module: module.GroupNorm(6, 3), ((4, 6, 9, 9),)),
    "rms_norm": (lambda module: module.RmsNorm(90), ((7, 90),)),
}


@pytest.mark.parametrize("name", every(3, CALLS))
def test_element_loops_are_wide_and_convert_no_single_number(name, library, load, tmp_path):
    path = tmp_path / f"{name}.py"
    path.write_text(inspect.getsource(compile(library[name])))
    module, (make, shapes) = load(path), CALLS[name]
    layer = make(module)
    for shape in shapes:
        x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        layer(x)
        layer.backward(x)
        layer.evaluate()
        layer(x)
        layer.train()
    judged = 0
    for key, function in vars(module).items():
        kernel = re.match(r"_(forward|backward|inference)", key)
        if not kernel or not getattr(function, "signatures", None):
            continue
        (signature,) = function.signatures
        found = list(wide_loops(function.inspect_llvm(signature)))
        assert len(found) >= element_loops(function), key
        for block in found:
            assert not CONVERSION.search(block), f"{key}: a conversion in a loop"
        judged += element_loops(function)
    assert judged >= 4


def test_a_loop_whose_places_might_be_negative_is_not_taken_for_a_wide_one():
    """How sums along rows were once written: from the start of a block to its end."""

    @numba.njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
    def sums(x):
        total = 0.0
        for start in range(0, x.size, 1024):
            part = x.dtype.type(0.0)
            for s in range(start, min(start + 1024, x.size)):
                part += x[s] * x[s]
            total += part
        return total

    sums(np.ones(3000, np.float32))
    assert element_loops(sums) == 1
    assert not list(wide_loops(sums.inspect_llvm(sums.signatures[0])))


def test_registers_of_512_bits_are_used_whole_where_they_slow_nothing_down(library, load, tmp_path):
    path = tmp_path / "relu.py"
    path.write_text(inspect.getsource(compile(library["relu"])))
    module = load(path)
    module.forward(np.ones(4096, np.float32))
    words = module._forward.inspect_llvm(module._forward.signatures[0])
    _, _, features = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    assert ("<16 x float>" in words) == ("+avx512vbmi2" in features)
