"""The command line as a user meets it: output, exit codes, one-sentence errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LION = Path(__file__).parent.parent / "data" / "lion.py"
ROOT = Path(__file__).parent.parent.parent


def symopt(*arguments, cwd=ROOT, code=0):
    ran = subprocess.run(
        [sys.executable, "-m", "symopt.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def test_list_names_every_declaration(library):
    rows = json.loads(symopt("list", "--json").stdout)
    assert [row["name"] for row in rows] == list(library)
    assert "Nesterov" not in symopt("list").stderr


def test_list_loads_neither_numba_nor_numpy():
    code = (
        "import sys; sys.argv = ['symopt', 'list']\n"
        "from symopt.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([one for one in ('numba', 'numpy', 'jinja2') if one in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.splitlines()[-1] == "[]"


def test_show_renders_adam_in_the_terminal():
    shown = symopt("show", "adam").stdout
    assert "v̂ₜ = vₜ/(1 − β₁ᵗ)   Ĝₜ = Gₜ/(1 − β₂ᵗ)" in shown
    assert "θₜ₊₁ = θₜ − α/√(Ĝₜ + ε)·v̂ₜ" in shown


def test_show_all_gives_ids_and_latex_for_machines():
    rows = json.loads(symopt("show", "--all", "--json").stdout)
    shown = {row["id"]: row["latex"] for row in rows}
    assert shown["momentum.velocity"] == (
        r"v_t = \gamma v_{t-1} + \alpha \frac{dL(\theta)}{d\theta}"
    )


def test_derive_adam_gives_a_reason_for_each_line():
    lines = symopt("derive", "adam").stdout.splitlines()
    assert any("unrolled" in line for line in lines)
    assert any("geometric sum, β₁ ≠ 1" in line for line in lines)
    (derivation, _) = json.loads(symopt("derive", "adam", "--json").stdout)
    assert derivation["lines"][-1]["unicode"] == "v̂ₜ = vₜ/(1 − β₁ᵗ)"


def test_derive_with_step_gives_the_gradient_of_one_step():
    shown = symopt("derive", "nesterov", "--step").stdout
    assert "dL/dvₜ = δvₜ − dL/dθₜ₊₁" in shown
    assert "gradient of the point at which gₜ is taken" in shown
    assert r"\frac{dL}{d\theta_t}" in symopt("derive", "gd", "--step", "--latex").stdout
    assert symopt("derive", "l2", "--step", code=2).stderr == (
        "symopt: l2 is a regularizer, which takes no steps; give an update rule\n"
    )
    assert symopt("derive", "gd_objective", "--step", "--with", "l2", code=2).stderr == (
        "symopt: gd_objective is an objective, which takes no steps; give an update rule\n"
    )


def test_a_house_style_reaches_formulas_derivations_and_files(tmp_path):
    assert r"\nabla_{\theta} L" in symopt("show", "momentum", "--style", "paper").stdout
    assert r"G^{(t)}" in symopt("derive", "adam", "--style", "book").stdout
    symopt("generate", "adam", "--style", "book", "--target", "latex", "--out", str(tmp_path))
    assert r"v^{(t)}" in (tmp_path / "latex/adam.tex").read_text()


def test_show_names_what_the_slide_does_not_show():
    assert "not on the slide: α = 0.01, γ = 0.9, v₀ = 0" in symopt("show", "momentum").stdout


def test_a_file_of_that_name_is_pointed_out(tmp_path):
    (tmp_path / "lion.py").write_text(LION.read_text())
    assert symopt("show", "lion", cwd=tmp_path, code=2).stderr == (
        "symopt: nothing is declared under 'lion'; there is a file lion.py here, so write lion.py\n"
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    ran = symopt("generate", "gd", "--out", str(tmp_path / "file" / "x"), code=2)
    assert ran.stderr.startswith("symopt: ")
    assert ran.stderr.count("\n") == 1


def test_tables_in_a_pipe_are_neither_cut_nor_wrapped(library):
    lines = symopt("list").stdout.splitlines()
    assert len(lines) == len(library) + 1


def test_the_shell_completes_names():
    from symopt.cli import completion

    assert sorted(completion.names("ada")) == [
        "adagrad",
        "adam",
        "adam_naive",
        "adam_uncorrected",
    ]
    assert completion.regularizers("l") == ["l2", "l1"]
    assert completion.styles("b") == ["book"]


def test_derive_puts_a_penalty_into_an_objective():
    shown = symopt("derive", "regularized_objective", "--with", "l2").stdout
    assert "2·λ·θₗ" in shown


def here(capsys, *arguments):
    """The output of a command that is run in this very process."""
    from symopt.cli.main import app

    with pytest.raises(SystemExit) as error:
        app(list(arguments))
    assert error.value.code == 0
    return capsys.readouterr().out


def test_a_penalty_is_put_into_an_update_rule_by_every_command(tmp_path, capsys):
    shown = symopt("show", "adam", "--with", "l2").stdout
    assert shown.startswith("adam_l2  Adam with L2 regularization: ")
    assert "  g̃ₜ := gₜ + 2·λ·θₜ\n" in shown
    assert "not on the slide: α = 0.001, ε = 1e-08, λ = 0.0001" in shown
    derived = here(capsys, "derive", "adam", "--with", "l1")
    assert "at θₗ = 0, chosen among the subgradients from −1 to 1" in derived
    assert "g̃ₜ = gₜ + λ·sign(θₜ)" in derived
    assert "v̂ₜ = vₜ/(1 − β₁ᵗ)" in derived
    stepped = here(capsys, "derive", "sgd", "--with", "l2", "--step")
    assert "dL/dλ = Σ_j 2·θₜ·dL/dg̃ₜ" in stepped
    command = ("generate", "adam", "nesterov", "--with", "l2", "--out", str(tmp_path))
    here(capsys, *command)
    names = ["adam_l2.py", "adam_l2.tex", "nesterov_l2.py", "nesterov_l2.tex"]
    assert sorted(path.name for path in tmp_path.rglob("*_l2.*")) == names
    text = (tmp_path / "latex/adam_l2.tex").read_text()
    assert r"\tilde{g}_t := g_t + 2 \lambda \theta_t" in text
    assert here(capsys, *command, "--check") == "4 files are as declared\n"
    verified = here(capsys, "verify", "sgd", "--with", "l1", "--dtype", "float64", "--json")
    (row,) = json.loads(verified)
    assert (row["name"], row["ok"]) == ("sgd_l1", True)


OWN = """
from sympy import Abs, Eq, log
from symopt import Sigma, regularizer, update_rule
from symopt.symbols import R, alpha, g, layer, t, theta

@update_rule(defaults={alpha: 0.1})
def mine():
    "A step."
    return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}

@regularizer
def lasso():
    "Absolute values, in a logarithm."
    return Eq(R(theta), Sigma(log(1 + Abs(theta[layer])), layer))
"""


def test_a_rule_and_a_penalty_of_one_file_go_together(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    shown = here(capsys, "show", "own.py", "--with", "own.py")
    assert shown.startswith("mine_lasso  Mine with Lasso: ")
    assert "g̃ₜ := gₜ + λ·sign(θₜ)/(1 + |θₜ|)" in shown
    derived = here(capsys, "derive", "own.py")
    assert "at θₗ = 0, chosen among the subgradients from −1 to 1" in derived
    assert "lasso has no proximal step, for it holds log(1 + |z|), which is no polyn" in derived
    made = "from symopt import penalized\nfrom symopt.catalog.lecture.gd import gd\n"
    made += "from symopt.catalog.lecture.l1 import l1\nsparse = penalized(gd, l1)\n"
    Path("made.py").write_text(made)
    assert here(capsys, "show", "made.py").startswith("gd_l1  Gradient descent with L1")
    again = OWN.partition("@regularizer")[2].replace("lasso", "ridge")
    Path("two.py").write_text(f"{OWN}\n@regularizer{again}")
    assert symopt("show", "sgd", "--with", "two.py", cwd=tmp_path, code=2).stderr == (
        "symopt: two.py declares 2 regularizers (lasso, ridge), but --with takes one; give it a "
        "file with a single one in it\n"
    )


def test_generate_takes_a_rule_that_the_catalogue_has_never_seen(tmp_path):
    symopt("generate", str(LION), "--out", str(tmp_path))
    assert sorted(path.name for path in tmp_path.rglob("lion.*")) == ["lion.py", "lion.tex"]
    assert "math.copysign" not in (tmp_path / "numba/lion.py").read_text()


def test_generate_does_what_its_options_say(tmp_path):
    symopt("generate", "adam", "--target", "numba", "--dtype", "float32", "--out", str(tmp_path))
    (path,) = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert path.name == "adam.py"
    assert "DTYPES = (np.dtype(np.float32),)" in path.read_text()


@pytest.mark.slow
def test_what_is_committed_is_what_the_declarations_give_today():
    assert "files are as declared" in symopt("generate", "--check").stdout


def test_generate_check_exits_1_with_a_diff(tmp_path):
    symopt("generate", "gd", "--out", str(tmp_path))
    path = tmp_path / "numba/gd.py"
    path.write_text(path.read_text().replace("theta[i] -= alpha", "theta[i] += alpha"))
    ran = symopt("generate", "gd", "--out", str(tmp_path), "--check", code=1)
    assert "-        theta[i] += alpha * g[i]  # gd.step" in ran.stdout
    assert "+        theta[i] -= alpha * g[i]  # gd.step" in ran.stdout


WRONG = {
    ("show", "adm"): "symopt: nothing is declared under 'adm'; did you mean adam?\n",
    ("show",): "symopt: nothing to show; name a declaration, or write symopt show --all\n",
    ("show", "adam", "--all"): (
        "symopt: --all shows the whole catalogue; leave out the names, or the --all\n"
    ),
    ("show", "adam", "--style", "papr"): (
        "symopt: there is no style 'papr'; did you mean paper?\n"
    ),
    ("generate", "--target", "nunba"): (
        "symopt: there is no target 'nunba'; did you mean numba?\n"
    ),
    ("generate", "--dtype", "float16"): (
        "symopt: there is no dtype 'float16'; known are float32, float64\n"
    ),
    ("generate", "nowhere.py"): (
        "symopt: there is no file nowhere.py; give a Python file with a declaration in it\n"
    ),
    ("derive", "gd_objective", "--with", "adam"): (
        "symopt: adam is an update rule, but --with takes a regularizer such as l2\n"
    ),
    ("show", "cosine", "--with", "l2"): (
        "symopt: cosine is a schedule, but --with puts a penalty into an update rule; leave out "
        "--with l2, or name a rule such as sgd\n"
    ),
    ("generate", "--with", "l2"): (
        "symopt: --with l2 is given nothing to put the penalty into; name an update rule such as "
        "sgd\n"
    ),
    ("verify", "l2", "--with", "l2"): (
        "symopt: --with l2 is given nothing to put the penalty into; name an update rule such as "
        "sgd\n"
    ),
    ("show", "adam", "--with", "elastic"): (
        "symopt: nothing is declared under 'elastic'; did you mean elastic_net?\n"
    ),
    ("derive", "cosine", "--with", "l2"): (
        "symopt: cosine is a schedule, which has no penalty; give a regularizer together with an "
        "objective or an update rule\n"
    ),
    ("verify", "gd_objective"): (
        "symopt: gd_objective is an objective, which has no kernel to verify; "
        "verify an update rule, a schedule, a monitor, a regularizer, a layer or a loss\n"
    ),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_sentence_and_exit_code_2(arguments):
    assert symopt(*arguments, code=2).stderr == WRONG[arguments]


def test_a_file_that_does_not_run_names_its_line(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = x + z\n")
    ran = symopt("generate", str(path), code=2)
    assert ran.stderr == (
        f"symopt: {path}, line 2: NameError: name 'z' is not defined; mend the file\n"
    )


def test_a_file_that_declares_nothing_is_refused(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("from symopt.catalog.lecture.adam import adam\n")
    assert "declares nothing" in symopt("show", str(path), code=2).stderr


@pytest.mark.parametrize("command", ["list", "show", "derive", "generate", "verify", "train"])
def test_help_has_examples(command):
    assert "Examples:" in symopt(command, "--help").stdout


def test_verify_exits_1_with_a_counterexample_when_a_kernel_is_wrong(monkeypatch, capsys):
    """The judge is handed another rule's kernel, as if lowering had gone wrong."""
    import symopt.judging
    from symopt.cli.main import app

    real = symopt.judging.compile
    monkeypatch.setattr(
        symopt.judging,
        "compile",
        lambda declared, options: real(_other(declared), options),
    )
    with pytest.raises(SystemExit) as error:
        app(["verify", "adam_uncorrected", "--dtype", "float32"])
    assert error.value.code == 1
    assert "adam_uncorrected" in capsys.readouterr().out


def _other(declared):
    """The rule with the sign of its last step turned."""
    from dataclasses import replace

    from sympy import Add

    *kept, last = declared.statements
    first, *others = last.content.right.args
    turned = Add(first, *(-one for one in others), evaluate=False)
    return replace(
        declared, statements=(*kept, replace(last, content=replace(last.content, right=turned)))
    )
