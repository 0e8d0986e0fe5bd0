"""Checkpoints come back as they went, and a file that was cut short is refused."""

import math
import os

import numpy as np
import pytest

from symopt.errors import UsageError
from symopt.runtime.checkpoints import load, save

STATE = {
    "words": ["a", "δ", None, True],
    "numbers": [1, -0.1, math.inf, 2**63, 5e-324],
    "arrays": {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.empty((0, 2))},
    "nested": [{"b": np.array(3)}, {"empty": {}}],
}


def same(one, other):
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and one.dtype == other.dtype
            and one.shape == (other.shape)
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and type(one) is type(other)


def test_a_state_comes_back_to_the_bit(tmp_path):
    path = tmp_path / "deep" / "c.npz"
    save(path, STATE)
    assert same(STATE, load(path))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused(tmp_path, share):
    path = tmp_path / "c.npz"
    save(path, STATE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UsageError, match="is no whole checkpoint"):
        load(path)


def test_the_last_whole_file_stays_when_the_next_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    save(path, STATE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        save(path, {"other": 1})
    monkeypatch.undo()
    assert same(STATE, load(path))
    assert [one.name for one in tmp_path.iterdir()] == ["c.npz"]


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c.npz"
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value) == (
        f"there is no checkpoint {path}; name a file that training has left"
    )
    np.savez(path, x=np.ones(3))
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path} is no whole checkpoint (KeyError); name one that training has left, which is "
        "written whole or not at all"
    )
