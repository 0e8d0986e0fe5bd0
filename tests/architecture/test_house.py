"""The plan of the house, held against the house."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def test_imports_go_one_way():
    command = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_every_file_is_short_enough_to_be_one_idea():
    long = {
        str(path.relative_to(ROOT)): count
        for path in (ROOT / "symopt").rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 300
    }
    assert long == {}


def test_every_template_is_short():
    for path in (ROOT / "templates").rglob("*.jinja"):
        assert len(path.read_text().splitlines()) <= 65, path


def test_templates_and_machinery_name_no_rule(library):
    names = {one for one in library if len(one) > 2 and one not in ("constant", "cosine")}
    rooms = [one for one in (ROOT / "symopt").iterdir() if one.name not in ("catalog", "demo")]
    paths = [path for room in rooms for path in room.rglob("*.py")]
    paths += (ROOT / "templates").rglob("*.jinja")
    for path in paths:
        code = "\n".join(
            line.partition("#")[0]
            for line in re.sub(r'"""(.|\n)*?"""', "", path.read_text()).splitlines()
            if "Examples:" not in line and "symopt " not in line
        )
        found = {name for name in names if re.search(rf"['\"]{name}['\"]|import {name}\b", code)}
        assert not found, f"{path} names {found}"


def test_no_tool_edits_latex_or_code_by_regular_expressions():
    for path in (ROOT / "symopt").rglob("*.py"):
        assert "re.sub" not in path.read_text(), path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the tree without the network."""
    tree = tmp_path_factory.mktemp("tree") / "symopt"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("symopt", "templates"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(tree)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = (tree / "dist").glob("*.whl")
    return built


def test_an_installed_wheel_generates_what_the_checkout_does(wheel, tmp_path):
    site, out = tmp_path / "site", tmp_path / "out"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in ("py.typed", "bench/works.toml", "bench/limits/rules.c"):
        assert (site / "symopt" / name).is_file()
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import symopt\n"
        f"assert symopt.__file__.startswith({str(site)!r})\n"
        f"sys.argv = ['symopt', 'generate', '--out', {str(out)!r}]\n"
        "from symopt.cli.main import main; main()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    committed = {
        path.relative_to(ROOT / "generated"): path.read_bytes()
        for path in (ROOT / "generated").rglob("*.*")
        if path.suffix in (".py", ".tex")
    }
    made = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*")}
    assert made == committed
