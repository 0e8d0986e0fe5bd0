"""``symopt train --network`` as a user meets it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import typer

from symopt.cli.commands import train_network
from symopt.cli.commands.train_network import Wishes
from symopt.runtime import checkpoints

OWN = Path(__file__).parent.parent / "data" / "own_network.py"


def symopt(*arguments, cwd, code=0):
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


@pytest.fixture(scope="module")
def rings(tmp_path_factory):
    """200 points on two rings, as rows of a .csv file."""
    numbers = np.random.default_rng(0)
    inner = np.arange(200) % 2
    angle = numbers.uniform(0, 2 * np.pi, 200)
    radius = np.where(inner, 1.0, 3.0) + numbers.normal(scale=0.2, size=200)
    rows = [
        f"{r * np.cos(a):.6f},{r * np.sin(a):.6f},{'inner' if k else 'outer'}"
        for r, a, k in zip(radius, angle, inner, strict=True)
    ]
    path = tmp_path_factory.mktemp("data") / "rings.csv"
    path.write_text("\n".join(["x,y,ring", *rows]))
    return path


def trained(capsys, wishes, **paths):
    options = {"checkpoint": None, "resume": None, **paths}
    train_network.train_network(wishes, **options, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    return [{key: one for key, one in row.items() if key != "seconds"} for row in rows]


def interrupting(after):
    """Progress that presses Ctrl-C once so many steps were taken."""

    @contextmanager
    def progress(_quiet):
        count = iter(range(1, 10**6))

        def show(_training):
            if next(count) == after:
                os.kill(os.getpid(), signal.SIGINT)

        yield show

    return progress


def test_a_network_of_a_user_s_own_layer_and_loss_learns_from_a_user_s_file(rings, tmp_path):
    ran = symopt("train", "--network", str(OWN), "--data", str(rings), "--json", cwd=tmp_path)
    (row,) = json.loads(ran.stdout)
    assert (row["name"], row["schedule"]) == ("momentum", "reduce_on_plateau")
    assert row["train_accuracy"] > 0.95
    assert row["validation_accuracy"] > 0.9


def test_the_table_names_the_network_and_the_data(rings, tmp_path):
    ran = symopt(
        "train", "--network", str(OWN), "--data", str(rings), "--epochs", "2", "--compare",
        cwd=tmp_path,
    )  # fmt: skip
    assert "rings on rings.csv" in ran.stdout
    assert "momentum, unregularized" in ran.stdout


@pytest.mark.parametrize("after", [3, 14])
def test_ctrl_c_leaves_a_checkpoint_that_goes_on_to_the_same_bits(
    rings, tmp_path, capsys, monkeypatch, after
):
    monkeypatch.chdir(tmp_path)
    wishes = Wishes(names=(str(OWN),), data=str(rings), epochs=4, batch=40, compare=True)
    whole = trained(capsys, wishes)
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(train_network, "_progress", interrupting(after))
        with pytest.raises(typer.Exit) as left:
            train_network.train_network(wishes, checkpoint=None, resume=None, as_json=False)
    assert left.value.exit_code == 130
    assert capsys.readouterr().err == (
        "stopped; all is kept in symopt-checkpoint.npz, go on with symopt train --network "
        "--resume symopt-checkpoint.npz\n"
    )
    assert signal.getsignal(signal.SIGINT) is before
    resumed = trained(capsys, Wishes(), resume=tmp_path / "symopt-checkpoint.npz")
    assert resumed == whole


def test_a_checkpoint_is_kept_after_each_epoch_where_one_is_asked_for(rings, tmp_path, capsys):
    path = tmp_path / "kept.npz"
    wishes = Wishes(names=(str(OWN),), data=str(rings), epochs=3)
    trained(capsys, wishes, checkpoint=path)
    assert checkpoints.load(path)["training"]["epoch"] == 3


def test_a_checkpoint_of_another_network_is_refused(rings, tmp_path):
    path = tmp_path / "kept.npz"
    own = tmp_path / "own.py"
    own.write_text(OWN.read_text())
    arguments = ("train", "--network", str(own), "--data", str(rings), "--epochs", "1")
    symopt(*arguments, "--checkpoint", str(path), cwd=tmp_path)
    own.write_text(OWN.read_text().replace("K=16", "K=17"))
    ran = symopt("train", "--network", "--resume", str(path), cwd=tmp_path, code=2)
    assert ran.stderr.startswith("symopt: the checkpoint is of another network or other rules (")
    path.write_bytes(path.read_bytes()[:-100])
    ran = symopt("train", "--network", "--resume", str(path), cwd=tmp_path, code=2)
    assert ran.stderr.startswith(f"symopt: {path} is no whole checkpoint (")


WRONG = {
    ("--network", "--resume", "c.npz", "--epochs", "3"): (
        "--resume goes on with the options of its checkpoint; leave out --epochs"
    ),
    ("--network", "--resume", "c.npz"): (
        "there is no checkpoint c.npz; name a file that training has left"
    ),
    ("--data", "c.csv"): "--data is of networks; write symopt train --network --data …",
    ("--network", "--data", "c.csv"): (
        "there is no file c.csv; give an .npz or a .csv file with examples"
    ),
    ("--network", "relu"): (
        "relu is a layer; name update rules, and a network if it is to be another"
    ),
    ("--network", "adam", "--examples", "5000"): (
        "digits has 1437 examples to train with, of which 5000 were asked for; take 2 or more, "
        "and no more than there are"
    ),
    ("--network", str(OWN)): (
        "rings has 2 outputs, but digits has 10 classes; let its last layer give as many"
    ),
    ("--network", "--dtype", "float16"): (
        "there is no dtype 'float16'; known are float32, float64"
    ),
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_one_sentence_and_exit_code_2(arguments, tmp_path):
    assert symopt("train", *arguments, cwd=tmp_path, code=2).stderr == (
        f"symopt: {WRONG[arguments]}\n"
    )
