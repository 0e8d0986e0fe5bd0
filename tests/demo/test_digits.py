"""The digits are always the same, and their absence is one clear sentence."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from symopt.demo import digits, train
from symopt.errors import UsageError


def test_every_image_is_in_one_of_the_two_sets_and_scaled():
    found = digits.load()
    assert found.x_train.shape == (1437, 64)
    assert found.x_test.shape == (360, 64)
    together = np.concatenate([found.x_train, found.x_test])
    assert together.min() == 0.0
    assert together.max() == 1.0
    from sklearn.datasets import load_digits

    given = load_digits()
    labels = np.concatenate([found.y_train, found.y_test])
    assert sorted(map(tuple, np.column_stack([together * 16, labels]))) == sorted(
        map(tuple, np.column_stack([given.data, given.target]))
    )


def test_the_split_is_the_same_every_time():
    np.testing.assert_array_equal(digits.load().x_test, digits.load().x_test)


def test_float32_holds_the_images_exactly():
    # a pixel is a whole number of sixteenths
    found = digits.load()
    np.testing.assert_array_equal(found.astype("float32").x_train, found.x_train)


def test_a_missing_scikit_learn_says_what_to_install(monkeypatch, library, schedules):
    for name in [one for one in sys.modules if one.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UsageError) as caught:
        train([library["gd"]], schedules)
    assert str(caught.value) == (
        "symopt train needs scikit-learn, from which it takes the digits; "
        "pip install 'symopt[demo]'"
    )
