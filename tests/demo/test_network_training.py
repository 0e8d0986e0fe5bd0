"""Training a network: it may be left after any step and goes on to the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from sampling import every

from symopt import network, penalty
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.cosine import cosine
from symopt.catalog.lecture.gd import gd
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.demo.data import Data
from symopt.demo.network_session import train_all
from symopt.demo.network_training import Run, Training
from symopt.errors import UsageError
from symopt.runtime import checkpoints


@network(inputs=(4,))
def scores():
    """Four numbers, normalized, are the scores of four classes."""
    return {
        "layers": [batch_norm],
        "loss": softmax_cross_entropy(alpha=0.9),
        "penalties": [penalty(l2, 1e-3)],
        "rule": adam(alpha=0.02),
        "schedule": cosine(alpha_max=0.02, T=20),
    }


def examples(count, seed):
    numbers = np.random.default_rng(seed)
    labels = numbers.integers(0, 4, count)
    x = numbers.normal(size=(count, 4))
    x[np.arange(count), labels] += 2.0
    return x, labels


DATA = Data("four", *examples(50, 0), *examples(20, 1), classes=4)
RUNS = (
    Run("adam", "cosine", scores, 3, 16),
    Run("gd", "", replace(scores, rule=gd(alpha=0.1), schedule=None), 2, None),
)
OPTIONS = {"dtype": "float32", "seed": 3}


def bits(outcomes):
    return [replace(one, seconds=0.0) for one in outcomes]


@pytest.mark.parametrize("leave_after", every(4, [9, 1, 3, 4, 8, 10, 11]))
def test_a_session_left_after_any_step_goes_on_to_the_same_bits(tmp_path, leave_after):
    whole = train_all(RUNS, DATA, **OPTIONS)
    assert whole.left is None
    count = iter(range(1, 100))
    first = train_all(RUNS, DATA, **OPTIONS, interrupted=lambda: next(count) == leave_after)
    steps = 9 + 2  # three epochs of three batches, then two of all examples
    if leave_after == steps:
        # left after the very last step, with all to do but to tell
        assert len(first.outcomes) == 1
    path = tmp_path / "c.npz"
    checkpoints.save(path, first.left)
    second = train_all(RUNS, DATA, **OPTIONS, saved=checkpoints.load(path))
    assert bits(second.outcomes) == bits(whole.outcomes)


def test_every_example_is_seen_once_an_epoch_in_batches_of_nearly_one_size():
    training = Training(RUNS[0], DATA, **OPTIONS)
    orders = [training._in_order(epoch) for epoch in range(3)]
    for one in orders:
        assert sorted(np.concatenate(one).tolist()) == list(range(50))
        assert {len(part) for part in one} == {16, 17}
    assert not np.array_equal(orders[0][0], orders[1][0])


def test_a_state_is_handed_out_at_the_end_of_each_epoch():
    kept = []
    train_all(RUNS[:1], DATA, **OPTIONS, keep=lambda state: kept.append(state["training"]))
    assert [(one["epoch"], one["place"]) for one in kept] == [(1, 0), (2, 0), (3, 0)]


def test_outcomes_are_losses_and_accuracies_of_the_last_parameters():
    training = Training(RUNS[0], DATA, **OPTIONS)
    while not training.done:
        training.step()
    found = training.outcome()
    x = DATA.x_validation.astype(np.float32)
    hits = np.argmax(training.model.predict(x), axis=1) == DATA.y_validation
    assert (found.epochs, found.best) == (3, 3)
    assert found.validation_accuracy == np.mean(hits)
    assert found.validation_loss == training.model.evaluate(x, DATA.y_validation).loss


def test_what_was_left_of_other_networks_or_data_is_refused():
    left = train_all(RUNS, DATA, **OPTIONS, interrupted=lambda: True).left

    def refusal(runs, data, saved):
        with pytest.raises(UsageError) as caught:
            train_all(runs, data, **OPTIONS, saved=saved)
        return str(caught.value)

    own, other = (one.network.fingerprint for one in RUNS)
    assert refusal(RUNS[:1], DATA, left) == (
        f"the checkpoint is of another network or other rules ({own}, {other} in place of {own}); "
        "resume with the declarations that it was made with"
    )
    assert refusal(RUNS, DATA.first(20), left) == (
        "the checkpoint was made with other data than four is now; resume with the same file"
    )
    assert refusal(RUNS, DATA, {}) == (
        "the checkpoint is of no session of training; name one that is"
    )
    broken = {**left, "training": {**left["training"], "place": 99}}
    assert refusal(RUNS, DATA, broken) == (
        "what was saved of a run of scores is not whole: place 99 of epoch 0"
    )
    assert refusal(RUNS, DATA, {**left, "identity": []}) == (
        "the checkpoint is of no session of training; name one that is"
    )
    broken = {**left, "training": {}}
    assert refusal(RUNS, DATA, broken) == "what was saved is no state of a run of scores"


def test_a_run_that_diverges_is_named_and_what_is_done_is_not_lost():
    wild = Run("wild", "", replace(scores, rule=gd(alpha=1e38), schedule=None), 2, None)
    with np.errstate(all="ignore"):
        found = train_all((RUNS[1], wild), DATA, **OPTIONS)
    assert [one.name for one in found.outcomes] == ["gd"]
    assert found.diverged.startswith("wild: scores at step 2: the loss is ")


def test_a_validation_loss_that_is_no_number_ends_the_run():
    x = DATA.x_validation.copy()
    x[0, 0] = np.inf
    with np.errstate(all="ignore"):
        found = train_all(RUNS[:1], replace(DATA, x_validation=x), **OPTIONS)
    assert found.diverged == (
        "adam: scores after epoch 1: the validation loss is nan; make α smaller, or look at the "
        "data that is held back"
    )
