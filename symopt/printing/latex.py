"""LaTeX in the order an author wrote, with no brace, bracket or sign that the slide leaves out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sympy import Add, Basic, Expr, Mul, Piecewise, Pow, Product, S, Sum
from sympy.functions.elementary.exponential import ExpBase
from sympy.printing.latex import LatexPrinter

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
from symopt.printing.latex_text import text
from symopt.printing.styles import LECTURE, Style
from symopt.printing.written import WrittenOrder
from symopt.views import Fraction, factors, split_sign

_ONE_TOKEN = re.compile(r"\\[A-Za-z]+|[^\s\\{}]")
# signs that take in all that stands to their right
_OVER_ALL = (Sigma, Sum, Product, Largest)


def group(text: str) -> str:
    r"""``text`` as an argument of ``^`` or ``_``: braces unless it is a single token.

    >>> group(r"\tau"), group("t-1")
    ('\\tau', '{t-1}')
    """
    return text if _ONE_TOKEN.fullmatch(text) else f"{{{text}}}"


def _has_outside_braces(letter: str, sign: str) -> bool:
    """Whether a letter has a subscript or a power of its own, after which no second may stand."""
    depth = 0
    for character in letter:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == sign and depth == 0:
            return True
    return False


class SlidePrinter(WrittenOrder, LatexPrinter):
    """Expressions and relations as LaTeX, in one :class:`~symopt.printing.styles.Style`."""

    both = r" \text{ and } "
    either = r" \text{ or } "

    def __init__(self, style: Style = LECTURE) -> None:
        super().__init__({"order": "none"})
        self.style = style

    # relations between expressions

    def equation(self, left: Basic, right: Basic, definition: bool = False) -> str:
        """``left = right``, or ``left := right`` where it defines."""
        sign = self.style.definition if definition else self.style.relation
        return f"{self.doprint(left)} {sign} {self.doprint(right)}"

    def chain(self, parts: Sequence[Basic]) -> str:
        """``a = b = c``."""
        return f" {self.style.relation} ".join(self.doprint(part) for part in parts)

    def minimum(self, expr: Basic, variable: Basic) -> str:
        """What is minimized, and over what."""
        return rf"{self.doprint(expr)} \rightarrow \min_{{{self.doprint(variable)}}}"

    def side_by_side(self, formulas: Sequence[str]) -> str:
        """Several formulas on one line."""
        return r" \quad ".join(formulas)

    def number(self, value: float) -> str:
        """A number as its author typed it, a power of ten as one."""
        digits, _, exponent = repr(value).partition("e")
        if not exponent:
            return digits
        power = f"10^{group(str(int(exponent)))}"
        return power if digits == "1" else rf"{digits} \cdot {power}"

    def drawn(self, letter: Basic, distribution: Basic) -> str:
        """What a random letter is drawn from."""
        return rf"{self.doprint(letter)} \sim {self.doprint(distribution)}"

    def asked(self, letter: Basic, condition: str) -> str:
        """A number that is still to be derived, and what is asked of it."""
        return rf"{self.doprint(letter)} \text{{ such that }} {condition}"

    def request(self, name: str, left: Basic, about: Basic) -> str:
        """A quantity that is still to be derived."""
        return rf"{self.doprint(left)} = \operatorname{{{name}}}({self.doprint(about)})"

    def shape(self, letter: Basic, lengths: Sequence[Basic], more: Sequence[str | Expr]) -> str:
        """An array with the lengths of its axes, and what is to be said of them in words."""
        axes = r" \times ".join(self.doprint(one) for one in lengths)
        space = rf"\mathbb{{R}}^{group(axes)}"
        return rf"{self.doprint(letter)} \in {space}{self.sentence(more)}"

    def sentence(self, parts: Sequence[str | Expr]) -> str:
        """Words with formulas among them."""
        words = (
            rf"\text{{{text(one)}}}" if isinstance(one, str) else self.doprint(one) for one in parts
        )
        return "".join(words)

    # sums and products as written

    def _product(self, items: Sequence[Expr | Fraction]) -> str:
        last = len(items) - 1
        texts = [self._factor(item, k == last) for k, item in enumerate(items)]
        shown = texts[0]
        for more in texts[1:]:
            shown += (r" \cdot " if more[0].isdigit() else " ") + more
        return shown

    def _factor(self, item: Expr | Fraction, last: bool) -> str:
        if isinstance(item, Fraction):
            above = self._product(item.above) if item.above else "1"
            if len(item.above) == 1 and isinstance(item.above[0], Expr):
                above = self._print(item.above[0])
            return rf"\frac{{{above}}}{{{self._print(item.below)}}}"
        loose = isinstance(item, Add) or (isinstance(item, _OVER_ALL) and not last)
        signed = split_sign(item)[0]
        return self._bracketed(item, loose or signed)

    def _print_Pow(self, expr: Pow) -> str:
        base, exponent = expr.args
        if exponent == S.Half:
            return rf"\sqrt{{{self._print(base)}}}"
        if exponent.is_Number and exponent.is_negative:
            return self._product(factors(expr))
        compound = Add | Mul | Pow | Gradient | ExpBase | Piecewise
        loose = isinstance(base, (compound, *_OVER_ALL)) or split_sign(base)[0]
        loose = loose or (base.is_Rational and not base.is_Integer)
        loose = loose or (base.is_Indexed and self.style.index_is_exponent)
        # a letter with a power of its own: no second may stand beside it
        loose = loose or (base.is_Symbol and _has_outside_braces(self._print(base), "^"))
        loose = loose or (base.is_Indexed and _has_outside_braces(self._print(base.base), "^"))
        return f"{self._bracketed(base, bool(loose))}^{group(self._print(exponent))}"

    def _print_Integer(self, expr: Any) -> str:
        return str(expr.p)

    def _print_Rational(self, expr: Any) -> str:
        sign = "-" if expr.p < 0 else ""
        return rf"{sign}\frac{{{abs(expr.p)}}}{{{expr.q}}}"

    def _print_Float(self, expr: Any) -> str:
        return self.number(float(expr))

    # letters

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        spelling = getattr(expr, "spelling", None)
        return spelling.latex if spelling else super()._print_Symbol(expr, style)

    _print_Hyperparameter = _print_Count = _print_Index = _print__Label = _print_Symbol
    _print_Statistic = _print_Parameter = _print_Label = _print_Unknown = _print_Symbol

    def _print_Sequence(self, expr: Any) -> str:
        latex: str = expr.spelling.latex
        return latex

    def _print_IndexedBase(self, expr: Any) -> str:
        return self._print(expr.label)

    def _print_Indexed(self, expr: Any) -> str:
        indices = ",".join(self._index(position) for position in expr.indices)
        grouped = group(indices) if not self.style.index_is_exponent else indices
        letter = self._print(expr.base)
        if _has_outside_braces(letter, "^" if self.style.index_is_exponent else "_"):
            letter = f"{{{letter}}}"
        return self.style.index.format(letter=letter, indices=grouped)

    # the slide's own signs

    def _print_Sigma(self, expr: Sigma) -> str:
        letter = self._print(expr.index)
        if expr.bounds is None:
            limits = f"_{group(letter)}"
        else:
            low, high = (self._print(bound) for bound in expr.bounds)
            limits = f"_{{{letter}={low}}}^{group(high)}"
        return rf"\sum{limits} {self._bracketed(expr.body, isinstance(expr.body, Add))}"

    def _print_Largest(self, expr: Largest) -> str:
        low, high = (self._print(bound) for bound in expr.bounds)
        body = self._bracketed(expr.body, isinstance(expr.body, Add))
        return rf"\max_{{{self._print(expr.index)}={low},\dots,{high}}} {body}"

    def _print_Gradient(self, expr: Gradient) -> str:
        return self.style.derivative.format(
            loss=self._print(expr.loss), variable=self._print(expr.variable)
        )

    def _print_Inside(self, expr: Inside) -> str:
        low, high = (self._print(one) for one in expr.args[1:])
        return rf"[{low} \leq {self._index(expr.args[0])} \leq {high}]"

    def _print_Expectation(self, expr: Expectation) -> str:
        return rf"\operatorname{{E}}[{self._print(expr.args[0])}]"

    def _print_Variance(self, expr: Variance) -> str:
        return rf"\operatorname{{Var}}[{self._print(expr.args[0])}]"

    def _print_Bernoulli(self, expr: Bernoulli) -> str:
        return self._call("B", expr.args)

    def _print_Normal(self, expr: Normal) -> str:
        return self._call(r"\mathcal{N}", expr.args)

    def _print_Norm(self, expr: Norm) -> str:
        return rf"\|{self._print(expr.args[0])}\|"

    def _print_Abs(self, expr: Any, exp: Any = None) -> str:
        return rf"|{self._print(expr.args[0])}|"

    def _print_Argmin(self, expr: Argmin) -> str:
        body, letter = expr.args
        shown = self._bracketed(body, isinstance(body, Add))
        return rf"\operatorname*{{arg\,min}}_{group(self._print(letter))} {shown}"

    def _print_Proximal(self, expr: Proximal) -> str:
        weight, penalty, place = expr.args
        name = f"{self._print(weight)} {penalty.func.__name__}"
        return rf"\operatorname{{prox}}_{{{name}}}({self._print(place)})"

    def _call(self, name: str, arguments: Sequence[Basic]) -> str:
        return f"{name}({', '.join(self._print(argument) for argument in arguments)})"

    def _print_AppliedUndef(self, expr: Any) -> str:
        name = expr.func.__name__
        return self._call(name, expr.args) if expr.args else name

    def _print_Function(self, expr: Any, exp: Any = None) -> str:
        return self._call(rf"\{expr.func.__name__}", expr.args)

    def _print_erf(self, expr: Any, exp: Any = None) -> str:
        return self._call(r"\operatorname{erf}", expr.args)

    def _print_sign(self, expr: Any, exp: Any = None) -> str:
        return self._call(r"\operatorname{sign}", expr.args)

    def _print_Max(self, expr: Any, exp: Any = None) -> str:
        return self._call(r"\max", expr.args)

    def _print_Min(self, expr: Any, exp: Any = None) -> str:
        return self._call(r"\min", expr.args)

    def _print_ExpBase(self, expr: Any, exp: Any = None) -> str:
        return f"e^{group(self._print(expr.args[0]))}"

    def _print_Not(self, expr: Any) -> str:
        return rf"\neg ({self._print(expr.args[0])})"

    def _print_floor(self, expr: Any, exp: Any = None) -> str:
        return rf"\lfloor {self._print(expr.args[0])} \rfloor"

    def _print_ceiling(self, expr: Any, exp: Any = None) -> str:
        return rf"\lceil {self._print(expr.args[0])} \rceil"

    def _print_Piecewise(self, expr: Any) -> str:
        rows = [
            f"{self._print(value)} & "
            + (r"\text{otherwise}" if condition is S.true else self._print(condition))
            for value, condition in expr.args
        ]
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"


def latex(expr: Basic, style: Style = LECTURE) -> str:
    r"""The LaTeX of an expression, its terms and factors in the order in which they stand.

    >>> from symopt.symbols import g, tau, i
    >>> latex(g[tau, i] ** 2)
    'g_{\\tau,i}^2'
    """
    text: str = SlidePrinter(style).doprint(expr)
    return text
