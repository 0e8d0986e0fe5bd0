"""The words an author declares with: the decorators, and what stands in their bodies.

The body of a decorated function runs under ``sympy.evaluate(False)``, so the expressions in it keep
the order in which they are written. Everywhere else SymPy evaluates as it always does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sympy import Equality, evaluate, sympify

from symopt.declaration.checks import check
from symopt.declaration.statements import (
    Aside,
    Content,
    Debias,
    Default,
    Equation,
    Inference,
    Initial,
    Minimize,
    Slip,
    Statement,
)
from symopt.declaration.values import (
    Declaration,
    Layer,
    Objective,
    Regularizer,
    Schedule,
    UpdateRule,
)
from symopt.errors import DeclarationError
from symopt.notation import Hyperparameter, Sequence
from symopt.views import sums_as_written

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


def debias(*sequences: Sequence) -> Debias:
    """A request for the bias-corrected averages ``hat(v)[t]``, which symopt derives."""
    _check_letters("debias", sequences)
    return Debias(sequences)


def _check_letters(name: str, given: tuple[Any, ...]) -> None:
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
    initial: Mapping[Sequence, Any],
    source: str,
    family: str,
    title: str,
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
        source=source,
        family=family,
        title=title or body.__name__.replace("_", " ").capitalize(),
        defaults=tuple(defaults.items()),
        initial=tuple((one, sympify(value)) for one, value in initial.items()),
        file=inspect.getsourcefile(body) or "",
    )
    check(declared)
    return declared


def _decorator(kind: type[Declaration]) -> Callable[..., Any]:
    def decorate(
        body: Body | None = None,
        *,
        defaults: Mapping[Hyperparameter, float] | None = None,
        initial: Mapping[Sequence, Any] | None = None,
        source: str = "",
        family: str = "",
        title: str = "",
    ) -> Any:
        def apply(body: Body) -> Any:
            return _declare(kind, body, defaults or {}, initial or {}, source, family, title)

        return apply if body is None else apply(body)

    decorate.__doc__ = (
        f"{kind.kind.capitalize()}: the statements that the decorated function returns.\n\n"
        "They come by key, in the order of the slide; ``defaults`` and\n"
        "``initial`` give the hyperparameters and initial values that the slide leaves out,\n"
        "``source`` says where it comes from, ``title`` what people call it. Raises\n"
        "DeclarationError with one sentence that names the statement and the symbol if something\n"
        "is not well formed."
    )
    return decorate


update_rule = _decorator(UpdateRule)
schedule = _decorator(Schedule)
regularizer = _decorator(Regularizer)
objective = _decorator(Objective)
layer = _decorator(Layer)
