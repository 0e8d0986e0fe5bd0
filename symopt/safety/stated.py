"""The equations that a declaration's kernels compute, those that are derived among them."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Basic, Expr, Mul, Pow, S

from symopt.declaration import Declaration, Layer, Regularizer, TensorLayer, UpdateRule
from symopt.derivation.forward import forward
from symopt.derivation.layer import derive_layer, dL
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.rule import derive_rule
from symopt.derivation.system import PARAMETER, STATE
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.nodes import Gradient, Largest, Norm, Sigma
from symopt.notation import Hyperparameter, Sequence
from symopt.views import factors, occurrences


@dataclass(frozen=True)
class Stated:
    """``left = right``, by the equation ``id``; ``start`` is what left is before the first step."""

    id: str
    left: Expr
    right: Expr
    start: Expr = S.Zero


def stated(declared: Declaration) -> tuple[Stated, ...]:
    """The equations in the order in which they are computed; gradients after what they are of.

    >>> from symopt.catalog.lecture.momentum import momentum
    >>> [one.id for one in stated(momentum)]
    ['momentum.velocity', 'momentum.step']
    """
    match declared:
        case UpdateRule():
            system = derive_rule(declared)
            starts = {x.sequence: _number(x.initial) for x in system.of_role(STATE, PARAMETER)}
            return tuple(
                Stated(one.id, one.left, one.right, starts.get(one.target, S.Zero))
                for one in system.assignments
            )
        case Layer():
            found = [Stated(one.id, one.letter, one.written) for one in forward(declared)]
            known = {one.right for one in found}
            own = derive_layer(declared).fused
            gradients = (Stated(f"dL/d{_name(leaf)}", dL(leaf), form) for leaf, form in own)
            return (*found, *(one for one in gradients if one.right not in known))
        case TensorLayer():
            found = [Stated(id, one.left, one.right) for id, one in declared.equations]
            forms = derive_tensor_layer(declared).gradients
            return (*found, *(Stated(f"dL/d{_name(x.entry)}", dL(x.entry), x.form) for x in forms))
        case Regularizer():
            penalty = derive_penalty(declared)
            value = Stated(penalty.id, declared.equations[0][1].left, penalty.term)
            return (value, Stated(f"{penalty.id}, gradient", dL(penalty.entry), penalty.gradient))
    return tuple(Stated(id, one.left, one.right) for id, one in declared.equations)


def letters(expr: Basic) -> tuple[Expr, ...]:
    """What of an expression is data, or made of data: entries, statistics, sums over elements.

    >>> from symopt.symbols import beta_1, g, t, v
    >>> letters(beta_1**t * v[t - 1])
    (v[t - 1],)
    """
    if isinstance(expr, Sigma | Largest | Norm | Gradient | Sequence):
        return (expr,)
    if not expr.args:
        is_number = isinstance(expr, Hyperparameter) or getattr(expr, "is_integer", False)
        return () if expr.is_number or is_number or not expr.is_Symbol else (expr,)
    if getattr(expr, "is_Indexed", False):
        return (expr,)
    found = (one for part in expr.args for one in letters(part))
    return tuple(dict.fromkeys(found))


def parts(expr: Basic) -> tuple[Expr, ...]:
    """All parts of an expression, the inner ones first, those under sums among them."""
    if getattr(expr, "is_Indexed", False) or isinstance(expr, Gradient):
        return ()
    inner = (one for part in expr.args for one in parts(part))
    own = (expr,) if isinstance(expr, Expr) and expr.args else ()
    return tuple(dict.fromkeys((*inner, *own)))


def powers(expr: Basic) -> tuple[tuple[Expr, Expr], ...]:
    """Bases that hold data with their exponents, in the order in which they are written.

    >>> from symopt.symbols import g, t
    >>> powers(3 * g[t] ** 2)
    ((g[t], 2),)
    """
    found = []
    for part in parts(expr):
        if isinstance(part, Pow) and letters(part.base):
            found.append((part.base, part.exp))
        elif isinstance(part, Mul):
            # g·g as written is no power to SymPy
            several = [one for one in factors(part) if isinstance(one, Expr)]
            again = [one for one in several if several.count(one) > 1 and letters(one)]
            found += [(one, S(several.count(one))) for one in dict.fromkeys(again)]
    return tuple(dict.fromkeys(found))


def functions(expr: Basic, *kinds: type[Basic]) -> tuple[Expr, ...]:
    """The parts of these kinds, wherever they stand, that hold data."""
    several = (one for node in occurrences(expr, *kinds) for one in (node, *parts(node)))
    return tuple(dict.fromkeys(one for one in several if isinstance(one, kinds) and letters(one)))


def _number(start: Expr | None) -> Expr:
    """Where an induction begins; parameters, and what starts as them, may be any number."""
    return S.NaN if start is None or start.is_Indexed else start


def _name(leaf: Expr) -> str:
    base = leaf.base if leaf.is_Indexed else leaf
    name: str = base.spelling.python
    return name
