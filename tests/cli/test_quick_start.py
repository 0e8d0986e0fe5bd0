"""A command loads what it needs and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from symopt.cli.main import app

HEAVY = ("sympy", "numba", "scipy", "sklearn", "torch")
COMMANDS = ("", *(one.name for one in app.registered_commands))


def loaded(*arguments: str) -> set[str]:
    """Which heavy packages a process has loaded when a command ends."""
    code = (
        "import sys\n"
        "from symopt.cli.main import main\n"
        f"sys.argv = ['symopt', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(*[one for one in {HEAVY!r} if one in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command):
    assert loaded(*([command] if command else []), "--help") == set()


@pytest.mark.parametrize(
    "command",
    [["list"], ["show", "adam"], ["derive", "adam"], ["generate", "gd", "--check"]],
    ids=" ".join,
)
def test_what_compiles_nothing_does_not_load_a_compiler(command):
    assert loaded(*command) == {"sympy"}
