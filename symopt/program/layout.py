"""Where the letters of a layer are kept: elements of arrays over named axes, or local numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sympy import Basic, Expr, Indexed, S, Symbol

from symopt.declaration.axes import Axes
from symopt.nodes import Gradient
from symopt.notation import Index, Label, Parameter, Sequence, Statistic, given, statistic
from symopt.program.ir import Loop, Node, element, local
from symopt.views import rewrite


@dataclass(frozen=True)
class Layout:
    """The axes of a layer's arrays and a counter for each, such as c for C."""

    axes: Axes
    counters: Mapping[str, Symbol]

    def of(self, letters: Collection[str]) -> tuple[Symbol, ...]:
        """The counters of some axes."""
        return tuple(self.counters[one] for one in letters)

    @property
    def lengths(self) -> tuple[str, ...]:
        """The names of all axes' lengths."""
        return tuple(one.letter for one in self.axes.walked)

    @property
    def row(self) -> str:
        """The axis along which memory runs, if a group extends over it; else nothing."""
        last = self.axes.walked[-1]
        return last.letter if last.averaged else ""

    @property
    def suffix(self) -> str:
        """What is appended to a letter's name for its value in the present group: mu_B_c."""
        return "_" + ("".join(one.lower() for one in self.axes.kept) or "all")

    # places

    def of_group(self, name: str) -> Indexed:
        """A number that each group has: mu_B[c]."""
        return element(name, *(self.of(self.axes.kept) or (S.Zero,)))

    def of_parameter(self, name: str) -> Indexed:
        """A learned number: gamma[c]."""
        return element(name, *self.of(self.axes.parameters))

    def of_element(self, name: str) -> Indexed:
        """A number that each element has: x[n, c, s]."""
        return element(name, *self.of(self.lengths))

    def in_group(self, letter: Symbol) -> Symbol:
        """The local that holds a letter's value in the present group: mu_B_c."""
        spelt: str = letter.spelling.python
        return local(spelt + self.suffix)

    def placed(self, expr: Expr, computed: Collection[Sequence]) -> Expr:
        """Entries ⇒ elements of arrays; those of ``computed`` letters ⇒ local numbers."""

        def change(node: Basic) -> Basic | None:
            if not isinstance(node, Indexed) or not isinstance(node.base, Sequence):
                return None
            name = node.base.spelling.python
            if node.base in computed:
                return local(name)
            if node.base.role == "learned":
                return self.of_parameter(name)
            return self.of_element(name)

        return rewrite(expr, change)

    def letters_in_group(self, expr: Expr) -> Expr:
        """Statistics and parameters ⇒ the locals that hold their values in the present group."""

        def change(node: Basic) -> Basic | None:
            return self.in_group(node) if isinstance(node, Statistic | Parameter | Label) else None

        return rewrite(expr, change)

    # loops

    def loops(self, letters: Collection[str], body: tuple[Node, ...]) -> tuple[Node, ...]:
        """The body for each place along these axes, the first of them outermost."""
        for one in reversed(list(letters)):
            body = (Loop(self.counters[one], S.Zero, one, body),)
        return body


def layout(axes: Axes, taken: set[str]) -> Layout:
    """Counters with names that no letter of the layer has."""
    found = {}
    for one in axes.walked:
        name = one.letter.lower()
        while name in taken:
            name += "_"
        found[one.letter] = local(name)
    return Layout(axes, found)


def adjoint_name(letter: Expr) -> str:
    """The Python name of dL/d(letter): ``dx``."""
    base = letter.base if isinstance(letter, Indexed) else letter
    return f"d{base.spelling.python}"


def with_adjoints(expr: Expr) -> Expr:
    """Gradients by the output as letters of their own: dL/dy_i ⇒ dy[i], dL/dℓ ⇒ dloss."""

    def change(node: Basic) -> Basic | None:
        if not isinstance(node, Gradient):
            return None
        letter: Expr = node.variable
        if not isinstance(letter, Indexed):
            return statistic(adjoint_name(letter))
        index: Index = letter.indices[0]
        return given(adjoint_name(letter))[index]

    return rewrite(expr, change)
