"""What an author may state: equations, shapes, initial values, defaults, requests, asides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Basic, Expr, Indexed

from symopt.nodes import Distribution
from symopt.notation import Hyperparameter, Sequence, Statistic, Unknown


@dataclass(frozen=True)
class Equation:
    """``left = right``; a ``definition`` is shown with the sign ``:=``."""

    left: Expr
    right: Expr
    definition: bool = False


@dataclass(frozen=True)
class Initial:
    """The value before the first step, shared by several sequences: ``v_0 = G_0 = 0``."""

    value: Expr
    sequences: tuple[Sequence, ...]


@dataclass(frozen=True)
class Default:
    """The value that a hyperparameter has unless its user chooses another."""

    parameter: Hyperparameter
    value: float


@dataclass(frozen=True)
class Debias:
    """A request: the bias-corrected form of each sequence, to be derived from its recurrence."""

    sequences: tuple[Sequence | Statistic, ...]


@dataclass(frozen=True)
class Minimize:
    """An objective: the expression that training makes small by choosing the variable."""

    expr: Expr
    variable: Sequence


@dataclass(frozen=True)
class SideBySide:
    """Several equations that a slide shows on one line; what a request for them becomes."""

    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class Aside:
    """A formula that the slide shows beside the rule for comparison, and no step computes."""

    shown: Equation


@dataclass(frozen=True)
class Inference:
    """An equation that holds once training is over, in place of the one for the same letter."""

    shown: Equation


@dataclass(frozen=True)
class Holds:
    """What an author knows to follow from the equations; it is proved before it is used."""

    shown: Equation


@dataclass(frozen=True)
class Value:
    """What follows in one case, of which the slide shows the right side alone; it is proved."""

    shown: Equation


@dataclass(frozen=True)
class Shape:
    """How long the axes of an array are, and how many zeros stand before and after each."""

    letter: Sequence
    lengths: tuple[Expr, ...]
    margins: tuple[tuple[Expr, Expr], ...]


@dataclass(frozen=True)
class Drawn:
    """A random letter, ``r_i``, and what its value at each element is drawn from by itself."""

    letter: Indexed
    distribution: Distribution


@dataclass(frozen=True)
class Unbias:
    """A request: the number for which an equation between expectations holds."""

    letter: Unknown
    shown: Equation


@dataclass(frozen=True)
class Slip:
    """A misprint of the slide: shown as it stands there, computed as it is meant."""

    shown: Equation
    meant: Equation
    note: str


@dataclass(frozen=True)
class Ask:
    """What a question asks about other declarations; each kind of it says so in one sentence."""

    @property
    def sentence(self) -> tuple[str | Expr, ...]:
        """What is asked, in words with formulas among them."""
        raise NotImplementedError


Content = (
    Equation
    | Initial
    | Default
    | Debias
    | Minimize
    | SideBySide
    | Aside
    | Inference
    | Holds
    | Value
    | Shape
    | Drawn
    | Unbias
    | Slip
    | Ask
)


@dataclass(frozen=True)
class Statement:
    """One statement of a declaration under the key that tells it apart there."""

    key: str
    content: Content

    @property
    def note(self) -> str:
        """What a reader should know about a misprint; empty elsewhere."""
        return self.content.note if isinstance(self.content, Slip) else ""

    @property
    def meant(self) -> Statement:
        """The same statement, a misprint replaced by what is meant."""
        if isinstance(self.content, Slip):
            return replace(self, content=self.content.meant)
        return self


def expressions(content: Content) -> tuple[Basic, ...]:
    """Every expression that a statement holds, in the order in which it is written."""
    match content:
        case Equation(left, right):
            return (left, right)
        case Initial(value, sequences):
            return (*sequences, value)
        case Default(parameter, _):
            return (parameter,)
        case Debias(sequences):
            return sequences
        case Minimize(expr, variable):
            return (expr, variable)
        case SideBySide(equations):
            return tuple(part for one in equations for part in expressions(one))
        case Aside(shown) | Inference(shown) | Holds(shown) | Value(shown):
            return expressions(shown)
        case Shape(letter, lengths, margins):
            return (letter, *lengths, *(one for pair in margins for one in pair))
        case Drawn(letter, distribution):
            return (letter, distribution)
        case Unbias(letter, shown):
            return (letter, *expressions(shown))
        case Slip(shown, meant):
            return (*expressions(shown), *expressions(meant))
        case Ask():
            return ()
