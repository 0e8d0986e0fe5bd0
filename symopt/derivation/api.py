"""What follows from a declaration of any kind: its completed formulas and its derivations."""

from __future__ import annotations

from types import ModuleType

from sympy import Basic, Expr, Indexed

from symopt.declaration import (
    Declaration,
    Formula,
    Layer,
    Monitor,
    Network,
    Objective,
    Question,
    Regularizer,
    Statement,
    TensorLayer,
    UpdateRule,
)
from symopt.declaration.display import Printer, display
from symopt.derivation.answers import answer
from symopt.derivation.laws import laws
from symopt.derivation.layer import derive_layer
from symopt.derivation.monitor import derive_monitor
from symopt.derivation.network_passes import network_backward, network_statements
from symopt.derivation.penalized import derive_penalized
from symopt.derivation.penalty import derive_objective, derive_penalty
from symopt.derivation.proximal import ProximalStep, proximal_if_any
from symopt.derivation.rule import derive_rule
from symopt.derivation.running import completed_layer
from symopt.derivation.solving import completed
from symopt.derivation.steps import Derivation
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.derivation.unbiased import with_scales
from symopt.derivation.update_gradient import point_gradient, update_gradient
from symopt.errors import DerivationError, UsageError
from symopt.notation import Parameter, Sequence, each
from symopt.printing.latex import SlidePrinter
from symopt.printing.latex import latex as expression_latex
from symopt.printing.styles import LECTURE, Style
from symopt.printing.unicode import unicode


def statements(declared: Declaration) -> tuple[Statement, ...]:
    """The statements, each request replaced by what follows."""
    match declared:
        case UpdateRule() | Monitor():
            return completed(declared)
        case Layer():
            return completed_layer(with_scales(declared))
        case Network():
            return network_statements(declared, statements)
    return declared.statements


def formulas(declared: Declaration, printer: Printer | None = None) -> tuple[Formula, ...]:
    """The displayed formulas, each request replaced by what follows; by default in LaTeX.

    >>> from symopt.catalog.lecture.adam import adam
    >>> print(formulas(adam)[5].text)
    \\hat{v}_t = \\frac{v_t}{1 - \\beta_1^t} \\quad \\hat{G}_t = \\frac{G_t}{1 - \\beta_2^t}
    """
    writer = printer or SlidePrinter()
    return tuple(
        Formula(declared.id_of(one.key), display(one.content, writer), one.note)
        for one in statements(declared)
    )


def latex(shown: Declaration | Derivation | Basic, style: Style = LECTURE) -> str:
    r"""The LaTeX of an expression, of a derivation, or of a declaration's formulas, a line each.

    >>> from symopt.catalog.lecture.gd import gd
    >>> latex(gd)
    '\\theta_{t+1} = \\theta_t - \\alpha \\frac{dL}{d\\theta}'

    Raises
    ------
    UsageError
        For anything else.
    """
    match shown:
        case Declaration():
            return " \\\\\n".join(one.text for one in formulas(shown, SlidePrinter(style)))
        case Derivation():
            return shown.latex(style)
        case Basic():
            return expression_latex(shown, style)
    raise UsageError(_no_declaration("latex", shown))


def _what(given: object) -> str:
    if isinstance(given, Declaration):
        return f"{given.name}, {given.a_kind}"
    return f"the module {given.__name__}" if isinstance(given, ModuleType) else repr(given)


def _no_declaration(name: str, given: object) -> str:
    what = _what(given)
    hint = ""
    if isinstance(given, ModuleType):
        hint = f", such as {given.__name__.rpartition('.')[2]} from that module"
    return f"{name} was given {what}; give it a declaration{hint}"


def derivations(
    declared: Declaration, regularizer: Regularizer | None = None
) -> tuple[Derivation, ...]:
    """All that is derived from a declaration, line by line.

    ``regularizer`` is put in for the penalty of an objective, or into an update rule.

    Raises
    ------
    UsageError
        If a regularizer is given with what is neither an objective nor an update rule.
    DerivationError
        If what is asked for does not follow.
    """
    if not isinstance(declared, Declaration):
        raise UsageError(_no_declaration("derivations", declared))
    if isinstance(declared, Objective):
        return (derive_objective(declared, regularizer),)
    if isinstance(declared, UpdateRule) and regularizer is not None:
        return derive_penalized(declared, regularizer)
    if regularizer is not None:
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, which has no penalty; "
            "give a regularizer together with an objective or an update rule"
        )
    if isinstance(declared, UpdateRule):
        return derive_rule(declared).derivations
    if isinstance(declared, Question):
        return answer(declared)
    if isinstance(declared, Monitor):
        system = derive_monitor(declared)
        return (*system.derivations, *system.roles)
    if isinstance(declared, Layer):
        return laws(declared)
    if isinstance(declared, Network):
        return (network_backward(declared),)
    if isinstance(declared, TensorLayer):
        return derive_tensor_layer(declared).derivations
    if isinstance(declared, Regularizer):
        penalty = derive_penalty(declared)
        step = proximal_if_any(penalty)
        found = (step.derivation,) if isinstance(step, ProximalStep) else ()
        return (penalty.derivation, *found)
    return ()


def not_derived(declared: Declaration) -> tuple[str, ...]:
    """What is looked for and does not follow from a declaration, each with the reason."""
    if not isinstance(declared, Regularizer):
        return ()
    step = proximal_if_any(derive_penalty(declared))
    return (step,) if isinstance(step, str) else ()


def step_gradients(declared: Declaration) -> tuple[Derivation, ...]:
    """The gradient of one step of an update rule, and of the point of its gradient if it has one.

    >>> from symopt.catalog.lecture.gd import gd
    >>> step_gradients(gd)[0].rows()[2]
    ('dL/dgₜ = −α·dL/dθₜ₊₁', 'through gd.step', '')

    Raises
    ------
    UsageError
        For what is no update rule.
    """
    if not isinstance(declared, Declaration):
        raise UsageError(_no_declaration("step_gradients", declared))
    if not isinstance(declared, UpdateRule):
        raise UsageError(
            f"{declared.name} is {declared.a_kind}, which takes no steps; give an update rule"
        )
    system = derive_rule(declared)
    point = point_gradient(system)
    found = update_gradient(system).derivation
    return (found, point.derivation) if point else (found,)


def gradient(declared: Layer | TensorLayer, letter: Sequence | Expr) -> Expr:
    """The closed form of dL/d(letter) for an input or a parameter of a layer, in terms of dL/dy.

    The letter is an input such as x, bare or as its entry x[i], a parameter, or learned weights.

    >>> from symopt.catalog.lecture.batch_norm import batch_norm, beta
    >>> print(unicode(gradient(batch_norm, beta)))
    Σ_{i=1..m} dL/dyᵢ

    Raises
    ------
    UsageError
        For what is no layer.
    DerivationError
        For a letter that an equation computes, or that the layer does not have.
    """
    if not isinstance(declared, Layer | TensorLayer):
        raise UsageError(
            f"gradient was given {_what(declared)}; give it a layer, such as batch_norm"
        )
    found = _closed_forms(declared)
    wanted = _bare(letter)
    for leaf, form in found.items():
        if wanted in (_bare(leaf), leaf) or (
            isinstance(wanted, Parameter) and each(wanted) == _bare(leaf)
        ):
            return form
    leaves = sorted(found, key=lambda one: isinstance(one, Parameter))
    raise DerivationError(_no_leaf(declared, wanted, [unicode(_bare(one)) for one in leaves]))


def _closed_forms(declared: Layer | TensorLayer) -> dict[Expr, Expr]:
    if isinstance(declared, Layer):
        return dict(derive_layer(declared).fused)
    return {one.entry: one.form for one in derive_tensor_layer(declared).gradients}


def _bare(letter: Basic) -> Basic:
    return letter.base if isinstance(letter, Indexed) else letter


def _no_leaf(declared: Declaration, wanted: Basic, leaves: list[str]) -> str:
    """Why there is no closed form of a gradient, and by which letters there is one."""
    *others, last = leaves
    known = f"{', '.join(others)} or {last}" if others else last
    name = unicode(wanted) if isinstance(wanted, Basic) else repr(wanted)
    for id, one in declared.equations:
        if _bare(one.left) == wanted:
            return f"{id} computes {name}, so it is no leaf; take the gradient by {known}"
    return f"{declared.name} has no letter {name} to take the gradient by; take it by {known}"
