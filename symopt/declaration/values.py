"""Declarations as frozen values: rules, schedules, monitors, penalties, layers, objectives."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

from sympy import Basic, Expr

from symopt.declaration.axes import ELEMENTS, Axes, axes
from symopt.declaration.configured import Configured, configured
from symopt.declaration.display import display
from symopt.declaration.fingerprint import fingerprint
from symopt.declaration.outline import Outline, outline
from symopt.declaration.statements import (
    Content,
    Default,
    Equation,
    Initial,
    Statement,
    expressions,
)
from symopt.errors import UsageError, nearest
from symopt.nodes import Largest, Sigma
from symopt.notation import Hyperparameter, Parameter, Sequence, Statistic
from symopt.printing.latex import SlidePrinter
from symopt.printing.styles import LECTURE, Style
from symopt.printing.unicode import UnicodePrinter
from symopt.views import occurrences


@dataclass(frozen=True)
class Formula:
    """One displayed formula: its id, a printed form, and a note where the slide has a slip."""

    id: str
    text: str
    note: str = ""

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.text}$"


@dataclass(frozen=True)
class Declaration:
    """What an author states about one concept, in the order of the slide.

    ``family`` begins the ids of the formulas; it is the name unless two declarations share a
    slide. ``defaults`` and ``initial`` hold what the slide does not show. ``file`` is where the
    body of the declaration stands; one that is made of others has none.
    """

    name: str
    statements: tuple[Statement, ...]
    doc: str = ""
    source: str = ""
    family: str = ""
    title: str = ""
    defaults: tuple[tuple[Hyperparameter, float], ...] = ()
    initial: tuple[tuple[Sequence, Expr], ...] = ()
    file: str = field(default="", compare=False)

    kind: ClassVar[str] = "declaration"
    own_facts: ClassVar[tuple[str, ...]] = ()

    def __call__(self, **settings: Any) -> Configured:
        """The declaration with sizes and hyperparameters for its place in a network.

        They come by Python name: ``dropout(p=0.5)``. Raises UsageError for one that it does not
        have, or a value outside of its range.
        """
        return configured(self, settings)

    def __getitem__(self, key: str) -> Content:
        """The content of a statement, to be shown again in another declaration."""
        for statement in self.statements:
            if statement.key == key:
                return statement.content
        hint = nearest(key, [statement.key for statement in self.statements])
        raise UsageError(f"{self.name} states nothing under '{key}'; {hint}")

    def id_of(self, key: str) -> str:
        """The id of a formula: ``adam.step``; the name alone where there is a single formula."""
        family = self.family or self.name
        return f"{family}.{key}" if key else family

    @cached_property
    def equations(self) -> tuple[tuple[str, Equation], ...]:
        """The equations that are meant, by id, in the order of the slide."""
        stated = ((self.id_of(s.key), s.meant.content) for s in self.statements)
        return tuple((id, one) for id, one in stated if isinstance(one, Equation))

    @cached_property
    def default_values(self) -> dict[Hyperparameter, float]:
        """The defaults, those that the slide shows and those that it does not."""
        shown = [s.content for s in self.statements if isinstance(s.content, Default)]
        return {**dict(self.defaults), **{one.parameter: one.value for one in shown}}

    @cached_property
    def initial_values(self) -> dict[Sequence, Expr]:
        """The values before the first step, shown or not."""
        shown = [s.content for s in self.statements if isinstance(s.content, Initial)]
        found = dict(self.initial)
        for one in shown:
            found.update(dict.fromkeys(one.sequences, one.value))
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change when any part of what is declared changes."""
        return fingerprint(*self._distinct)

    @property
    def _distinct(self) -> tuple[object, ...]:
        """All that makes two declarations differ."""
        return (self.kind, self.name, self.family, self.statements, self.defaults, self.initial)

    def symbols(self, *kinds: type[Basic]) -> tuple[Any, ...]:
        """The symbols of these kinds in all that is stated, in the order of their first use."""
        stated = (part for one in self.statements for part in expressions(one.meant.content))
        found = (symbol for part in stated for symbol in occurrences(part, *kinds))
        return tuple(dict.fromkeys(found))

    @property
    def own_sizes(self) -> tuple[str, ...]:
        """Sizes that a user chooses and no equation speaks of."""
        return ()

    def formulas(self, style: Style = LECTURE) -> tuple[Formula, ...]:
        """The formulas in LaTeX, as declared; what is requested is not derived here."""
        printer = SlidePrinter(style)
        return tuple(
            Formula(self.id_of(s.key), display(s.content, printer), s.note) for s in self.statements
        )

    def __str__(self) -> str:
        printer = UnicodePrinter()
        lines = [display(s.content, printer) for s in self.statements]
        return "\n".join([self.name, *(f"  {line}" for line in lines)])

    def _repr_latex_(self) -> str:
        # a notebook shows what follows in place of requests; derivation lies above this room, so
        # it is looked up when it is needed and not before
        follows = import_module("symopt.derivation.api")
        rows = r" \\ ".join(formula.text for formula in follows.formulas(self))
        return rf"$\displaystyle \begin{{gathered}} {rows} \end{{gathered}}$"

    @property
    def a_kind(self) -> str:
        """The kind with its article, for sentences."""
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}"

    @property
    def summary(self) -> str:
        """The first line of the description."""
        return inspect.cleandoc(self.doc).partition("\n")[0]


@dataclass(frozen=True)
class UpdateRule(Declaration):
    """How parameters, and the states beside them, go from one step to the next."""

    kind: ClassVar[str] = "update rule"


@dataclass(frozen=True)
class Schedule(Declaration):
    """A hyperparameter as a function of the step t, which counts from 1."""

    kind: ClassVar[str] = "schedule"


@dataclass(frozen=True)
class Monitor(Declaration):
    """Numbers that follow what is observed, once an epoch, say; the last equation's is the output.

    The step t counts observations, from 1.
    """

    kind: ClassVar[str] = "monitor"


@dataclass(frozen=True)
class Regularizer(Declaration):
    """A penalty on the parameters, a sum over layers."""

    kind: ClassVar[str] = "regularizer"


@dataclass(frozen=True)
class Layer(Declaration):
    """What a layer makes of its input: statistics of a group, and an output for each element.

    ``over`` names the axes that a group extends over; parameters differ ``per`` channel or element.
    A target that has groups one after another asks for them ``in_order``, which changes no meaning.
    """

    over: str = "N H W"
    per: str = "channel"
    in_order: bool = False

    kind: ClassVar[str] = "layer"
    own_facts: ClassVar[tuple[str, ...]] = ("over", "per")

    @cached_property
    def axes(self) -> Axes:
        """The axes that are walked, averaged over and kept apart."""
        found = axes(self.name, self.over, self.per)
        return replace(ELEMENTS if self.elementwise else found, in_order=self.in_order)

    @cached_property
    def elementwise(self) -> bool:
        """Whether each element is by itself: nothing is summed, and nothing learned."""
        kinds = (Sigma, Largest, Statistic, Parameter)
        return not any(one.right.has(*kinds) for _, one in self.equations)

    @property
    def own_sizes(self) -> tuple[str, ...]:
        """Into how many groups the channels are split, where they are."""
        return ("groups",) if "G" in self.axes.kept else ()

    @property
    def _distinct(self) -> tuple[object, ...]:
        return (*super()._distinct, self.over, self.per)


@dataclass(frozen=True)
class Loss(Layer):
    """A number for each group of elements, that training makes small: the last equation's."""

    kind: ClassVar[str] = "loss"


@dataclass(frozen=True)
class TensorLayer(Declaration):
    """A layer whose arrays are written with all their indices: sums of products of entries."""

    kind: ClassVar[str] = "tensor layer"

    @cached_property
    def outline(self) -> Outline:
        """The arrays, the lengths of their axes, and how far indices run."""
        return outline(self)

    @property
    def own_sizes(self) -> tuple[str, ...]:
        """The lengths of what is learned, by their Python names."""
        learned = (one for letter in self.outline.learned for one in self.outline.shapes[letter])
        return tuple(dict.fromkeys(one.spelling.python for one in learned if one.is_Symbol))

    @cached_property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters of shapes and equations, in the order of the defaults, then by name.

        Those without a default come first, as in a call.
        """
        found = {
            symbol
            for statement in self.statements
            for expr in expressions(statement.content)
            for symbol in expr.atoms(Hyperparameter)
        }
        order = list(self.default_values)
        return tuple(
            sorted(found, key=lambda one: (order.index(one) if one in order else -1, str(one)))
        )


@dataclass(frozen=True)
class Objective(Declaration):
    """What training makes small."""

    kind: ClassVar[str] = "objective"
