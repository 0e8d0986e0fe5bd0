"""Derivatives of the loss ⇒ inputs: where the gradient comes from, and where it is to be taken."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic, Expr
from sympy.core.function import AppliedUndef

from symopt.declaration import Equation
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.times import at
from symopt.errors import DerivationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Count, Index, Sequence, function, given, sequence
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences, rebuild, rewrite

Named = tuple[str, Equation]


@dataclass(frozen=True)
class Gradients:
    """The equations with every derivative named, and what is known of the named inputs."""

    equations: tuple[Named, ...]
    parameter: Sequence | None
    symbol: Sequence | None
    examples: tuple[tuple[Sequence, Count], ...]
    point: tuple[str, Expr] | None

    def derivation(self, step: Index) -> Derivation | None:
        """Where the gradient is to be taken, if not at the parameters."""
        if self.point is None or self.parameter is None or self.symbol is None:
            return None
        where, point = self.point
        loss = function("L")
        title = ("where ", at(self.symbol, step), " is to be taken")
        here = sequence("point")[step]
        lines = (
            Line(
                at(self.symbol, step),
                Gradient(loss(point), self.parameter),
                where,
            ),
            Line(here, point, "the argument of the loss, known before the step: gradient_point"),
        )
        return Derivation(where, title, lines)


def name_gradients(equations: tuple[Named, ...], step: Index) -> Gradients:
    """Derivatives of the loss ⇒ entries of one input: α·dL(θ)/dθ ⇒ α·g_t.

    The input is called as the rule calls it (``g[t] := dL/dθ``), else g. Under a sum over
    examples it has one gradient for each.

    Raises
    ------
    DerivationError
        If gradients at two points, or with respect to two variables, are asked for in one step.
    """
    nodes = [
        (where, node)
        for where, one in equations
        for node in occurrences(one.right, Gradient)
        if isinstance(node, Gradient)
    ]
    if not nodes:
        return Gradients(equations, None, None, (), None)
    where, first = nodes[0]
    parameter = _letter(first.variable)
    written = [_point(where, node, step) for where, node in nodes]
    points = {canonical(point): point for point in written}
    if len(points) > 1:
        shown = " and ".join(unicode(point) for point in points.values())
        raise DerivationError(
            f"{nodes[-1][0]} takes the gradient at a second point ({shown}); a step is handed "
            "one gradient, so take it at one point or split the rule in two"
        )
    letters = {_letter(node.variable) for _, node in nodes}
    if len(letters) > 1:
        raise DerivationError(
            f"{nodes[-1][0]} takes the gradient with respect to a second variable; "
            "a rule has one array of parameters"
        )
    named = [one.left.base for _, one in equations if isinstance(one.right, Gradient)]
    symbol = named[0] if named else _free_name(equations)
    kept = tuple((w, one) for w, one in equations if not isinstance(one.right, Gradient))
    examples: dict[Sequence, Count] = {}
    replaced = tuple(
        (w, Equation(one.left, _replace(w, one.right, symbol, step, examples), one.definition))
        for w, one in kept
    )
    (point,) = points
    here = at(parameter, step)
    return Gradients(
        replaced,
        parameter,
        symbol,
        tuple(examples.items()),
        None if point == here else (where, points[point]),
    )


def _letter(variable: Expr) -> Sequence:
    return variable.base if variable.is_Indexed else variable


def _free_name(equations: tuple[Named, ...]) -> Sequence:
    used = {str(one) for _, stated in equations for one in stated.right.free_symbols}
    return given("g" if "g" not in used else "gradient")


def _point(where: str, node: Gradient, step: Index) -> Expr:
    """The argument of the loss that holds the variable: θ in L(y, f(x, θ))."""
    letter = _letter(node.variable)
    here = at(letter, step)
    inner: Expr = node.loss
    while isinstance(inner, AppliedUndef):
        if not inner.args:
            return here
        holding = [part for part in inner.args if part == letter or part.has(letter)]
        if len(holding) != 1:
            raise DerivationError(
                f"{where} takes {unicode(node)}, in which {unicode(letter)} stands "
                f"{'nowhere' if not holding else 'in two arguments'}; write a loss of it, L(theta)"
            )
        inner = holding[0]

    def change(node: Basic) -> Basic | None:
        if node.is_Indexed:
            return node
        return here if node == letter else None

    return rewrite(inner, change)


def _replace(
    where: str, expr: Basic, symbol: Sequence, step: Index, examples: dict[Sequence, Count]
) -> Expr:
    """The expression with each gradient read from the input, in a batch by its example."""

    def change(node: Basic) -> Basic | None:
        if isinstance(node, Gradient):
            return at(symbol, step)
        if isinstance(node, Sigma) and node.has(Gradient) and node.index.counts == "example":
            if node.bounds is None or not isinstance(node.bounds[1], Count):
                raise DerivationError(
                    f"{where} sums gradients over {unicode(node.index)} without saying how many; "
                    "write Sigma(body, (example, 1, m)) with a count m"
                )
            if node.bounds[0] != 1:
                raise DerivationError(
                    f"{where} sums gradients from {unicode(node.bounds[0])}; "
                    "let the sum run over all examples, from 1"
                )
            examples[symbol] = node.bounds[1]
            entry = symbol[step, node.index]
            body = rewrite(node.body, lambda one: entry if isinstance(one, Gradient) else None)
            return rebuild(node, (body, node.args[1]))
        return None

    return rewrite(expr, change)
