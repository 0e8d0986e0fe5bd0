"""``symopt train --network``: a network of generated parts, trained with each rule."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from symopt.cli.consoles import console_for_people
from symopt.cli.library import catalogue, collection, find
from symopt.declaration import Declaration, Network, Schedule, UpdateRule
from symopt.demo.data import Data, load_digits, load_file
from symopt.demo.network_session import Session, train_all
from symopt.demo.network_settings import NETWORK, run_of, run_with, unregularized
from symopt.demo.network_table import network_table
from symopt.demo.network_training import Run, Training
from symopt.derivation.network_fitting import fitted
from symopt.derivation.network_shapes import stages
from symopt.errors import DivergenceError, UsageError
from symopt.notation import Label
from symopt.runtime import checkpoints

DEFAULT_CHECKPOINT = Path("symopt-checkpoint.npz")
# what a shell says of a program that Ctrl-C has ended
INTERRUPTED = 130


@dataclass(frozen=True)
class Wishes:
    """What a session is to do, as its user asked; a checkpoint holds it."""

    names: tuple[str, ...] = ()
    data: str = ""
    epochs: int | None = None
    batch: int | None = None
    examples: int | None = None
    compare: bool = False
    ensemble: int = 0
    seed: int = 0
    dtype: str = "float32"


def train_network(
    wishes: Wishes, *, checkpoint: Path | None, resume: Path | None, as_json: bool
) -> None:
    """Train, show the table; on Ctrl-C leave a checkpoint, and say how to go on from it."""
    saved = checkpoints.load(resume) if resume else None
    if saved is not None:
        wishes = _wished(saved, resume)
    data = load_file(Path(wishes.data)) if wishes.data else load_digits()
    if wishes.examples is not None:
        data = data.first(wishes.examples)
    network, runs = _runs(wishes, data)
    data = data.reshaped(network.inputs)
    target = checkpoint or resume or DEFAULT_CHECKPOINT
    checkpoints.check_place(target)

    def keep(state: dict[str, Any]) -> None:
        checkpoints.save(target, {**state, "wishes": asdict(wishes)})

    with _progress(as_json) as show, _ctrl_c() as pressed:
        session = train_all(
            runs,
            data,
            dtype=wishes.dtype,
            seed=wishes.seed,
            saved=saved,
            progress=show,
            interrupted=pressed,
            keep=keep if checkpoint or resume else None,
        )
        # before anything is printed: who reads it may be gone
        if session.left is not None:
            keep(session.left)
    _report(session, network, data, as_json)
    if session.diverged:
        raise DivergenceError(session.diverged)
    if session.left is not None:
        typer.echo(
            f"stopped; all is kept in {target}, go on with "
            f"symopt train --network --resume {target}",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)


def _wished(saved: dict[str, Any], resume: Path | None) -> Wishes:
    try:
        found = dict(saved["wishes"])
        return Wishes(**{**found, "names": tuple(found["names"])})
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{resume} is no checkpoint of symopt train --network; name one that it has left"
        ) from error


def _runs(wishes: Wishes, data: Data) -> tuple[Network, tuple[Run, ...]]:
    """The network, and a run for each rule; with ``compare`` one more without regularization."""
    chosen = [one for name in wishes.names for one in _named(name)]
    networks = [one for one in chosen if isinstance(one, Network)]
    rules = [one for one in chosen if isinstance(one, UpdateRule)]
    if len(networks) > 1:
        raise UsageError(f"{networks[0].name} and {networks[1].name} are two networks; name one")
    if chosen and not networks and not rules:
        raise UsageError(
            f"{chosen[0].name} is {chosen[0].a_kind}; name update rules, and a network if it is "
            "to be another"
        )
    schedules = {one.name: one for one in catalogue() if isinstance(one, Schedule)}
    if networks:
        network = networks[0]
        _check_fits(network, data)
    else:
        network = fitted(_default_network(), data.inputs, data.classes)
    rules = rules or ([] if networks else _lecture_rules())
    runs = [
        run_with(network, rule, schedules, data, wishes.epochs, wishes.batch) for rule in rules
    ] or [run_of(network, wishes.epochs, wishes.batch)]
    if wishes.compare:
        runs = [each for one in runs for each in (one, unregularized(one))]
    return network, tuple(replace(one, members=wishes.ensemble) for one in runs)


def _named(name: str) -> Sequence[Declaration]:
    """What a name or a file stands for; of a file with a network in it, that network alone."""
    found = find([name])
    networks = [one for one in found if isinstance(one, Network)]
    return networks or found


def _check_fits(network: Network, data: Data) -> None:
    """UsageError for a network that cannot learn labels of as many classes as there are."""
    if not network.loss.declared.symbols(Label):
        raise UsageError(
            f"{network.name} has the loss {network.loss.declared.name}, which reads no labels; "
            "symopt train --network has labels to learn, others train with symopt.compile"
        )
    outputs = stages(network)[-1].outputs
    if outputs[0] < data.classes:
        raise UsageError(
            f"{network.name} has {outputs[0]} outputs, but {data.name} has {data.classes} classes; "
            "let its last layer give as many"
        )


def _default_network() -> Network:
    (found,) = find([NETWORK])
    assert isinstance(found, Network)
    return found


def _lecture_rules() -> list[UpdateRule]:
    return [one for one in collection("lecture") if isinstance(one, UpdateRule)]


def _report(session: Session, network: Network, data: Data, as_json: bool) -> None:
    if as_json:
        rows = [one.json() for one in session.outcomes]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif session.outcomes:
        console_for_people().print(network_table(network.name, data.name, session.outcomes))


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Training], None]]:
    """A live line: the run, its epoch, the loss of the step and the accuracy on held-back data."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.fields[epoch]}"),
        TextColumn("loss {task.fields[loss]}"),
        TextColumn("validation accuracy {task.fields[accuracy]}"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    quiet = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        bar = progress.add_task("compiling", total=None, epoch="–", loss="–", accuracy="–")

        def show(training: Training) -> None:
            accuracy = training.validation.accuracy
            progress.update(
                bar,
                description=training.run.name,
                completed=training.epoch * training.batches + training.place,
                total=training.run.epochs * training.batches,
                epoch=f"{training.epoch}/{training.run.epochs}",
                loss=f"{training.loss:.4f}",
                accuracy="–" if accuracy is None else f"{accuracy:.2%}",
            )

        yield show


@contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: the first time the step under way is finished."""
    pressed: list[int] = []

    def note(number: int, _frame: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
