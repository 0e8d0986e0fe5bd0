"""Expressions and kernels as Python text that Numba compiles to what a person would write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sympy import Add, Basic, Expr, Mul, Pow, S
from sympy.core.relational import Relational
from sympy.printing.pycode import PythonCodePrinter

from symopt.errors import LoweringError
from symopt.program.ir import (
    Assign,
    Call,
    Draw,
    Fault,
    Kernel,
    Loop,
    Node,
    Row,
    Scratch,
    Settle,
    Stage,
    Stop,
    Stream,
    View,
    WhereOne,
    Whole,
)
from symopt.targets.label_code import LabelPrinter
from symopt.targets.taking import added, combined
from symopt.targets.whole_numbers import whole_code
from symopt.views import Fraction, factors, split_sign

_FLIPPED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class KernelPrinter(LabelPrinter, PythonCodePrinter):
    """Python in the order of the expression, with every NaN passed on.

    ``elementwise`` code reads numbers of the arrays' dtype and must not mix in Python's own;
    otherwise everything is a float64 that is computed once.
    """

    def __init__(self, elementwise: bool) -> None:
        super().__init__({"order": "none", "fully_qualified_modules": True})
        self.elementwise = elementwise
        self.needs: dict[str, str] = {}

    def _product(self, items: Sequence[Expr | Fraction]) -> str:
        return " * ".join(self._factor(item, alone=len(items) == 1) for item in items)

    def _factor(self, item: Expr | Fraction, alone: bool) -> str:
        if isinstance(item, Fraction):
            above = self._product(item.above) if item.above else self._one()
            if len(item.above) == 1 and isinstance(item.above[0], Expr):
                above = self._factor(item.above[0], alone=False)
            return f"{above} / {self._bracketed(item.below, self._loose(item.below))}"
        return self._bracketed(item, not alone and self._loose(item))

    def _loose(self, item: Expr) -> bool:
        """Whether a factor needs brackets."""
        quotient = isinstance(item, Pow) and isinstance(factors(item)[0], Fraction)
        quotient = quotient or (item.is_Rational and not item.is_Integer)
        product = isinstance(item, Add | Mul) or quotient or self._multiplied_out(item)
        return bool(product or split_sign(item)[0])

    def _multiplied_out(self, item: Expr) -> bool:
        """Whether a power is written as a product: of one element, to the second or third."""
        if not self.elementwise or not isinstance(item, Pow) or item.args[1] not in (2, 3):
            return False
        return bool(item.args[0].is_Symbol or item.args[0].is_Indexed)

    def _one(self) -> str:
        if not self.elementwise:
            return "1.0"
        self.needs["one"] = "1.0"
        return "one"

    def _print_Pow(self, expr: Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        if exponent == S.Half:
            return f"math.sqrt({self._print(base)})"
        if exponent.is_Number and exponent.is_negative:
            return self._product(factors(expr))
        if self._multiplied_out(expr):
            return " * ".join([self._print(base)] * int(exponent))
        simple = base.is_Symbol or base.is_Indexed or base.is_Function
        power = self._bracketed(exponent, not (exponent.is_Symbol or exponent.is_Integer))
        return f"{self._bracketed(base, not simple)} ** {power}"

    def _print_Rational(self, expr: Any) -> str:
        return f"{expr.p}.0 / {expr.q}.0"

    def _print_Integer(self, expr: Any) -> str:
        return str(expr.p) if self.elementwise else f"{expr.p}.0"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Indexed(self, expr: Any) -> str:
        places = ", ".join(whole_code(place) for place in expr.indices)
        return f"{expr.base.label}[{places}]"

    # functions, each such that a NaN comes out where a NaN goes in

    def _elementary(self, expr: Any) -> str:
        """A library's function of a number of the step, but our own of each element."""
        name = type(expr).__name__
        shown = f"_{name}" if self.elementwise else f"math.{name.removesuffix('_to_one')}"
        return f"{shown}({self._print(expr.args[0])})"

    _print_exp = _print_exp_to_one = _print_log = _print_tanh = _print_erf = _elementary

    def _print_sign(self, expr: Any) -> str:
        return f"np.sign({self._print(expr.args[0])})"

    def _print_Abs(self, expr: Any) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_floor(self, expr: Any) -> str:
        return f"np.floor({self._print(expr.args[0])})"

    def _print_ceiling(self, expr: Any) -> str:
        return f"np.ceil({self._print(expr.args[0])})"

    def _print_Max(self, expr: Any) -> str:
        return self._nested("np.maximum", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return self._nested("np.minimum", expr.args)

    def _nested(self, function: str, arguments: Sequence[Basic]) -> str:
        first, *others = arguments
        if not others:
            text: str = self._print(first)
            return text
        return f"{function}({self._print(first)}, {self._nested(function, others)})"

    @property
    def guarded(self) -> bool:
        """Whether a NaN may be read, which must not pick a case by what it fails."""
        return self.elementwise

    def _nan(self) -> str:
        self.needs["nan"] = "math.nan"
        return "nan"

    def _print_Piecewise(self, expr: Any) -> str:
        return f"({self._cases(expr)})"

    def _cases(self, expr: Any) -> str:
        """A case distinction without brackets around it."""
        pieces = list(expr.args)
        if pieces[-1].cond is not S.true:
            raise LoweringError(
                f"a case distinction has no last case for everything else: {expr}; "
                "end it with (value, True)"
            )
        shown = self._print(pieces[-1].expr)
        for place, (value, condition) in enumerate(reversed(pieces[:-1])):
            shown = f"({shown})" if place else shown
            if self.guarded:
                # no comparison with a NaN holds, so one that fails both ways must not pick a side
                shown = f"({self._choice(self._denied(condition), shown, self._nan())})"
            shown = self._choice(self._print(condition), self._print(value), shown)
        return shown

    def _print_Not(self, expr: Any) -> str:
        return self._denied(expr.args[0])

    def _denied(self, condition: Basic) -> str:
        """The negation of a condition, which a NaN does not satisfy either."""
        if condition.func.__name__ == "And":
            return f"({self.either.join(self._denied(one) for one in condition.args)})"
        if condition.func.__name__ == "Or":
            return f"({self.both.join(self._denied(one) for one in condition.args)})"
        if condition.func.__name__ == "Not":
            return f"({self._print(condition.args[0])})"
        if isinstance(condition, Relational):
            left, right = (self._print(side) for side in condition.args)
            if condition.rel_op == "==":
                return f"({left} < {right}{self.either}{left} > {right})"
            if condition.rel_op == "!=":
                return f"({left} == {right})"
            return f"({left} {_FLIPPED[condition.rel_op]} {right})"
        raise LoweringError(f"a case depends on {condition}, which is no comparison")

    def _print_Relational(self, expr: Any) -> str:
        left, right = (self._print(side) for side in expr.args)
        if expr.rel_op == "!=":
            return f"({left} < {right}{self.either}{left} > {right})"
        return f"({left} {expr.rel_op} {right})"

    def _print_NegativeInfinity(self, expr: Any) -> str:
        return "-math.inf"

    def _print_Pi(self, expr: Any) -> str:
        return "math.pi"

    def _print_Exp1(self, expr: Any) -> str:
        return "math.e"


def number_code(expr: Expr) -> str:
    """A number that is computed once, in float64.

    >>> from symopt.symbols import beta_1, t
    >>> number_code(1 - beta_1**t)
    '1.0 - beta_1 ** t'
    """
    text: str = KernelPrinter(elementwise=False).doprint(expr)
    return text


Lines = tuple[tuple[str, str], ...]


def lines(kernel: Kernel) -> tuple[Lines, Lines]:
    """The kernel's numbers and its loops as lines of Python, each with the id of its equation."""
    printer = KernelPrinter(elementwise=True)
    body = tuple(node_lines(printer, kernel.body, 0))
    numbers = [
        (f"{printer.doprint(one.target)} = {_typed(one)}", one.note) for one in kernel.numbers
    ]
    numbers += [(f"{name} = real({value})", "") for name, value in sorted(printer.needs.items())]
    return tuple(numbers), body


def _typed(one: Assign) -> str:
    text = number_code(one.value)
    return f"real({text})" if one.cast else text


def node_lines(
    printer: KernelPrinter, nodes: Sequence[Node], depth: int
) -> Iterator[tuple[str, str]]:
    """Nodes as lines of Python, each with the id of its equation."""
    indent = "    " * depth
    for node in nodes:
        match node:
            case Assign(target, value, augment, cast, note, wide):
                text = _typed(node) if wide or cast else printer.doprint(value)
                yield f"{indent}{combined(printer.doprint(target), augment, text)}", note
            case Loop(counter, start, stop, inner, stride):
                bounds = [] if str(start) == "0" and stride == 1 else [str(start)]
                bounds += [str(stop)] + ([str(stride)] if stride != 1 else [])
                yield f"{indent}for {counter} in range({', '.join(bounds)}):", ""
                yield from node_lines(printer, inner, depth + 1)
            case Stage(number, once, inner):
                only = " and part == 0" if once else ""
                yield f"{indent}if stage == {number}{only}:", ""
                yield from node_lines(printer, inner, depth + 1)
            case Scratch(name, size, wide):
                kind = "np.float64" if wide else "dtype"
                yield f"{indent}{name} = np.empty({size}, {kind})", ""
            case Stop(name, start, size, last):
                yield f"{indent}{name} = min({start} + {size}, {last})", ""
            case View(name, array, start, row):
                place = f"{start}:stop" if row is None else f"{row}, {start}:stop"
                yield f"{indent}{name} = {array}[{place}]", ""
            case Whole(target, value):
                yield f"{indent}{target} = {whole_code(value)}", ""
            case WhereOne(number, near, apart):
                yield f"{indent}if {number} == 1:", ""
                yield from node_lines(printer, near, depth + 1)
                yield f"{indent}else:", ""
                yield from node_lines(printer, apart, depth + 1)
            case Stream(array, before, first, last, source):
                shown = ", ".join([*map(whole_code, before), f"{first}:{last}"])
                yield f"{indent}_stream({array}[{shown}], {source}[:{last} - {first}])", ""
            case Settle(number):
                yield f"{indent}if {number} == 1:", ""
                yield f"{indent}    _settled()", ""
            case Row(name, array, before, first, step):
                along = f":{whole_code(step)}" if step != 1 else ""
                begin = "" if first == 0 else whole_code(first)
                shown = ", ".join([*map(whole_code, before), f"{begin}:{along}"])
                yield f"{indent}{name} = {array}[{shown}]", ""
            case Call(function, arguments, targets, combine):
                passed = ", ".join(printer.doprint(one) for one in arguments)
                named = [printer.doprint(one) for one in targets]
                for line in added(f"{function}({passed})", named, combine):
                    yield f"{indent}{line}", ""
            case Draw(function, target, start, numbers, note):
                passed = ", ".join((f"{target}[:stop - {start}]", str(start), *numbers))
                yield f"{indent}{function}({passed})", note
            case Fault(divisor, equation, group):
                yield f"{indent}if {number_code(divisor)} == 0.0 and fault[part, 0] == 0:", ""
                for axis, shown in enumerate((str(equation), *map(str, group))):
                    yield f"{indent}    fault[part, {axis}] = {shown}", ""
