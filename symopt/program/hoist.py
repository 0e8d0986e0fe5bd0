"""Numbers out of loops: what depends on no element is computed once per step, in float64."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Add, Basic, Expr, Integer, Mul, Pow, Rational, S, Symbol
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFunction

from symopt.derivation.times import entries
from symopt.notation import Hyperparameter
from symopt.program.accurate import accurate
from symopt.program.ir import Assign, local
from symopt.views import Fraction, factors, rebuild, signed_terms, split_sign

_WORDS = {
    S.Zero: "zero",
    S.One: "one",
    Integer(2): "two",
    Integer(3): "three",
    S.Half: "half",
}
# beyond these, a power costs more roundings as a product than the library's own power
_SMALL = (2, 3)


@dataclass
class Numbers:
    """The numbers of one kernel, collected while its loops are lowered.

    Names in ``typed`` are locals of the arrays' dtype already. A symbol that is a number keeps its
    name, or gets this ``suffix``, where its float64 is still needed.
    """

    taken: set[str]
    found: dict[Expr, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    suffix: str = ""
    given_out: int = 0

    def name(self, expr: Expr, hint: str) -> Symbol:
        """The local that holds this number inside the loops."""
        if isinstance(expr, Symbol) and expr.name in self.typed:
            return expr
        if expr not in self.found:
            name = _word(expr) or hint
            if isinstance(expr, Symbol):
                name += self.suffix
            elif name in self.taken:
                tail = 2
                while f"{name}_{tail}" in self.taken:
                    tail += 1
                name = f"{name}_{tail}"
            self.taken.add(name)
            self.found[expr] = name
        return local(self.found[expr])

    def assignments(self) -> tuple[Assign, ...]:
        """One typed assignment a number, those first that only rename their own value last."""
        made = [Assign(local(name), accurate(expr), cast=True) for expr, name in self.found.items()]
        return tuple(sorted(made, key=lambda one: isinstance(one.value, Symbol)))

    def drained(self) -> tuple[Assign, ...]:
        """The numbers found since the last call."""
        fresh = list(self.found.items())[self.given_out :]
        self.given_out = len(self.found)
        return tuple(Assign(local(name), accurate(expr), cast=True) for expr, name in fresh)


def hoist(expr: Expr, numbers: Numbers, hint: str) -> Expr:
    """(1 − β)·g ⇒ one_minus_beta·g: each largest part without elements becomes a local number.

    Factors without elements are gathered into one: α/m·Σ ⇒ scale·Σ, v/(1 − β^t) ⇒ v·scale.
    """
    if isinstance(expr, BooleanFunction | Relational | ExprCondPair):
        return rebuild(expr, (_part(one, numbers, hint) for one in expr.args))
    if not entries(expr) and not expr.is_Indexed:
        return _number(expr, numbers, f"{hint}_term")
    if isinstance(expr, Add):
        return _sum(expr, numbers, hint)
    if isinstance(expr, Mul) or _reciprocal(expr):
        return _product(expr, numbers, hint)
    if isinstance(expr, Pow):
        return _power(expr, numbers, hint)
    if not expr.args or expr.is_Indexed:
        return expr
    return rebuild(expr, (_part(one, numbers, hint) for one in expr.args))


def _part(part: Basic, numbers: Numbers, hint: str) -> Basic:
    if part in (S.true, S.false):
        return part
    return hoist(part, numbers, hint)


def _number(expr: Expr, numbers: Numbers, hint: str) -> Expr:
    negative, positive = split_sign(expr)
    named = numbers.name(positive, hint)
    return Mul(S.NegativeOne, named, evaluate=False) if negative else named


def _reciprocal(expr: Expr) -> bool:
    return isinstance(expr, Pow) and expr.args[1].is_Number and bool(expr.args[1].is_negative)


def _sum(expr: Add, numbers: Numbers, hint: str) -> Expr:
    """Terms without elements are added up once; the others keep their order."""
    kept: list[Expr] = []
    constant: list[Expr] = []
    for negative, term in signed_terms(expr):
        moving = bool(entries(term))
        done = hoist(term, numbers, hint) if moving else term
        done = Mul(S.NegativeOne, done, evaluate=False) if negative else done
        (kept if moving else constant).append(done)
    if constant:
        whole = constant[0] if len(constant) == 1 else Add(*constant, evaluate=False)
        kept.append(_number(whole, numbers, f"{hint}_term"))
    return kept[0] if len(kept) == 1 else Add(*kept, evaluate=False)


def _product(expr: Expr, numbers: Numbers, hint: str) -> Expr:
    negative, positive = split_sign(expr)
    above, below = _split(factors(positive))
    scale_above = [one for one in above if not entries(one)]
    scale_below = [one for one in below if not entries(one)]
    moving_above = [hoist(one, numbers, hint) for one in above if entries(one)]
    moving_below = [hoist(one, numbers, hint) for one in below if entries(one)]
    leading = not (above and entries(above[0]))
    parts = moving_above
    if scale_above or scale_below:
        scale = _number(_quotient(scale_above, scale_below), numbers, f"{hint}_scale")
        parts = [scale, *parts] if leading else [*parts, scale]
    elif not parts:
        parts = [numbers.name(S.One, "one")]
    done = _divided(parts, moving_below, leading)
    return Mul(S.NegativeOne, done, evaluate=False) if negative else done


def _split(items: tuple[Expr | Fraction, ...]) -> tuple[list[Expr], list[Expr]]:
    """All factors above and all below, the nested quotients opened."""
    above: list[Expr] = []
    below: list[Expr] = []
    for item in items:
        if isinstance(item, Fraction):
            inner_above, inner_below = _split(item.above)
            above += inner_above
            below += [*inner_below, item.below]
        elif isinstance(item, Mul) and split_sign(item)[0] is False:
            inner_above, inner_below = _split(factors(item))
            above += inner_above
            below += inner_below
        else:
            above.append(item)
    return above, below


def _quotient(above: list[Expr], below: list[Expr]) -> Expr:
    parts = [*above, *(Pow(one, -1, evaluate=False) for one in below)]
    return parts[0] if len(parts) == 1 else Mul(*parts, evaluate=False)


def _divided(above: list[Expr], below: list[Expr], leading: bool) -> Expr:
    """The quotient, divided as early as the slide does: α/√G·v rather than α·v/√G."""
    inverse = [Pow(one, -1, evaluate=False) for one in below]
    ordered = [above[0], *inverse, *above[1:]] if leading else [*above, *inverse]
    return ordered[0] if len(ordered) == 1 else Mul(*ordered, evaluate=False)


def _power(expr: Pow, numbers: Numbers, hint: str) -> Expr:
    base, exponent = expr.args
    moved = hoist(base, numbers, hint)
    if exponent == S.Half or exponent in _SMALL:
        return Pow(moved, exponent, evaluate=False)
    if entries(exponent):
        return Pow(moved, hoist(exponent, numbers, hint), evaluate=False)
    return Pow(moved, numbers.name(exponent, f"{hint}_power"), evaluate=False)


def _word(expr: Expr) -> str:
    """A name that says the number: ``one_minus_beta_1``; empty where none is short enough."""
    if isinstance(expr, Symbol):
        return expr.spelling.python if hasattr(expr, "spelling") else expr.name
    if expr in _WORDS:
        return _WORDS[expr]
    terms = signed_terms(expr)
    if len(terms) == 2 and terms[0] == (False, S.One) and terms[1][0]:
        inner = terms[1][1]
        if isinstance(inner, Hyperparameter):
            return f"one_minus_{inner.spelling.python}"
    if isinstance(expr, Rational):
        return f"number_{expr.p}" + ("" if expr.q == 1 else f"_{expr.q}")
    return ""
