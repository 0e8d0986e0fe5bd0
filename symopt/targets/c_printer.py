"""Expressions as C text: the same operations in the same order as Python's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Pow, S, Symbol, ceiling, floor, fraction, together

from symopt.errors import LoweringError
from symopt.targets.python_code import KernelPrinter
from symopt.targets.whole_numbers import whole_code
from symopt.views import canonical, rewrite


@dataclass(frozen=True)
class Real:
    """A floating-point format in C: its type, what its functions and literals end in, its name."""

    dtype: str
    type: str
    suffix: str


REALS = {one.dtype: one for one in (Real("float32", "float", "f"), Real("float64", "double", ""))}
DOUBLE = REALS["float64"]


class CPrinter(KernelPrinter):
    """C in the order of the expression, every NaN passed on; functions end in what ``real`` says.

    ``names`` are letters that go by another name by now; ``lengths`` say how far a counter runs.
    """

    both = " && "
    either = " || "

    def __init__(
        self,
        elementwise: bool,
        real: Real,
        names: Mapping[str, str],
        lengths: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(elementwise)
        self.real = real
        self.names = names
        self.lengths = lengths

    def _print_Symbol(self, expr: Symbol) -> str:
        return self.names.get(expr.name, expr.name)

    def _print_Indexed(self, expr: Any) -> str:
        return f"{expr.base.label}[{self.place(expr.indices)}]"

    def place(self, indices: Sequence[Expr]) -> str:
        """How far from the first element one lies, the last index running along memory."""
        first, *others = indices
        text = whole_code(first)
        for one in others:
            if one == 0:
                continue  # an axis of a single place
            length = "size" if self.lengths is None else self.lengths.get(str(one))
            if length is None:
                raise LoweringError(f"C has no place for {indices}; use the numba target")
            text = f"({text}) * {length}" if " " in text else f"{text} * {length}"
            text = f"{text} + {whole_code(one)}"
        return text

    def _one(self) -> str:
        return f"1.0{self.real.suffix}"

    def _nan(self) -> str:
        return f"({self.real.type})NAN"

    # functions

    def _called(self, name: str, *arguments: Any) -> str:
        return f"{name}{self.real.suffix}({', '.join(map(self._print, arguments))})"

    def _own(self, name: str, *shown: str) -> str:
        """One of the file's own functions, in which a NaN comes out where a NaN goes in."""
        self.needs[name] = ""
        return f"{name}_{self.real.dtype}({', '.join(shown)})"

    def _print_Function(self, expr: Any) -> str:
        name = _FUNCTIONS.get(type(expr).__name__)
        if name is None or len(expr.args) != 1:
            raise LoweringError(f"{expr} is no function that C has; it is computed by numba alone")
        return self._called(name, expr.args[0])

    _print_exp = _print_exp_to_one = _print_log = _print_tanh = _print_erf = _print_Function
    _print_sin = _print_cos = _print_expm1 = _print_log1p = _print_Function
    _print_Abs = _print_floor = _print_ceiling = _print_Function

    def _print_sign(self, expr: Any) -> str:
        return self._own("sign", self._print(expr.args[0]))

    def _nested(self, function: str, arguments: Sequence[Any]) -> str:
        """The largest or smallest of several, ``np.maximum`` by the file's own."""
        name, (first, *others) = function.removeprefix("np."), arguments
        if not others:
            text: str = self._print(first)
            return text
        return self._own(name, self._print(first), self._nested(function, others))

    def _print_Pow(self, expr: Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        if exponent.is_Number and exponent.is_negative:
            return super()._print_Pow(expr, rational)
        if exponent == S.Half:
            return self._called("sqrt", base)
        if self._multiplied_out(expr):
            return " * ".join([self._print(base)] * int(exponent))
        if self.elementwise and exponent.is_Integer:
            return self._own("power", self._print(base), str(exponent))
        return self._called("pow", base, exponent)

    # conditions

    def _print_InHalf(self, expr: Any) -> str:
        return f"(int32_t){self._print(expr.args[0])}"

    def _choice(self, condition: str, value: str, other: str) -> str:
        return f"{condition} ? {value} : {other}"

    def _print_BooleanTrue(self, _: Any) -> str:
        return "1"

    def _print_BooleanFalse(self, _: Any) -> str:
        return "0"

    # constants

    def _print_Rational(self, expr: Any) -> str:
        return f"{expr.p}.0{self.real.suffix} / {expr.q}.0{self.real.suffix}"

    def _print_Infinity(self, _: Any) -> str:
        return "INFINITY"

    def _print_NegativeInfinity(self, _: Any) -> str:
        return "-INFINITY"

    def _print_Pi(self, _: Any) -> str:
        return "3.14159265358979323846"

    def _print_Exp1(self, _: Any) -> str:
        return "2.71828182845904523536"


def c_whole(expr: Expr) -> str:
    """A whole number, none of its quotients negative: a ⌈b/c⌉ ⇒ a * ((b + c - 1) / c)."""
    names: dict[str, str] = {}
    letters: dict[Expr, Symbol] = {}
    for one in expr.atoms(floor, ceiling):
        above, below = (whole_code(part) for part in fraction(together(canonical(one.args[0]))))
        up = f" + {below} - 1" if isinstance(one, ceiling) else ""
        letters[one] = Symbol(f"quotient_{len(letters)}", integer=True)
        names[letters[one].name] = f"(({above}{up}) / {below})"
    return whole_code(rewrite(expr, letters.get), names)


_FUNCTIONS = {
    "Abs": "fabs", "ceiling": "ceil", "cos": "cos", "erf": "erf", "exp": "exp", "exp_to_one": "exp",
    "expm1": "expm1", "floor": "floor", "log": "log", "log1p": "log1p", "sin": "sin",
    "tanh": "tanh",
}  # fmt: skip

# words of the language, of its headers and of a file's own, that no letter may be called by
RESERVED = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
    "extern", "float", "for", "goto", "if", "inline", "int", "int64_t", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef",
    "union", "unsigned", "void", "volatile", "while", "NAN", "INFINITY", "sqrt", "sqrtf", "pow",
    "powf", "returned",
    *(name + suffix for name in _FUNCTIONS.values() for suffix in ("", "f")),
}  # fmt: skip
