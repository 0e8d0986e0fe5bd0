"""``symopt equivalent`` as a user meets it: three verdicts, three exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def equivalent(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "symopt.cli", "equivalent", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "begins"),
    [
        (("1 - beta**(t + 1)", "1 - beta*beta**t"), 0, "proved: 1 − β^(1 + t) = 1 − βᵗ·β\n"),
        (("v[t]**2", "abs(v[t])*v[t]"), 1, "refuted: "),
        (("Sum(1/k**2, (k, 1, oo))", "pi**2/6"), 3, "undecided: "),
        (("sqrt(x**2)", "x", "--assume", "x >= 0"), 0, "proved: √(x²) = x\n  where x ≥ 0\n"),
    ],
)
def test_each_verdict_has_its_exit_code(arguments, code, begins):
    ran = equivalent(*arguments)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert ran.stdout.startswith(begins), ran.stdout


def test_a_layer_of_a_file_is_compared_by_its_name(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from sympy import Eq, Max\n"
        "from symopt import given, layer, sequence\n"
        "from symopt.symbols import example as i\n"
        'x, y = given("x"), sequence("y")\n'
        "@layer()\n"
        "def rectified():\n"
        '    return {"output": Eq(y[i], Max(x[i], 0))}\n'
        "@layer()\n"
        "def negated():\n"
        '    return {"output": Eq(y[i], -x[i])}\n'
    )
    ran = equivalent("relu", f"{file}:rectified")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("proved: relu = rectified\n")
    assert equivalent("relu", f"{file}:negated").returncode == 1
    ran = equivalent("relu", f"{file}:rectify")
    assert ran.stderr == f"symopt: {file} declares no rectify; did you mean rectified?\n"


def test_a_relation_is_given_by_names(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from sympy import Eq\n"
        "from symopt import d, sequence, update_rule\n"
        "from symopt.symbols import L, alpha, gamma, t, theta\n"
        'b = sequence("b")\n'
        "@update_rule(initial={b: 0})\n"
        "def ahead():\n"
        "    slope = d(L(theta), theta)\n"
        "    return {\n"
        '        "velocity": Eq(b[t], gamma * b[t - 1] + slope),\n'
        '        "step": Eq(theta[t + 1], theta[t] - alpha * (slope + gamma * b[t])),\n'
        "    }\n"
    )
    given = ("--relation", "b = v[t - 1]/alpha", "--relation", "theta = theta[t] - gamma*v[t - 1]")
    ran = equivalent("nesterov", str(file), *given)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "φ" not in ran.stdout
    ran = equivalent("nesterov", str(file))
    assert ran.returncode == 1
    assert "\n  but one rule in other letters:\n" in ran.stdout
    ran = equivalent("nesterov", str(file), "--relation", "b")
    assert ran.stderr == "symopt: 'b' is no relation; write one such as 'eps = epsilon'\n"


def test_machines_get_the_verdict_with_its_counterexample():
    answer = json.loads(equivalent("x**2", "x**3", "--json").stdout)
    assert (answer["status"], answer["counterexample"]) == ("refuted", {"x": "−1"})
    assert answer["values"] == ["1", "−1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x +", "x"), "symopt: 'x +' cannot be read (invalid syntax (<string>, line 1)); "),
        (("x > 1", "x"), "symopt: 'x > 1' is no expression; write one as SymPy does, such as "),
        (("x", "x", "--assume", "x"), "symopt: 'x' is no relation; write one such as 'x > 0' or "),
    ],
)
def test_what_cannot_be_read_is_one_sentence(arguments, message):
    ran = equivalent(*arguments)
    assert ran.returncode == 2
    assert ran.stderr.startswith(message)
    assert ran.stderr.count("\n") == 1
