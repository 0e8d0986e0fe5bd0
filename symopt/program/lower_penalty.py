"""Penalties ⇒ kernels: the value as a float64 sum, the gradient added to g, the proximal step."""

from __future__ import annotations

from sympy import Basic, Expr, Mul, S

from symopt.derivation.penalty import Penalty, by_component
from symopt.derivation.proximal import ProximalStep
from symopt.errors import LoweringError
from symopt.notation import Hyperparameter
from symopt.program.hoist import Numbers, hoist
from symopt.program.invariants import check
from symopt.program.ir import ARRAY, NUMBER, Argument, Assign, Kernel, Loop, element, local
from symopt.program.supported import check_supported
from symopt.symbols import kappa, lambda_
from symopt.views import rewrite

SCALE, WEIGHT = lambda_, kappa
# what the kernels call their own things; of a penalty with a κ there is no proximal step
_OWN = {"g", "i", "total", SCALE.spelling.python}


def penalty_numbers(penalty: Penalty) -> tuple[Argument, ...]:
    """The hyperparameters of the penalty itself."""
    defaults = penalty.regularizer.default_values
    used = sorted(penalty.term.atoms(Hyperparameter), key=str)
    return tuple(
        Argument(one.spelling.python, NUMBER, domain=one.domain, default=defaults.get(one))
        for one in used
    )


def lower_value(penalty: Penalty) -> Kernel:
    """total += r(θ_i) over the elements, the terms in the array's dtype, their sum in float64."""
    plain, _ = by_component(penalty)
    _check_names(penalty)
    check_supported(penalty.id, plain)
    numbers = Numbers(_taken(penalty) | {"total", "i", "size", "real"})
    term = hoist(plain, numbers, "term")
    added = Assign(local("total"), _placed(penalty, term), augment="+", note=penalty.id)
    kernel = Kernel(
        name="_value",
        arguments=(Argument(_name(penalty), ARRAY), *penalty_numbers(penalty)),
        numbers=(*numbers.assignments(), Assign(local("total"), S.Zero)),
        body=(Loop(local("i"), S.Zero, "size", (added,)),),
        over=_name(penalty),
        result="total",
    )
    return check(kernel)


def lower_penalty_gradient(penalty: Penalty) -> Kernel:
    """g_i += λ·r'(θ_i): the derived gradient as a term of the loss's own."""
    own = penalty_numbers(penalty)
    numbers = Numbers(_taken(penalty) | {"g", "i", "size", "real", SCALE.spelling.python})
    _, slope = by_component(penalty)
    whole = Mul(SCALE, slope).expand()
    term = _placed(penalty, hoist(whole, numbers, "g"))
    place = element("g", local("i"))
    kernel = Kernel(
        name="_gradient",
        arguments=(
            Argument(_name(penalty), ARRAY),
            Argument("g", ARRAY, written=True),
            Argument(SCALE.spelling.python, NUMBER, domain=SCALE.domain),
            *own,
        ),
        numbers=numbers.assignments(),
        body=(Loop(local("i"), S.Zero, "size", (Assign(place, term, "+", note=penalty.id),)),),
        over=_name(penalty),
    )
    return check(kernel)


def lower_proximal(step: ProximalStep) -> Kernel:
    """θ_i = prox_κR(θ_i): the derived minimum, in place."""
    penalty = step.penalty
    numbers = Numbers(_taken(penalty) | {"i", "size", "real", WEIGHT.spelling.python})
    written = rewrite(step.value, {step.at: penalty.entry}.get)
    value = _placed(penalty, hoist(written, numbers, _name(penalty)))
    place = element(_name(penalty), local("i"))
    kernel = Kernel(
        name="_proximal_step",
        arguments=(
            Argument(_name(penalty), ARRAY, written=True),
            Argument(WEIGHT.spelling.python, NUMBER, domain=WEIGHT.domain),
            *penalty_numbers(penalty),
        ),
        numbers=numbers.assignments(),
        body=(Loop(local("i"), S.Zero, "size", (Assign(place, value, note=penalty.id),)),),
        over=_name(penalty),
    )
    return check(kernel)


def _check_names(penalty: Penalty) -> None:
    for name in sorted(_taken(penalty) & _OWN):
        raise LoweringError(
            f"{penalty.id} has a symbol with the Python name {name}, which its kernel has another "
            "use for; rename it with python='…'"
        )


def _name(penalty: Penalty) -> str:
    name: str = penalty.entry.base.spelling.python
    return name


def _taken(penalty: Penalty) -> set[str]:
    return {_name(penalty), *(one.name for one in penalty_numbers(penalty))}


def _placed(penalty: Penalty, expr: Expr) -> Expr:
    place = element(_name(penalty), local("i"))

    def change(node: Basic) -> Basic | None:
        return place if node == penalty.entry else None

    return rewrite(expr, change)
