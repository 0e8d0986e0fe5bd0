"""One-line Unicode, for terminals, error messages and the comments of generated code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Add, Basic, Expr, Mul, Pow, S, Sum
from sympy.printing.str import StrPrinter

from symopt.nodes import (
    Argmin,
    Bernoulli,
    Expectation,
    Gradient,
    Inside,
    Largest,
    Norm,
    Normal,
    Proximal,
    Sigma,
    Variance,
)
from symopt.printing.written import WrittenOrder
from symopt.spelling import SUBSCRIPTS, SUPERSCRIPTS
from symopt.views import Fraction, factors, split_sign

_MINUS = "−"
_RELATIONS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}


class UnicodePrinter(WrittenOrder, StrPrinter):
    """Expressions and relations as a line of Unicode, in the order in which they are written."""

    # SymPy's own nodes would else print themselves, each through its _sympystr
    printmethod = "_unicode"
    minus = _MINUS

    def __init__(self) -> None:
        super().__init__({"order": "none"})

    def equation(self, left: Basic, right: Basic, definition: bool = False) -> str:
        """``left = right``, or ``left := right`` where it defines."""
        return f"{self.doprint(left)} {':=' if definition else '='} {self.doprint(right)}"

    def chain(self, parts: Sequence[Basic]) -> str:
        """``a = b = c``."""
        return " = ".join(self.doprint(part) for part in parts)

    def minimum(self, expr: Basic, variable: Basic) -> str:
        """What is minimized, and over what."""
        return f"{self.doprint(expr)} → min over {self.doprint(variable)}"

    def side_by_side(self, formulas: Sequence[str]) -> str:
        """Several formulas on one line."""
        return "   ".join(formulas)

    def number(self, value: float) -> str:
        """A default as its author typed it."""
        return repr(value)

    def drawn(self, letter: Basic, distribution: Basic) -> str:
        """What a random letter is drawn from."""
        return f"{self.doprint(letter)} ∼ {self.doprint(distribution)}"

    def asked(self, letter: Basic, condition: str) -> str:
        """A number that is still to be derived, and what is asked of it."""
        return f"{self.doprint(letter)} such that {condition}"

    def request(self, name: str, left: Basic, about: Basic) -> str:
        """A quantity that is still to be derived."""
        return f"{self.doprint(left)} = {name}({self.doprint(about)})"

    def shape(self, letter: Basic, lengths: Sequence[Basic], more: Sequence[str | Expr]) -> str:
        """An array with the lengths of its axes, and what is to be said of them in words."""
        axes = "×".join(self.doprint(one) for one in lengths)
        space = f"ℝ^({axes})" if len(lengths) > 1 else f"ℝ^{axes}"
        return f"{self.doprint(letter)} ∈ {space}{self.sentence(more)}"

    def sentence(self, parts: Sequence[str | Expr]) -> str:
        """Words with formulas among them."""
        return "".join(one if isinstance(one, str) else self.doprint(one) for one in parts)

    def _product(self, items: Sequence[Expr | Fraction]) -> str:
        last = len(items) - 1
        return "·".join(self._factor(item, k == last) for k, item in enumerate(items))

    def _factor(self, item: Expr | Fraction, last: bool) -> str:
        if isinstance(item, Fraction):
            above = self._product(item.above) if item.above else "1"
            below = item.below
            loose = isinstance(below, Add | Mul | Sigma | Sum | Gradient) or split_sign(below)[0]
            loose = loose or (below.is_Rational and not below.is_Integer)
            loose = loose or (isinstance(below, Pow) and isinstance(factors(below)[0], Fraction))
            return f"{above}/{self._bracketed(item.below, bool(loose))}"
        loose = isinstance(item, Add | Mul) or (
            isinstance(item, Sigma | Sum | Largest) and not last
        )
        return self._bracketed(item, loose or split_sign(item)[0])

    def _print_Pow(self, expr: Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        if exponent == S.Half:
            simple = base.is_Symbol or base.is_Indexed
            return f"√{self._bracketed(base, not simple)}"
        if exponent.is_Number and exponent.is_negative:
            return self._product(factors(expr))
        loose = not (base.is_Symbol or base.is_Indexed or base.is_Integer)
        loose = (loose and not isinstance(base, Norm | Expectation)) or split_sign(base)[0]
        power = self._print(exponent)
        raised = "".join(SUPERSCRIPTS.get(c, "") for c in power)
        if len(raised) != len(power):
            raised = (
                f"^{self._bracketed(exponent, not (exponent.is_Symbol or exponent.is_Integer))}"
            )
        return self._bracketed(base, loose) + raised

    def _print_Rational(self, expr: Any) -> str:
        return f"{_MINUS if expr.p < 0 else ''}{abs(expr.p)}/{expr.q}"

    def _print_Integer(self, expr: Any) -> str:
        return f"{_MINUS if expr.p < 0 else ''}{abs(expr.p)}"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Pi(self, expr: Any) -> str:
        return "π"

    def _print_Infinity(self, expr: Any) -> str:
        return "∞"

    def _print_NegativeInfinity(self, expr: Any) -> str:
        return f"{_MINUS}∞"

    def _print_Relational(self, expr: Any) -> str:
        left, right = (self._print(side) for side in expr.args)
        return f"{left} {_RELATIONS[expr.rel_op]} {right}"

    def _print_Not(self, expr: Any) -> str:
        return f"not ({self._print(expr.args[0])})"

    def _print_Symbol(self, expr: Any) -> str:
        spelling = getattr(expr, "spelling", None)
        return spelling.unicode if spelling else expr.name

    _print_Hyperparameter = _print_Count = _print_Index = _print__Label = _print_Symbol
    _print_Statistic = _print_Parameter = _print_Label = _print_Unknown = _print_Symbol

    def _print_Sequence(self, expr: Any) -> str:
        unicode: str = expr.spelling.unicode
        return unicode

    def _print_IndexedBase(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> str:
        letter = self._print(expr.base)
        shown = ",".join(self._index(position) for position in expr.indices)
        # a letter that already has a subscript takes its indices in brackets
        low = "".join(SUBSCRIPTS.get(c, "") for c in shown.replace(_MINUS, "-"))
        subscripted = letter[-1] in SUBSCRIPTS.values() or "_" in letter
        if len(low) == len(shown) and not subscripted:
            return letter + low
        return f"{letter}[{shown}]"

    def _print_Sigma(self, expr: Sigma) -> str:
        body = self._bracketed(expr.body, isinstance(expr.body, Add))
        letter = self._print(expr.index)
        if expr.bounds is None:
            return f"Σ_{letter} {body}"
        low, high = (self._print(bound) for bound in expr.bounds)
        return f"Σ_{{{letter}={low}..{high}}} {body}"

    def _print_Sum(self, expr: Any) -> str:
        body, *limits = expr.args
        text = self._bracketed(body, isinstance(body, Add))
        for letter, *bounds in limits:
            ends = "=" + "..".join(map(self._print, bounds)) if bounds else ""
            text = f"Σ_{{{self._print(letter)}{ends}}} {text}"
        return text

    def _print_Largest(self, expr: Largest) -> str:
        low, high = (self._print(bound) for bound in expr.bounds)
        body = self._bracketed(expr.body, isinstance(expr.body, Add))
        return f"max_{{{self._print(expr.index)}={low}..{high}}} {body}"

    def _print_Gradient(self, expr: Gradient) -> str:
        return f"d{self._print(expr.loss)}/d{self._print(expr.variable)}"

    def _print_KroneckerDelta(self, expr: Any) -> str:
        return f"δ[{', '.join(map(self._print, expr.args))}]"

    def _print_Inside(self, expr: Inside) -> str:
        low, high = (self._print(one) for one in expr.args[1:])
        return f"[{low} ≤ {self._index(expr.args[0])} ≤ {high}]"

    def _print_Expectation(self, expr: Expectation) -> str:
        return f"E[{self._print(expr.args[0])}]"

    def _print_Variance(self, expr: Variance) -> str:
        return f"Var[{self._print(expr.args[0])}]"

    def _print_Bernoulli(self, expr: Bernoulli) -> str:
        return self._call("B", expr.args)

    def _print_Normal(self, expr: Normal) -> str:
        return self._call("N", expr.args)

    def _print_Argmin(self, expr: Argmin) -> str:
        body, letter = expr.args
        return f"argmin_{self._print(letter)} {self._bracketed(body, isinstance(body, Add))}"

    def _print_Proximal(self, expr: Proximal) -> str:
        weight, penalty, place = expr.args
        return f"prox_{self._print(weight)}{penalty.func.__name__}({self._print(place)})"

    def _print_Norm(self, expr: Norm) -> str:
        return f"‖{self._print(expr.args[0])}‖"

    def _print_Abs(self, expr: Any) -> str:
        return f"|{self._print(expr.args[0])}|"

    def _call(self, name: str, arguments: Sequence[Basic]) -> str:
        return f"{name}({', '.join(self._print(argument) for argument in arguments)})"

    def _print_AppliedUndef(self, expr: Any) -> str:
        name = str(expr.func.__name__)
        return self._call(name, expr.args) if expr.args else name

    def _print_Function(self, expr: Any) -> str:
        name = {"Max": "max", "Min": "min"}.get(expr.func.__name__, expr.func.__name__)
        return self._call(name, expr.args)

    _print_Max = _print_Min = _print_Function

    def _print_Product(self, expr: Any) -> str:
        body, (letter, low, high) = expr.args
        limits = f"{self._print(letter)}={self._print(low)}..{self._print(high)}"
        return f"Π_{{{limits}}} {self._bracketed(body, isinstance(body, Add | Mul))}"

    def _print_floor(self, expr: Any) -> str:
        return f"⌊{self._print(expr.args[0])}⌋"

    def _print_ceiling(self, expr: Any) -> str:
        return f"⌈{self._print(expr.args[0])}⌉"

    def _print_Piecewise(self, expr: Any) -> str:
        rows = [
            f"{self._print(value)} "
            + ("otherwise" if condition is S.true else f"if {self._print(condition)}")
            for value, condition in expr.args
        ]
        return "{" + "; ".join(rows) + "}"


def unicode(expr: Basic) -> str:
    """The expression as one line of Unicode.

    >>> from symopt.symbols import v, t, beta_1
    >>> unicode(beta_1 * v[t - 1])
    'β₁·vₜ₋₁'
    """
    text: str = UnicodePrinter().doprint(expr)
    return text
