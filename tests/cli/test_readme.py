"""What the README says, done as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


@pytest.fixture(scope="module")
def lion(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    (folder / "lion.py").write_text(blocks("python")[0])
    return folder


def symopt(folder, *arguments):
    ran = subprocess.run(
        [sys.executable, "-m", "symopt.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "150"},
    )
    return ran.stdout


def test_the_first_rule_takes_fewer_than_fifteen_lines():
    lines = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(lines) < 15


def test_the_first_rule_is_shown_verified_and_generated(lion):
    assert "cₜ = β₁·mₜ₋₁ + (1 − β₁)·gₜ" in symopt(lion, "show", "lion.py")
    assert "verified" in symopt(lion, "verify", "lion.py")
    symopt(lion, "generate", "lion.py")
    kernel = (lion / "generated/numba/lion.py").read_text()
    for line in blocks("python")[1].splitlines():
        assert line.strip() in kernel


def test_the_generated_class_is_used_as_the_readme_does(lion):
    symopt(lion, "generate", "lion.py", "cosine")
    code = (
        "import numpy as np\nparams, grads = [np.ones(3)], [np.ones(3)]\n"
        + blocks("python")[2]
        + "print(params[0])"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(lion / "cache")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=lion,
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert ran.stdout.strip() == "[0.999 0.999 0.999]"


def test_the_derivation_reads_as_in_the_readme():
    shown = next(text for text in blocks("text") if "derive adam" in text)
    printed = symopt(ROOT, "derive", "adam")
    for line in shown.splitlines()[1:]:
        if line.strip() not in ("", "…"):
            assert " ".join(line.split()) in " ".join(printed.split())


def test_the_readmes_layer_is_derived_and_generated(tmp_path):
    code = next(text for text in blocks("python") if "def mean_absolute" in text)
    (tmp_path / "mean_absolute.py").write_text(code)
    printed = symopt(tmp_path, "derive", "mean_absolute.py")
    assert next(text for text in blocks("text") if "sign(x" in text).strip() in printed
    symopt(tmp_path, "generate", "mean_absolute.py")
    made = (tmp_path / "generated/numba/mean_absolute.py").read_text()
    assert "def forward(" in made
    assert "def backward(" in made


def test_the_readme_shows_the_whole_network():
    shown = next(text for text in blocks("python") if "def perceptron" in text)
    source = (ROOT / "symopt/catalog/network/perceptron.py").read_text()
    body = shown.partition("\n")[2]
    assert source.endswith(body)
    assert not [line for line in source.removesuffix(body).splitlines() if " = " in line]


def test_the_network_of_the_readme_takes_a_step_and_is_evaluated(capsys):
    code = next(text for text in blocks("python") if "train_step" in text)
    known = {}
    exec(code, known)
    # ten classes that are equally likely to a network that knows nothing, give or take
    assert 1.5 < known["objective"] < 5
    assert capsys.readouterr().out.startswith("Evaluation(loss=")


def test_every_command_of_the_table_exists():
    for command in re.findall(r"^\| `symopt (\w+)", README, flags=re.MULTILINE):
        assert "Examples:" in symopt(ROOT, command, "--help")


def test_documents_that_the_readme_names_are_there():
    for path in re.findall(r"\]\(([\w/]+\.md)\)", README):
        assert (ROOT / path).is_file()


def test_the_run_that_is_differentiated_has_the_slope_that_differences_say():
    code = next(block for block in blocks("python") if "step_vjp" in block)
    assert len(code.splitlines()) < 15

    def run(alpha):
        known = {}
        exec(code.replace("alpha=0.02", f"alpha={alpha!r}"), known)
        loss = 0.5 * known["theta"] @ known["H"] @ known["theta"]
        return loss, known["dalpha"]

    (above, _), (below, _), (_, slope) = run(0.02 + 1e-6), run(0.02 - 1e-6), run(0.02)
    assert slope == pytest.approx((above - below) / 2e-6, rel=1e-7)
