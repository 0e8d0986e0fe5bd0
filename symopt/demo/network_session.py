"""Several runs one after the other, which may be left in the middle and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symopt.demo.data import Data
from symopt.demo.network_training import NetworkOutcome, Run, Training, outcome_of
from symopt.errors import DivergenceError, UsageError

Progress = Callable[[Training], None]


@dataclass(frozen=True)
class Session:
    """What came of the runs that are done, and, if it was left, the state to go on from.

    ``diverged`` says which run came to numbers that are not finite, and where.
    """

    outcomes: tuple[NetworkOutcome, ...]
    left: dict[str, Any] | None = None
    diverged: str = ""


def train_all(
    runs: Sequence[Run],
    data: Data,
    *,
    dtype: str,
    seed: int,
    saved: Mapping[str, Any] | None = None,
    progress: Progress = lambda _training: None,
    interrupted: Callable[[], bool] = lambda: False,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> Session:
    """The outcome of each run, from the beginning or from where a session was ``left``.

    ``progress`` is called after each step, ``keep`` with the state after each epoch, and
    ``interrupted`` says after each step whether to leave.

    Raises
    ------
    UsageError
        If what was saved is of other networks or other data.
    """
    identity = [[one.network.fingerprint for one in runs], data.digest]
    outcomes, training = _taken_up(runs, data, dtype, seed, saved, identity)
    while len(outcomes) < len(runs):
        if training is None:
            training = Training(runs[len(outcomes)], data, dtype=dtype, seed=seed)
        training.warm_up()
        while not training.done:
            try:
                training.step()
            except DivergenceError as error:
                return Session(tuple(outcomes), diverged=f"{training.run.name}: {error}")
            progress(training)
            if interrupted():
                return Session(tuple(outcomes), _state(identity, outcomes, training))
            if keep is not None and training.place == 0:
                keep(_state(identity, outcomes, training))
        outcomes.append(training.outcome())
        training = None
    return Session(tuple(outcomes))


def _state(
    identity: list[Any], outcomes: Sequence[NetworkOutcome], training: Training
) -> dict[str, Any]:
    """All that a session is to go on from."""
    return {
        "identity": identity,
        "outcomes": [one.json() for one in outcomes],
        "training": training.state_dict(),
    }


def _taken_up(
    runs: Sequence[Run],
    data: Data,
    dtype: str,
    seed: int,
    saved: Mapping[str, Any] | None,
    identity: list[Any],
) -> tuple[list[NetworkOutcome], Training | None]:
    """The outcomes and the training that were left, if any were."""
    if saved is None:
        return [], None
    if not {"identity", "outcomes", "training"} <= set(saved):
        raise UsageError("the checkpoint is of no session of training; name one that is")
    try:
        networks, digest = saved["identity"]
        outcomes = [outcome_of(one) for one in saved["outcomes"]]
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError("the checkpoint is of no session of training; name one that is") from error
    if networks != identity[0]:
        raise UsageError(
            "the checkpoint is of another network or other rules "
            f"({', '.join(networks)} in place of {', '.join(identity[0])}); "
            "resume with the declarations that it was made with"
        )
    if digest != identity[1]:
        raise UsageError(
            f"the checkpoint was made with other data than {data.name} is now; resume with the "
            "same file"
        )
    if len(outcomes) >= len(runs):
        raise UsageError("the checkpoint is of no session of training; name one that is")
    training = Training(runs[len(outcomes)], data, dtype=dtype, seed=seed)
    training.load_state_dict(saved["training"])
    return outcomes, training
