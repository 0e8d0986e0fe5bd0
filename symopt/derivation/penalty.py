"""Gradients of penalties and objectives, with respect to the parameters of one layer."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, S
from sympy.core.function import AppliedUndef

from symopt.declaration import Minimize, Objective, Regularizer
from symopt.derivation.components import at_kinks, component, slope
from symopt.derivation.steps import Derivation, Line
from symopt.errors import DerivationError
from symopt.nodes import Gradient, Sigma
from symopt.notation import Sequence, function
from symopt.printing.unicode import unicode
from symopt.views import canonical, occurrences, signed_terms


@dataclass(frozen=True)
class Penalty:
    """A regularizer with its gradient: ``term`` is summed over layers, ``gradient`` is dR/dθ_l."""

    regularizer: Regularizer
    id: str
    entry: Expr
    term: Expr
    gradient: Expr
    derivation: Derivation


def derive_penalty(regularizer: Regularizer) -> Penalty:
    """The gradient of a penalty in the parameters of one layer.

    >>> from symopt.catalog.lecture.l2 import l2
    >>> derive_penalty(l2).gradient
    2*theta[l]

    Raises
    ------
    DerivationError
        If the penalty is no sum over layers.
    """
    id, stated = regularizer.equations[0]
    total = stated.right
    if not isinstance(total, Sigma) or total.index.counts != "layer":
        raise DerivationError(
            f"{id} is {unicode(total)}, which is no sum over layers; write Sigma(body, layer)"
        )
    entry = _layer_entry(id, total)
    gradient = slope(canonical(total.body), entry)
    left = Gradient(stated.left, entry)
    lines = (
        Line(stated.left, total, id),
        Line(left, gradient, ("only the term ", total.index, " depends on ", entry)),
        *at_kinks(left, gradient, id, total.body, entry),
    )
    title = (left, f" from {id}")
    return Penalty(regularizer, id, entry, total.body, gradient, Derivation(id, title, lines))


def _layer_entry(id: str, total: Sigma) -> Expr:
    found = set(occurrences(total.body, Indexed))
    if len(found) != 1:
        raise DerivationError(
            f"{id} penalizes {len(found)} letters in one sum; let it depend on the parameters "
            "of a layer alone"
        )
    (entry,) = found
    return entry


def derive_objective(objective: Objective, regularizer: Regularizer | None = None) -> Derivation:
    """The gradient of an objective term by term, the penalty's own put in where it is given.

    Raises
    ------
    DerivationError
        If the objective holds the parameters in something other than sums of losses and penalties.
    """
    goals = [one for one in objective.statements if isinstance(one.content, Minimize)]
    if not goals:
        raise DerivationError(
            f"{objective.name} minimizes nothing; state minimize(expr, theta) in it"
        )
    statement = goals[0]
    id = objective.id_of(statement.key)
    goal = statement.content
    assert isinstance(goal, Minimize)
    penalty = derive_penalty(regularizer) if regularizer else None
    variable = goal.variable if penalty is None else penalty.entry
    whole = function("J")(goal.variable)
    gradient = _gradient(id, goal.expr, goal.variable, variable)
    lines = [
        Line(whole, goal.expr, id),
        Line(Gradient(whole, variable), gradient, "term by term"),
    ]
    if penalty is not None:
        applied = penalty.regularizer.equations[0][1].left
        node = Gradient(applied, variable)
        if not gradient.has(node):
            raise DerivationError(
                f"{id} has no penalty {unicode(applied)}; choose an objective that has one"
            )
        lines.append(
            Line(
                Gradient(whole, variable),
                _put_in(gradient, node, penalty.gradient),
                (node, f" from {penalty.id}"),
            )
        )
        lines += penalty.derivation.lines[2:]
    return Derivation(id, (Gradient(whole, variable), f" from {id}"), tuple(lines))


def _gradient(id: str, expr: Expr, letter: Sequence, variable: Expr) -> Expr:
    """The derivative of sums and multiples of unknown functions, in the order as written."""
    if isinstance(expr, Add):
        terms = [
            Mul(S.NegativeOne, inner, evaluate=False) if negative else inner
            for negative, term in signed_terms(expr)
            if term.has(letter)
            for inner in [_gradient(id, term, letter, variable)]
        ]
        return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)
    if isinstance(expr, Sigma):
        return Sigma(_gradient(id, expr.body, letter, variable), expr.args[1])
    if isinstance(expr, AppliedUndef):
        return Gradient(expr, variable)
    if isinstance(expr, Mul):
        holding = [one for one in expr.args if one.has(letter)]
        if len(holding) == 1:
            inner = _gradient(id, holding[0], letter, variable)
            return Mul(*(inner if one is holding[0] else one for one in expr.args), evaluate=False)
    raise DerivationError(
        f"{id} holds {unicode(letter)} in {unicode(expr)}, which is neither a loss nor a penalty; "
        "write sums and multiples of functions such as L(y[i], f(x[i], theta)) and R(theta)"
    )


def _put_in(gradient: Expr, node: Gradient, value: Expr) -> Expr:
    """The gradient with the penalty's part evaluated: λ·dR/dθ_l ⇒ 2λθ_l."""
    terms = []
    for negative, term in signed_terms(gradient):
        if not term.has(node):
            terms.append(Mul(S.NegativeOne, term, evaluate=False) if negative else term)
            continue
        done = canonical(term).xreplace({node: -value if negative else value}).expand()
        terms += Add.make_args(done)
    return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)


def by_component(penalty: Penalty) -> tuple[Expr, Expr]:
    """A penalty's r(θ) for one component and its derivative, so that R sums r over components.

    >>> from symopt.catalog.lecture.l2 import l2
    >>> by_component(derive_penalty(l2))
    (theta[l]**2, 2*theta[l])

    Raises
    ------
    DerivationError
        If components do not separate, or the penalty holds λ, by which all of it is weighed.
    """
    term = component(penalty.id, penalty.term, penalty.entry)
    return term, slope(term, penalty.entry)
