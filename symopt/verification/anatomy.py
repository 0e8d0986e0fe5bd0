"""What each letter of a declaration is: what defines it, and whether data enters into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy import Basic, Expr, Indexed
from sympy.core.function import AppliedUndef

from symopt.declaration import Debias, Declaration, UpdateRule
from symopt.errors import DeclarationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Hyperparameter, Sequence, hat
from symopt.verification.averages import unbiased
from symopt.verification.definitions import Definition, defined, entries
from symopt.views import occurrences


@dataclass(frozen=True)
class Anatomy:
    """The definitions of a declaration by letter, in the order of the slide."""

    declared: Declaration
    definitions: dict[Sequence, Definition]

    @cached_property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """All numbers that a user of the declaration chooses, by name, read or not."""
        rights = [equation.right for _, equation in self.declared.equations]
        found = set(self.declared.default_values)
        for expr in (*rights, *self.declared.initial_values.values()):
            found |= expr.atoms(Hyperparameter)
        return tuple(sorted(found, key=lambda one: one.spelling.python))

    @cached_property
    def counts(self) -> frozenset[str]:
        """The Python names of the numbers of examples."""
        atoms = (equation.right.atoms(Count) for _, equation in self.declared.equations)
        return frozenset(one.spelling.python for found in atoms for one in found)

    @cached_property
    def driven(self) -> frozenset[Sequence]:
        """The letters into which a gradient, a parameter or another input enters."""
        found = {self.parameter} if isinstance(self.declared, UpdateRule) else set()
        while True:
            more = {
                letter
                for letter, one in self.definitions.items()
                if letter not in found and self._enters(one.right, found)
            }
            if not more:
                return frozenset(found)
            found |= more

    def has_data(self, expr: Basic) -> bool:
        """Whether a gradient, a parameter or another input enters into the expression."""
        return self._enters(expr, self.driven)

    def _enters(self, expr: Basic, driven: frozenset[Sequence] | set[Sequence]) -> bool:
        letters = {one.base for one in entries(expr)}
        return bool(occurrences(expr, Gradient)) or any(
            one in driven or one not in self.definitions for one in letters
        )

    @cached_property
    def parameter(self) -> Sequence:
        """What the rule updates: the gradient's variable, else the state with no initial value."""
        for node in self._gradients():
            variable = node[1].variable
            base = variable.base if isinstance(variable, Indexed) else variable
            if base in self.definitions:
                return base
        found = [
            letter
            for letter, one in self.definitions.items()
            if one.initial is None and self._remembered(letter, one)
        ]
        if len(found) != 1:
            raise DeclarationError(
                f"{self.declared.name} has {len(found)} letters that could be its parameters; "
                "give each of the others an initial value"
            )
        return found[0]

    def _remembered(self, letter: Sequence, one: Definition) -> bool:
        """Whether some equation reads the letter from before its own equation."""
        read = (
            x
            for other in self.definitions.values()
            for x in entries(other.right)
            if x.base == letter and x.indices
        )
        return any((x.indices[0] - one.step - one.offset).is_negative for x in read)

    @cached_property
    def per_example(self) -> bool:
        """Whether the rule sums over the examples' own gradients."""
        sums = (s for one in self.definitions.values() for s in occurrences(one.right, Sigma))
        return any(isinstance(one, Sigma) and one.index.counts == "example" for one in sums)

    @cached_property
    def gradient_points(self) -> tuple[tuple[Definition, Expr], ...]:
        """Where the rule takes the gradient, each with the equation that says so.

        Raises
        ------
        DeclarationError
            If a loss does not depend on what it is derived by.
        """
        found: list[tuple[Definition, Expr]] = []
        for one, node in self._gradients():
            points = tuple(_points(node.loss, node.variable))
            if not points:
                raise DeclarationError(
                    f"{one.id} takes the gradient of {node.loss}, which does not hold "
                    f"{node.variable}; write a loss such as L({node.variable})"
                )
            found += [(one, point) for point in points]
        return tuple(found)

    def _gradients(self) -> Iterator[tuple[Definition, Gradient]]:
        for one in self.definitions.values():
            for node in occurrences(one.right, Gradient):
                if isinstance(node, Gradient):
                    yield one, node


def anatomy(declared: Declaration) -> Anatomy:
    """The declaration taken apart, what ``debias`` asks for replaced by its meaning.

    Raises
    ------
    DeclarationError
        If an equation or a request of the declaration has no meaning.
    """
    found: dict[Sequence, Definition] = {}
    for id, equation in declared.equations:
        one = defined(id, equation, declared.initial_values)
        found[one.letter] = one
    plain = Anatomy(declared, found)
    requests = [s.content for s in declared.statements if isinstance(s.content, Debias)]
    for letter in [letter for one in requests for letter in one.sequences]:
        if letter not in found:
            raise DeclarationError(
                f"{declared.name} asks for debias({letter}), which no equation defines"
            )
        if hat(letter) not in found:
            made = unbiased(plain.definitions[letter], plain.has_data)
            found = {**found, **{one.letter: one for one in made}}
    return Anatomy(declared, found)


def _points(loss: Basic, variable: Expr) -> Iterator[Expr]:
    if not loss.args:
        yield variable
    for part in loss.args:
        if part.has(variable) and isinstance(part, AppliedUndef):
            yield from _points(part, variable)
        elif part.has(variable):
            yield part
