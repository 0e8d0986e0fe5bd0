"""The machine code of update rules: wide roots and divisions, nothing in double precision."""

import inspect
import platform
import re

import numpy as np
import pytest
from sampling import every

from symopt import compile
from symopt.cli.library import catalogue
from symopt.declaration import UpdateRule
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import STATE
from symopt.targets.target import Options

# an operation on several float32 at once, as each machine writes it
WIDE = {
    "x86_64": {"sqrt": r"\sv?sqrtps\s", "div": r"\sv?divps\s", "any": r"\sv?\w+ps\s"},
    "aarch64": {
        "sqrt": r"\sfsqrt\s+v\d+\.4s",
        "div": r"\sfdiv\s+v\d+\.4s",
        "any": r"\sf\w+\s+v\d+\.4s",
    },
}
# a float32 made a double or the other way round
CONVERSION = {
    "x86_64": r"\sv?cvt(ss2sd|sd2ss|ps2pd|pd2ps)\s",
    "aarch64": r"\sfcvt[ln]?2?\s",
}
ALSO_CALLED = {"amd64": "x86_64", "arm64": "aarch64"}
# in the compiler's intermediate code, which is judged on any other machine
IN_WORDS = {"sqrt": r"@llvm\.sqrt\.{}f32", "div": r"fdiv[a-z ]* {}float"}
ANY_WIDE = r"(fadd|fsub|fmul|fdiv)[a-z ]* <\d+ x float"
FUSED = r"\s(vf(n?m)(add|sub)|fml[as]|fn?m(add|sub))"
RULES = {one.name: one for one in catalogue() if isinstance(one, UpdateRule)}
WITH_STATES = [name for name, one in RULES.items() if derive_rule(one).of_role(STATE)]
PLAIN, BFLOAT16 = Options(), Options(states="bfloat16")
SEVERAL = (r"<\d+ x ", r"v\d+")


def code_of(rule, load, tmp_path, options=PLAIN):
    """The kernel of float32 arrays, in the compiler's words and as the machine's instructions."""
    module = load(compile_copy(rule, tmp_path, options))
    made = next(x for x in vars(module).values() if inspect.isclass(x) and "step" in vars(x))
    batch = {"m", "n"} & set(module._step.py_func.__code__.co_varnames)
    theta = np.zeros(64, np.float32)
    made([theta]).step([np.zeros((2, 64) if batch else 64, np.float32)])
    found = [one for one in module._step.signatures if str(one[0].dtype) == "float32"]
    assert len(found) == 1
    return module._step.inspect_llvm(found[0]), module._step.inspect_asm(found[0])


def compile_copy(rule, folder, options):
    path = folder / f"{rule.name}{options.states}.py"
    path.write_text(inspect.getsource(compile(rule, options)))
    return path


def loops(code):
    """The stretches from a label to a jump back to it with no label between: innermost loops."""
    label, inside = "", []
    for line in code.splitlines():
        inside.append(line)
        if found := re.match(r"(\.?L\w+):", line):
            label, inside = found[1], []
        elif label and re.search(rf"\s{re.escape(label)}$", line):
            yield "\n".join(inside)


def check_wide(rule, words, instructions):
    machine = platform.machine().lower()
    machine = ALSO_CALLED.get(machine, machine)
    narrow = {x: form.format("") for x, form in IN_WORDS.items()}
    wide = {x: form.format(SEVERAL[x == "sqrt"]) for x, form in IN_WORDS.items()}
    used = {x for x in narrow if re.search(narrow[x], words) or re.search(wide[x], words)}
    assert re.search(ANY_WIDE, words), rule.name
    # in words: a promotion to double precision, wherever it is
    assert "fpext" not in words, rule.name
    for operation in used:
        assert re.search(wide[operation], words), f"{rule.name}: {operation} is not wide"
    if machine not in WIDE:
        return
    inside = list(loops(instructions))
    vector = [one for one in inside if re.search(WIDE[machine]["any"], one)]
    assert vector, rule.name
    for operation in used:
        form = WIDE[machine][operation]
        assert any(re.search(form, one) for one in vector), f"{rule.name}: {operation}"
    for one in inside:
        assert not re.search(CONVERSION[machine], one), f"{rule.name}: a conversion in a loop"


@pytest.mark.parametrize("name", every(3, RULES))
def test_operations_are_wide_and_none_is_done_in_double_precision(name, load, tmp_path):
    words, instructions = code_of(RULES[name], load, tmp_path)
    check_wide(RULES[name], words, instructions)
    # a product that is fused with a sum is not rounded as in other forms of the loop
    assert not re.search(FUSED, instructions), name


@pytest.mark.parametrize("name", every(4, WITH_STATES))
def test_so_are_those_on_states_in_bfloat16_and_no_word_is_of_64_bits(name, load, tmp_path):
    words, instructions = code_of(RULES[name], load, tmp_path, BFLOAT16)
    check_wide(RULES[name], words, instructions)
    assert re.search(r"mul[a-z ]* <\d+ x i32>", words), name
    assert not re.search(r"mul[a-z ]* <\d+ x i64>", words), name


def test_the_judge_of_machine_code_sees_a_conversion_and_a_narrow_root():
    """Instructions of a loop in double precision that takes an element at a time."""
    loop = ".LBB0_1:\n\tvcvtss2sd\t(%rax), %xmm0, %xmm0\n\tvsqrtsd\t%xmm0\n\tjne\t.LBB0_1\n"
    (inside,) = loops(loop)
    assert re.search(CONVERSION["x86_64"], inside)
    assert not re.search(WIDE["x86_64"]["sqrt"], inside)
    assert re.search(WIDE["x86_64"]["sqrt"], "\tsqrtps\t%xmm0, %xmm1")
    for fused in ("vfmadd213ps", "vfnmsub231ss", "fmla\tv0.4s", "fmadd", "fnmsub"):
        assert re.search(FUSED, f"\t{fused}"), fused
    assert re.search(WIDE["aarch64"]["div"], "\tfdiv\tv0.4s, v0.4s, v1.4s")
