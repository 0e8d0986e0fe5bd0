"""What training of a network makes small, and the step by which it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sympy import Add, Basic, Expr, Float, Indexed, Mul, Pow, S
from sympy.core.function import AppliedUndef

from symopt.declaration import (
    Configured,
    Declaration,
    Default,
    Equation,
    Network,
    Penalty,
    Statement,
)
from symopt.derivation.network_letters import numbered, relettered
from symopt.derivation.network_places import places
from symopt.derivation.penalty import derive_penalty
from symopt.nodes import Gradient, Sigma
from symopt.notation import Hyperparameter, Parameter, Sequence, count, function, index, sequence
from symopt.symbols import theta
from symopt.views import rewrite

N, n = count("N"), index("n", "example")
J, L = function("J"), function("L")

Completed = Callable[[Declaration], tuple[Statement, ...]]


def training_statements(network: Network, completed: Completed) -> tuple[Statement, ...]:
    """The objective with its penalties, the update rule, schedule and stopping, with numbers."""
    found: list[Statement] = []
    found.append(Statement("objective", _objective(network)))
    found += _penalties(network)
    found += _gradient_named(network)
    scheduled = _letter_of(network.schedule) if network.schedule else ""
    for part in (network.rule, network.schedule, network.stopping):
        if part is not None:
            found += _of_training(part, completed, scheduled if part == network.rule else "")
    return tuple(found)


def _objective(network: Network) -> Equation:
    """J = 1/N Σ ℓ_n + λ R(θ)."""
    letter = numbered(network.loss.declared.equations[-1][1].left, len(places(network)))
    spelling = letter.spelling
    each = sequence("loss", latex=spelling.latex, unicode=spelling.unicode, python=spelling.python)
    mean = Mul(Pow(N, -1), Sigma(each[n], (n, S.One, N)), evaluate=False)
    owed = [
        Mul(Float(repr(one.strength)), _penalized(network, place), evaluate=False)
        for place, one in enumerate(_each_penalty(network))
    ]
    return Equation(J(theta), Add(mean, *owed, evaluate=False) if owed else mean)


def _penalized(network: Network, place: int) -> Expr:
    """R(θ), or R(W) of the letter that it is on; R_1 and so on where there are several."""
    several = _each_penalty(network)
    word = "R" if len(several) == 1 else f"R_{place + 1}"
    return function(word)(_argument(network, several[place]))


def _each_penalty(network: Network) -> tuple[Penalty, ...]:
    """The penalties, each on one letter by itself or on all."""
    found: list[Penalty] = []
    for one in network.penalties:
        found += [replace(one, letters=(letter,)) for letter in one.letters] or [one]
    return tuple(found)


def _argument(network: Network, penalty: Penalty) -> Sequence:
    """The one letter that a penalty is on, of all layers, or θ for several."""
    known = {
        one.spelling.python: one.spelling
        for place in places(network)
        for one in place.letters
        if isinstance(one, Parameter | Sequence)
    }
    if len(penalty.letters) != 1 or penalty.letters[0] not in known:
        return theta
    spelling = known[penalty.letters[0]]
    names = {"latex": spelling.latex, "unicode": spelling.unicode, "python": spelling.python}
    return sequence("W", **names)


def _penalties(network: Network) -> Iterator[Statement]:
    for place, one in enumerate(_each_penalty(network)):
        found = derive_penalty(one.regularizer)
        _, stated = one.regularizer.equations[0]
        letters = {found.entry.base: _argument(network, one)}
        right = relettered(stated.right, letters)
        shown = replace(stated, left=_penalized(network, place), right=right)
        yield Statement(f"{one.regularizer.name}", shown)


def _letter_of(schedule: Configured) -> str:
    """The letter that a schedule gives a value at each step."""
    left = schedule.declared.equations[-1][1].left
    letter: str = (left.base if isinstance(left, Indexed) else left).spelling.unicode
    return letter


def _gradient_named(network: Network) -> Iterator[Statement]:
    """g_t := dJ/dθ, where the rule reads the gradient under a letter of its own."""
    declared = network.rule.declared
    defined = {one.left.base for _, one in declared.equations if isinstance(one.left, Indexed)}
    read = (one for one in declared.symbols(Indexed) if one.base not in defined)
    for one in read:
        if one.base.role == "given":
            content = Equation(one, Gradient(J(theta), theta), definition=True)
            yield Statement(f"{declared.name}.gradient_of_all", content)
            return


def _of_training(part: Configured, completed: Completed, scheduled: str) -> Iterator[Statement]:
    """The statements of a rule or a schedule, and the numbers that it has here."""
    name = part.declared.name
    for one in completed(part.declared):
        if isinstance(one.content, Equation):
            content = replace(one.content, right=_of_objective(one.content.right))
            yield Statement(f"{name}.{one.key or 'equation'}", content)
        elif not isinstance(one.content, Default):
            yield Statement(f"{name}.{one.key or 'equation'}", one.content)
    values = {one.spelling.python: value for one, value in part.declared.default_values.items()}
    values |= part.chosen
    for letter in part.declared.symbols(Hyperparameter):
        value = values.get(letter.spelling.python)
        if value is not None and letter.spelling.unicode != scheduled:
            yield Statement(f"{name}.{letter.spelling.python}", Default(letter, value))


def _of_objective(expr: Expr) -> Expr:
    """A rule's gradient of the loss as that of all that is made small: dL/dθ ⇒ dJ/dθ."""

    def change(node: Basic) -> Basic | None:
        whole = isinstance(node, AppliedUndef) and node.func == L
        if whole and not any(isinstance(one, AppliedUndef) for one in node.args):
            return J(*node.args)
        return None

    return rewrite(expr, change)
