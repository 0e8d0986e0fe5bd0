"""The words an author declares with: the decorators, and what stands in their bodies.

The body of a decorated function runs under ``sympy.evaluate(False)``, so the expressions in it keep
the order in which they are written. Everywhere else SymPy evaluates as it always does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sympy import Equality, Expr, evaluate, sympify

from symopt.declaration.checks import check
from symopt.declaration.layers import element_wise
from symopt.declaration.statements import (
    Aside,
    Content,
    Debias,
    Default,
    Equation,
    Holds,
    Inference,
    Initial,
    Minimize,
    Slip,
    Statement,
    Value,
)
from symopt.declaration.values import (
    Declaration,
    Layer,
    Loss,
    Monitor,
    Objective,
    Regularizer,
    Schedule,
    TensorLayer,
    UpdateRule,
)
from symopt.errors import DeclarationError
from symopt.notation import Hyperparameter, Sequence, Statistic
from symopt.printing.unicode import unicode
from symopt.views import sums_as_written, without_terms

Body = Callable[[], Any]


def define(left: Any, right: Any) -> Equation:
    """``left := right``: a name for something, rather than a law."""
    return Equation(sympify(left), sums_as_written(sympify(right)), definition=True)


def initially(value: Any, *sequences: Sequence) -> Initial:
    """The value of each sequence before the first step: ``v_0 = G_0 = 0``."""
    _check_letters("initially", sequences)
    return Initial(sympify(value), sequences)


def default(parameter: Hyperparameter, value: float) -> Default:
    """The value of a hyperparameter that the slide names: ``β = 0.9``."""
    if not isinstance(parameter, Hyperparameter):
        raise DeclarationError(
            f"default was given {parameter!r}, which is no hyperparameter; "
            "write default(beta, 0.9) with one that hyperparameter(…) made"
        )
    return Default(parameter, value)


def debias(*sequences: Sequence | Statistic) -> Debias:
    """A request for the bias-corrected averages ``hat(v)[t]``, which symopt derives.

    The running statistics of a layer are such averages too.
    """
    _check_letters("debias", [one for one in sequences if not isinstance(one, Statistic)])
    return Debias(sequences)


def _check_letters(name: str, given: Iterable[Any]) -> None:
    for one in given:
        if not isinstance(one, Sequence):
            raise DeclarationError(
                f"{name} was given {one}, which is no sequence; "
                "write the bare letter of a state, such as v"
            )


def minimize(expr: Any, variable: Sequence) -> Minimize:
    """The objective ``expr → min over variable``."""
    return Minimize(sums_as_written(sympify(expr)), variable)


def aside(shown: Any) -> Aside:
    """A formula that the slide shows for comparison, and no step computes."""
    return Aside(_equation("an aside", shown))


def inference(shown: Any) -> Inference:
    """An equation that holds once training is over, in place of the one for the same letter."""
    return Inference(_equation("an equation for inference", shown))


def holds(shown: Any) -> Holds:
    """What follows from the equations of a layer, such as Σ(x_i − μ) = 0; proved before use."""
    return Holds(_equation("what holds", shown))


def value(shown: Any) -> Value:
    """What equations come to in one case, proved before use; its right side alone is shown."""
    return Value(_equation("a value", shown))


def leave_out(content: Content, *letters: Expr) -> Equation:
    """An equation of another declaration with letters left out of its sums: x − μ ⇒ x.

    >>> from symopt.catalog.lecture.batch_norm import batch_norm, beta
    >>> from symopt.printing.unicode import unicode
    >>> print(unicode(leave_out(batch_norm["affine"], beta).right))
    γ·x̂ᵢ

    Raises
    ------
    DeclarationError
        If a letter stands elsewhere than as a term of a sum.
    """
    equation = _equation("what letters are left out of", content)
    left = without_terms(equation.right, letters)
    for one in letters:
        if left.has(one):
            raise DeclarationError(
                f"{unicode(one)} cannot be left out of {unicode(equation.right)}, where it is no "
                "term of a sum; write the equation without it"
            )
    return replace(equation, right=left)


def slip(shown: Any, meant: Any, note: str) -> Slip:
    """A misprint: shown as the slide has it, computed as it is meant, with a note that says so."""
    return Slip(_equation("a slip", shown), _equation("a slip", meant), note)


def _equation(where: str, value: Any) -> Equation:
    content = _content(where, value)
    if not isinstance(content, Equation):
        raise DeclarationError(f"{where} holds no equation; write Eq(left, right) in it")
    return content


def _content(where: str, value: Any) -> Content:
    if isinstance(value, Content):
        return value
    if isinstance(value, Equality):
        left, right = value.args
        return Equation(left, sums_as_written(right))
    if isinstance(value, list | tuple | set):
        raise DeclarationError(
            f"{where} is a {type(value).__name__}; return a dict of statements by key, such as "
            '{"step": Eq(left, right)}'
        )
    raise DeclarationError(
        f"{where} is {value!r}, which states nothing; write an equation, Eq(left, right)"
    )


def _statements(name: str, returned: Any) -> tuple[Statement, ...]:
    if isinstance(returned, Mapping):
        items = [(str(key), value) for key, value in returned.items()]
    else:
        items = [("", returned)]
    return tuple(
        Statement(key, _content(f"{name}.{key}" if key else name, value)) for key, value in items
    )


def _declare(
    kind: type[Declaration],
    body: Body,
    defaults: Mapping[Hyperparameter, float],
    initial: Mapping[Any, Any],
    title: str,
    **facts: str,
) -> Any:
    for word, table in (("defaults", defaults), ("initial", initial)):
        if not isinstance(table, Mapping):
            raise DeclarationError(
                f"{body.__name__} has {word}={table!r}; write a dict, such as {{alpha: 0.1}}"
            )
    with evaluate(False):
        returned = body()
    declared = kind(
        name=body.__name__,
        statements=_statements(body.__name__, returned),
        doc=inspect.cleandoc(body.__doc__ or ""),
        title=title or body.__name__.replace("_", " ").capitalize(),
        defaults=tuple(defaults.items()),
        initial=tuple((one, sympify(value)) for one, value in initial.items()),
        file=inspect.getsourcefile(body) or "",
        **facts,
    )
    if isinstance(declared, Layer):
        declared = replace(declared, statements=element_wise(declared))
    check(declared)
    return declared


_OWN_WORDS = {
    "layer": "; ``over`` names the axes that are averaged over,\n"
    'such as "N H W", and parameters differ ``per`` "channel" or "element"'
}


def _decorator(kind: type[Declaration]) -> Callable[..., Any]:
    def decorate(
        body: Body | None = None,
        *,
        defaults: Mapping[Hyperparameter, float] | None = None,
        initial: Mapping[Any, Any] | None = None,
        title: str = "",
        **facts: str,
    ) -> Any:
        unknown = set(facts) - {"source", "family", *kind.own_facts}
        if unknown:
            raise DeclarationError(f"a {kind.kind} has no {sorted(unknown)[0]}; leave it out")

        def apply(body: Body) -> Any:
            return _declare(kind, body, defaults or {}, initial or {}, title, **facts)

        return apply if body is None else apply(body)

    decorate.__doc__ = (
        f"{kind.kind.capitalize()}: the statements that the decorated function returns.\n\n"
        "They come by key, in the order of the slide; ``defaults`` and\n"
        "``initial`` give the hyperparameters and initial values that the slide leaves out,\n"
        "``source`` says where it comes from, ``title`` what people call it, ``family``\n"
        f"begins the ids of formulas{_OWN_WORDS.get(kind.kind, '')}. Raises\n"
        "DeclarationError with one sentence that names the statement and the symbol if something\n"
        "is not well formed."
    )
    return decorate


update_rule = _decorator(UpdateRule)
schedule = _decorator(Schedule)
monitor = _decorator(Monitor)
regularizer = _decorator(Regularizer)
objective = _decorator(Objective)
layer = _decorator(Layer)
loss = _decorator(Loss)
tensor_layer = _decorator(TensorLayer)
