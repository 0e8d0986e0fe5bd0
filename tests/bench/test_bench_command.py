"""``symopt bench`` as a user meets it."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

LION = Path(__file__).parent.parent / "data" / "lion.py"
ROOT = Path(__file__).parent.parent.parent


def symopt(*arguments, code=0):
    ran = subprocess.run(
        [sys.executable, "-m", "symopt.cli", "bench", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def test_quick_compares_answers_of_a_rule_of_the_users_and_of_a_layer():
    found = json.loads(symopt("--quick", "--json", LION, "dropout").stdout)
    works = {one["work"]: one for one in found["results"]}
    assert next(iter(works)) == "lion/1e3"
    assert {one["ok"] for one in works["lion/1e3"]["agreement"].values()} == {True}
    assert {"symopt", "NumPy"} <= set(works["lion/1e3"]["agreement"])
    assert works["dropout/forward/10000000"]["agreement"] == {}  # each draws other numbers
    assert all(one["contestants"] == {} for one in works.values())


def test_a_measurement_tells_times_ratios_faults_and_threads(tmp_path):
    place = tmp_path / "times.json"
    options = ("--seconds", "0.2", "--threads", "1", "--output", place)
    shown = symopt("adam/1e3", "--peer", "NumPy", *options).stdout
    assert "1 thread;" in shown
    assert "adam/1e3, kernel" in shown
    found = json.loads(place.read_text())
    assert found["machine"]["threads"] == 1
    (one,) = found["results"]
    assert set(one["contestants"]) == {"symopt", "symopt kernel", "NumPy"}
    assert one["bytes"] == 4 * 1000 * 7  # g is read; θ, v and G are read and written
    assert one["contestants"]["symopt"]["over"]["NumPy"]["median"] > 0
    assert one["contestants"]["NumPy"]["page_faults"] >= 0


def test_list_shows_works_and_bars_without_loading_what_measures():
    assert (
        "adam/1e5                                symopt 0.32 of torch fused"
        in symopt("--list").stdout
    )
    rows = json.loads(symopt("--list", "--json", "layer_norm/forward").stdout)
    assert [row["work"] for row in rows] == ["layer_norm/forward/8192x768"]


def test_what_cannot_be_is_one_sentence():
    for arguments, words in (
        (("adam/1e55",), "there is no work 'adam/1e55'; did you mean adam/1e5?"),
        (
            ("l2",),
            "l2 is a regularizer, of which there is nothing to time; name an update rule, a layer "
            "over groups of elements or a loss",
        ),
        (
            ("--quick", "--output", "no_folder/times.json"),
            "--output is no_folder/times.json, but there is no folder no_folder; name another",
        ),
    ):
        assert symopt(*arguments, code=2).stderr == f"symopt: {words}\n"


@pytest.mark.slow
def test_a_plot_is_drawn_or_told_what_it_needs(tmp_path):
    place = tmp_path / "times.svg"
    options = ("--peer", "NumPy", "--seconds", "0.1", "--plot", place)
    if find_spec("matplotlib") is None:
        refused = symopt("adam/1e3", *options, code=2).stderr
        assert refused == "symopt: --plot needs matplotlib; write pip install 'symopt[bench]'\n"
    else:
        symopt("adam/1e3", "adam/1e4", *options)
        assert "roofline" in place.read_text(encoding="utf-8")
