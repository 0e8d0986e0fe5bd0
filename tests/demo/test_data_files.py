"""Examples from a user's file: read whole, or refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from symopt.demo.data import load_digits, load_file
from symopt.errors import UsageError

ROWS = [f"{k},{2 * k % 7},{'iris' if k % 2 else 'rose'}" for k in range(20)]


def written(tmp_path: Path, text: str, name: str = "flowers.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def saved(tmp_path: Path, **arrays: np.ndarray) -> Path:
    path = tmp_path / "flowers.npz"
    np.savez(path, **arrays)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_file(path)
    return str(caught.value)


@pytest.mark.parametrize("head", [[], ["length,width,name"]])
def test_a_csv_file_gives_numbers_and_labels_with_or_without_a_heading(tmp_path, head):
    data = load_file(written(tmp_path, "\n".join([*head, *ROWS])))
    assert (data.inputs, data.classes) == ((2,), 2)
    assert (len(data.x_train), len(data.x_validation)) == (16, 4)
    # the parity of k is its class, and k is told by the numbers up to scale and shift
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    order = np.argsort(x[:, 0])
    assert np.array_equal(y[order], [(k + 1) % 2 for k in range(20)])


def test_each_number_has_mean_zero_and_spread_one_in_training_and_a_constant_one_is_zero(tmp_path):
    x = np.random.default_rng(0).normal(5.0, 3.0, size=(50, 3))
    x[:, 2] = 7.0
    data = load_file(saved(tmp_path, x=x, y=np.arange(50) % 3))
    assert np.allclose(data.x_train.mean(axis=0), 0, atol=1e-14)
    assert np.allclose(data.x_train.std(axis=0), [1, 1, 0], atol=1e-14)
    assert np.array_equal(data.x_validation[:, 2], np.zeros(10))


def test_images_keep_their_axes_and_labels_become_the_numbers_from_0_on(tmp_path):
    x = np.random.default_rng(0).normal(size=(30, 1, 4, 5))
    data = load_file(saved(tmp_path, x=x, y=np.arange(30) % 3 * 10 - 10))
    assert data.inputs == (1, 4, 5)
    assert sorted(set(data.y_train.tolist())) == [0, 1, 2]


def test_digits_are_as_they_were_and_can_be_made_few():
    data = load_digits()
    assert (data.inputs, data.classes, len(data.x_train)) == ((64,), 10, 1437)
    assert len(data.first(100).x_train) == 100
    assert data.first(100).digest != data.digest
    with pytest.raises(UsageError) as caught:
        data.first(2000)
    assert str(caught.value) == (
        "digits has 1437 examples to train with, of which 2000 were asked for; take 2 or more, "
        "and no more than there are"
    )


def test_what_is_no_file_of_examples_is_refused(tmp_path):
    missing = tmp_path / "none.csv"
    assert refusal(missing) == (
        f"there is no file {missing}; give an .npz or a .csv file with examples"
    )
    word = written(tmp_path, "a", "flowers.txt")
    assert refusal(word) == f"{word} is neither an .npz nor a .csv file; convert it to one of them"
    short = saved(tmp_path, x=np.ones((20, 2)), y=np.arange(20))
    short.write_bytes(short.read_bytes()[:100])
    assert refusal(short).startswith(f"{short} is no whole .npz file (")
    odd = saved(tmp_path, X=np.ones((20, 2)), y=np.arange(20))
    assert refusal(odd) == (
        f"{odd} has no array x, but X, y; save it with np.savez(file, x=examples, y=labels)"
    )
    binary = tmp_path / "flowers.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refusal(binary).startswith(f"{binary} is no text with commas (")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no examples; write a row for each, its label last"),
        ("a,b\n", "holds no examples; write a row for each, its label last"),
        ("\n".join(ROWS[:9]), "holds 9 examples; give 10 or more"),
        (
            "\n".join([*ROWS, "1,2,3,rose"]),
            ", line 21: 4 columns, where 3 are needed; mend the line",
        ),
        (
            "\n".join([*ROWS, "1,x,rose"]),
            ", line 21, column 2: 'x' is no number; mend the line",
        ),
        ("\n".join([*ROWS, "1,2,"]), ", line 21 has no label; mend the line"),
        (
            "\n".join(["nan,1,rose", *ROWS]),
            ": x[0, 0] is nan; leave the example out, or mend it",
        ),
        (
            "\n".join(f"{k},{k},rose" for k in range(20)),
            "holds the one class rose only; there is nothing to learn",
        ),
        (
            "\n".join(f"{k},{k},{k / 2}" for k in range(20)),
            ": the labels are float64, such as 0.0; give whole numbers or words",
        ),
    ],
)
def test_a_csv_file_that_does_not_fit_is_refused(tmp_path, text, message):
    path = written(tmp_path, text)
    assert refusal(path) == f"{path}{'' if message[0] in ':,' else ' '}{message}"


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            np.ones(20),
            np.arange(20),
            ": x is float64 of shape (20,); give numbers of shape (N, …), a row or an image for "
            "each example",
        ),
        (
            np.ones((20, 2)),
            np.arange(19),
            ": y has shape (19,) for 20 examples; give one label for each",
        ),
        (
            np.full((20, 2), np.inf),
            np.arange(20),
            ": x[0, 0] is inf; leave the example out, or mend it",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, x, y, message):
    path = saved(tmp_path, x=x, y=y)
    assert refusal(path) == f"{path}{message}"
