"""C: the kernels of the other target, compiled ahead of time, under the same functions and checks.

Where there is no C compiler, what is tested is the text, and that the refusal is one sentence.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from itertools import cycle

import numpy as np
import pytest
from pycparser import c_parser
from sympy import Abs, Eq, Max, Min, Piecewise, cos, erf, exp, floor, log, sign, sin, tanh

from symopt import (
    Largest,
    Sigma,
    compile,
    given,
    hyperparameter,
    initially,
    layer,
    sequence,
    statistic,
    update_rule,
)
from symopt.cli.main import app
from symopt.declaration import Layer, Regularizer, UpdateRule
from symopt.errors import LoweringError, UsageError
from symopt.judging import verify
from symopt.notation import Label
from symopt.runtime.ahead import compile_ahead
from symopt.runtime.generation import files, write
from symopt.symbols import alpha, beta, g, m, t, theta
from symopt.symbols import example as i
from symopt.targets.c import compiled_ahead
from symopt.targets.target import Options

COMPILER = shutil.which(os.environ.get("CC", "cc"))
DTYPES = ("float32", "float64")


@pytest.fixture(scope="session")
def compiled(library):
    """The declarations that there is C of."""
    return [one for one in library.values() if compiled_ahead(one)]


@update_rule(defaults={alpha: 0.1})
def many_functions():
    """A rule of all that a kernel can compute of an element."""
    a, b, c, m = (sequence(word) for word in "abcm")
    return {
        "bounded": Eq(a[t], Max(Min(g[t], 2, evaluate=False), -3, evaluate=False)),
        "smooth": Eq(b[t], tanh(a[t]) + erf(a[t]) * cos(a[t]) - sin(a[t])),
        "power": Eq(c[t], a[t] ** 3 - (a[t] + b[t]) ** 5 + exp(-Abs(a[t])) + log(1 + a[t] ** 2)),
        "memory": Eq(m[t], m[t - 1] / 2 + sign(c[t]) - floor(a[t])),
        "step": Eq(
            theta[t + 1],
            theta[t] - alpha * Piecewise((m[t], m[t] < 1), (c[t], m[t] > 2), (a[t], True)),
        ),
        "initial": initially(0, m),
    }


x, u, y = given("x"), sequence("u"), sequence("y")
top, total = statistic("top"), statistic("total", positive=True)


@layer(over="C H W")
def softmax_of_rows():
    """Shares of each example, its largest element found along rows of memory."""
    return {
        "largest": Eq(top, Largest(x[i], (i, 1, m))),
        "shifted": Eq(u[i], exp(x[i] - top)),
        "total": Eq(total, Sigma(u[i], (i, 1, m))),
        "output": Eq(y[i], u[i] / total),
    }


OWN = (many_functions, softmax_of_rows)


def parsed(text: str):
    """The C text as a tree; what a preprocessor does is done here."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*|#[^\n]*", "", text, flags=re.S)
    return c_parser.CParser().parse(f"typedef long int64_t;\n{text}")


def ahead(declared):
    """The compiled module; none, after a refusal in one sentence, where nothing can compile."""
    if COMPILER:
        return compile_ahead(declared)
    with pytest.raises(UsageError, match=r"^[^\n]* could not be compiled[^\n]*$"):
        compile_ahead(declared)
    return None


def test_each_kernel_is_a_function_of_well_formed_c_for_each_dtype(compiled):
    for declared in [*compiled, *OWN]:
        texts = files([declared], ["c"])
        assert texts == files([declared], ["c"])
        tree = parsed(texts[f"c/{declared.name}.c"])
        names = {one.decl.name for one in tree.ext if hasattr(one, "decl")}
        kernel = {UpdateRule: "step", Regularizer: "gradient"}.get(type(declared), "backward")
        assert {f"{declared.name}_{kernel}_{dtype}" for dtype in DTYPES} <= names


def test_a_dtype_that_is_left_out_has_no_function(library):
    texts = files([library["sgd"]], ["c"], Options(dtypes=("float32",)))
    assert "_float32(" in texts["c/sgd.c"]
    assert "_float64(" not in texts["c/sgd.c"]


@pytest.mark.slow
def test_every_rule_in_c_is_what_its_equations_say(compiled):
    """In one dtype and the other by turns; in both, the bits are those of the other target."""
    rules = [one for one in [*compiled, *OWN] if not isinstance(one, Layer)]
    for declared, dtype in zip(rules, cycle(DTYPES), strict=False):
        module = ahead(declared)
        if module:
            verdict = verify(declared, dtype, steps=3, module=module)
            assert verdict.ok, verdict.message


@pytest.mark.slow
def test_layers_in_c_are_what_their_equations_say(compiled):
    """One of each sort: with running averages, with learned letters, a loss, with labels."""
    sorts = {}
    for declared in [one for one in compiled if isinstance(one, Layer)]:
        kept, labels = bool(declared.initial), bool(declared.symbols(Label))
        sorts[type(declared), declared.elementwise, kept, labels] = declared
    sorts["rows"] = softmax_of_rows
    assert len(sorts) > 4
    for declared in sorts.values():
        module = ahead(declared)
        if module:
            verdict = verify(declared, "float32", module=module)
            assert verdict.ok, verdict.message


def test_functions_and_rows_in_c_are_what_their_equations_say():
    for declared in OWN:
        module = ahead(declared)
        if module:
            verdict = verify(declared, "float32", module=module)
            assert verdict.ok, verdict.message


def test_the_gradient_of_a_step_in_c_is_that_of_its_equations(library):
    module = ahead(library["rmsprop"])
    if module:
        assert verify(library["rmsprop"], "float32", steps=2, gradients=True, module=module).ok


@update_rule(defaults={alpha: 0.1, beta: 0.7})
def twice_a_square():
    """Two states share g², which a compiler may or may not find out."""
    p, q = sequence("p"), sequence("q")
    return {
        "one": Eq(p[t], beta * p[t - 1] + (1 - beta) * g[t] ** 2),
        "other": Eq(q[t], beta * q[t - 1] + (1 - beta) * g[t] ** 2),
        "step": Eq(theta[t + 1], theta[t] - alpha * g[t]),
        "initial": initially(1, p, q),
    }


def stepped(module, size, dtype, random):
    """All arrays of a rule after three steps."""
    known = inspect.signature(module.step).parameters
    lead = (3,) if "one gradient for each example" in module.step.__doc__ else ()
    arrays = {
        name: random.normal(size=(*lead, size)) if name == "g" else random.exponential(size=size)
        for name, one in known.items()
        if one.annotation == "np.ndarray"
    }
    arrays = {name: one.astype(dtype) for name, one in arrays.items()}
    for now in range(1, 4):
        module.step(**arrays, **({"t": now} if "t" in known else {}))
    return arrays


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1, 7, 1024, 5001])
def test_both_targets_give_the_same_bits(compiled, size, dtype):
    """No sum is fused with a product: both compilers would have to choose the same ones."""
    rules = [one for one in compiled if isinstance(one, UpdateRule)]
    assert len(rules) > 5
    for rule in [*rules, twice_a_square]:
        modules = [compile(rule), ahead(rule)]
        found = [stepped(one, size, dtype, np.random.default_rng(size)) for one in modules if one]
        for name, array in found[0].items():
            assert array.tobytes() == found[-1][name].tobytes(), f"{rule.name}: {name}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_object_has_the_bits_of_single_steps(dtype):
    for module in filter(None, [compile(twice_a_square), ahead(twice_a_square)]):
        random = np.random.default_rng(3)
        start, g = (random.exponential(size=65).astype(dtype) for _ in range(2))
        one = module.TwiceASquare([start.copy()])
        alone = {"theta": start.copy(), "p": np.ones(65, dtype), "q": np.ones(65, dtype)}
        for _ in range(3):
            one.step([g])
            for k in range(65):
                module.step(g=g[k : k + 1], **{x: y[k : k + 1] for x, y in alone.items()})
        for name, array in {"theta": one.params[0], **one.states[0]}.items():
            assert array.tobytes() == alone[name].tobytes(), name


def mistakes():
    """Calls of a step that are wrong, each by what it changes."""
    ones = np.ones(4, np.float32)
    return [
        {"g": [1, 2, 3, 4]},
        {"g": ones.astype(np.float64)},
        {"theta": ones.astype(np.float16)},
        {"v": np.ones(5, np.float32)},
        {"v": np.ones(8, np.float32)[::2]},
        {"theta": ones, "v": ones},
        {"alpha": -1.0},
        {"gamma": "much"},
    ]


@pytest.mark.parametrize("change", mistakes(), ids=lambda one: ",".join(one))
def test_both_targets_refuse_the_same_with_the_same_words(library, change):
    found = []
    for module in filter(None, [compile(library["momentum"]), ahead(library["momentum"])]):
        arrays = {key: np.ones(4, np.float32) for key in ("theta", "g", "v")}
        with pytest.raises(ValueError, match=r"^momentum: ") as refusal:
            module.step(**{**arrays, "alpha": 0.1, "gamma": 0.9, **change})
        found.append(str(refusal.value))
    assert len(set(found)) == 1


def test_an_array_between_places_of_memory_is_refused(library):
    module = ahead(library["momentum"])
    if module:
        between = np.zeros(17, np.uint8)[1:].view(np.float32)
        whole = [np.zeros(4, np.float32) for _ in range(3)]
        with pytest.raises(
            ValueError, match=r"^momentum: g is not aligned in memory; pass a copy of it$"
        ):
            module.step(whole[0], between, whole[1], alpha=0.1, gamma=0.9)
        optimizer = module.Momentum(whole[:2], alpha=0.1, gamma=0.9)
        with pytest.raises(
            ValueError, match=r"^momentum: g is not aligned in memory; pass a copy of it$"
        ):
            optimizer.step([whole[2] + 1, between])
        assert not whole[0].any()


def test_a_layer_takes_arrays_between_places_of_memory(library):
    modules = [compile(library["batch_norm"]), ahead(library["batch_norm"])]
    found = []
    for module in filter(None, modules):
        aligned = np.arange(-6, 6, dtype=np.float32).reshape(2, 3, 2)
        between = np.zeros(49, np.uint8)[1:].view(np.float32).reshape(2, 3, 2)
        between[...] = aligned
        assert not between.flags.aligned
        made = [module.BatchNorm(3) for _ in range(2)]
        outputs = [one(given) for one, given in zip(made, (aligned, between), strict=True)]
        assert np.array_equal(*outputs)
        assert np.array_equal(*(one.backward(between) for one in made))
        found.append(made[1].mu_hat)
    # the means of three channels are -2.5, -0.5 and 1.5, of which a tenth is taken
    for averages in found:
        np.testing.assert_allclose(averages, [-0.25, -0.05, 0.15], rtol=2**-22)


def test_a_class_goes_on_from_what_the_other_target_saved(library):
    made = [compile(library["momentum"]), ahead(library["momentum"])]
    if all(made):
        ends = []
        for first, second in (made, reversed(made)):
            # nothing is rounded, so the bits are the same
            params = [np.full(shape, 2.0, np.float32) for shape in ((3, 4), (5,), ())]
            grads = [np.full_like(one, 6.0) for one in params]
            optimizer = first.Momentum(params, alpha=0.25, gamma=0.5)
            optimizer.step(grads)
            other = second.Momentum(params, alpha=0.25, gamma=0.5)
            other.load_state_dict(optimizer.state_dict())
            other.step(grads)
            assert other.t == 2
            ends.append(params)
        # v = 1.5, then 2.25
        for one, two in zip(*ends, strict=True):
            assert (one == 2 - 1.5 - 2.25).all()
            assert np.array_equal(one, two)


def test_it_runs_where_there_is_no_numba(library, tmp_path):
    write(tmp_path, files([library["gd"]], ["c"]))
    folder = tmp_path / "c"
    code = (
        "import sys\n"
        "sys.modules['numba'] = sys.modules['sympy'] = None\n"
        f"sys.path.insert(0, {str(folder)!r})\n"
        "import numpy as np\n"
        "from gd import Gd\n"
        "theta = np.ones(3)\n"
        "Gd([theta], alpha=0.5).step([np.ones(3)])\n"
        "print(theta)"
    )

    def run(*command, **variables):
        environment = {**os.environ, **variables}
        return subprocess.run(
            [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
        )

    before = run("-c", code)
    assert before.stderr.endswith(
        "ImportError: gd: its kernels are not compiled; run python build_gd.py\n"
    )
    without = run(folder / "build_gd.py", CC=str(tmp_path / "no-such-compiler"))
    assert without.returncode == 1
    assert without.stderr.splitlines()[-1].startswith(
        "gd.c could not be compiled by a C compiler: "
    )
    if COMPILER:
        assert run(folder / "build_gd.py").returncode == 0
        assert run("-c", code).stdout == "[0.5 0.5 0.5]\n"
        changed = (folder / "gd.py").read_text().replace('!= b"', '!= b"0')
        (folder / "gd.py").write_text(changed)
        assert run("-c", code).stderr.endswith(
            "ImportError: gd: what is compiled is not of this gd.c; run python build_gd.py\n"
        )


def test_without_cffi_the_build_says_what_to_install(library, tmp_path):
    write(tmp_path, files([library["gd"]], ["c"]))
    code = (
        "import runpy, sys\n"
        "sys.modules['cffi'] = None\n"
        f"runpy.run_path({str(tmp_path / 'c' / 'build_gd.py')!r}, run_name='__main__')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "gd: compiling takes cffi; pip install cffi setuptools\n"


def test_a_letter_called_like_a_word_of_c_is_refused(declare):
    rate = hyperparameter("rho", python="double")
    made = declare(
        lambda: {"step": Eq(theta[t + 1], theta[t] - rate * g[t])}, "twice", defaults={rate: 1.0}
    )
    with pytest.raises(LoweringError) as refusal:
        files([made], ["c"])
    assert str(refusal.value) == (
        "twice has a letter with the Python name double, which is a word of C; rename it with "
        "python='…'"
    )


def test_of_what_has_no_kernel_there_is_no_c(library):
    with pytest.raises(UsageError) as refusal:
        compile_ahead(library["cosine"])
    assert str(refusal.value) == (
        "cosine is a schedule, for which no C is written; use its numba module"
    )


def test_the_commands_write_and_judge_what_is_compiled_ahead_of_time(tmp_path, capsys):
    def ran(*arguments: str) -> int:
        return app(list(arguments), standalone_mode=False) or 0

    out = str(tmp_path)
    assert ran("generate", "gd", "cosine", "--aot", "--out", out) == 0
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert found == {
        *(f"numba/{name}.py" for name in ("gd", "cosine")),
        *(f"latex/{name}.tex" for name in ("gd", "cosine")),
        *("c/gd.c", "c/gd.py", "c/build_gd.py"),
    }
    assert ran("generate", "gd", "cosine", "--aot", "--out", out, "--check") == 0
    (tmp_path / "c" / "gd.c").write_text("changed")
    assert ran("generate", "gd", "--target", "c", "--out", out, "--check") == 1
    with pytest.raises(UsageError, match=r"^cosine is a schedule, for which no C is written; "):
        ran("verify", "cosine", "--aot")
    if COMPILER:
        assert ran("verify", "gd", "--aot", "--steps", "2") == 0
        assert "verified" in capsys.readouterr().out
