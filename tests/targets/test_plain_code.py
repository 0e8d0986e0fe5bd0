"""Plain code beside the tree that it is printed from, over numbers, infinities among them."""

import math
from importlib import import_module
from itertools import product

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from sympy import (
    Abs,
    Add,
    And,
    Eq,
    Ge,
    Gt,
    Integer,
    Interval,
    Le,
    Lt,
    Max,
    Min,
    Mul,
    Ne,
    Not,
    Or,
    Piecewise,
    Pow,
    Rational,
    S,
    ceiling,
    floor,
    log,
    oo,
    sign,
    sqrt,
)

from symopt import given as observed
from symopt import hyperparameter, monitor, sequence
from symopt.program.ir import local
from symopt.runtime.compiling import compile
from symopt.symbols import t
from symopt.targets.plain_code import plain_code

X, Y = local("x"), local("y")
H = hyperparameter("h", Interval(-3, 3))
LEAVES = st.sampled_from([X, Y, H, Integer(0), Integer(1), Integer(-2), Rational(1, 2)])


def compared(kind, a, b):
    """A comparison; SymPy has none of 1/0, and folds one of cases into the conditions."""
    assume(not a.has(Piecewise) and not b.has(Piecewise))
    try:
        return kind(a, b, evaluate=False)
    except TypeError:
        reject()


def conditions(parts):
    relations = st.builds(compared, st.sampled_from([Lt, Le, Gt, Ge, Eq, Ne]), parts, parts)
    return st.one_of(
        relations,
        st.builds(lambda a, b: And(a, b, evaluate=False), relations, relations),
        st.builds(lambda a, b: Or(a, b, evaluate=False), relations, relations),
        st.builds(lambda a: Not(a, evaluate=False), relations),
    )


def joined(parts):
    return st.one_of(
        st.builds(lambda a, b: Add(a, b, evaluate=False), parts, parts),
        st.builds(lambda a, b: Add(a, Mul(-1, b, evaluate=False), evaluate=False), parts, parts),
        st.builds(lambda a, b: Mul(a, b, evaluate=False), parts, parts),
        st.builds(
            lambda a, n: Pow(a, n, evaluate=False), parts, st.sampled_from([-1, 2, S.Half, -2])
        ),
        st.builds(lambda kind, a, b: kind(a, b, evaluate=False), st.sampled_from([Max, Min]),
                  parts, parts),
        st.builds(lambda kind, a: kind(a, evaluate=False),
                  st.sampled_from([Abs, sign, floor, ceiling]), parts),
        st.builds(
            lambda a, c, b: Piecewise((a, c), (b, True), evaluate=False),
            parts,
            conditions(parts),
            parts,
        ),
    )  # fmt: skip


EXPRESSIONS = st.recursive(LEAVES, joined, max_leaves=8)


def value(expr, numbers):
    """The expression by its own structure, NaN where it has no value."""
    if expr in numbers:
        return numbers[expr]
    if expr.is_Number:
        return float(expr)
    if isinstance(expr, Piecewise):
        for part, condition in expr.args:
            holds = truth(condition, numbers)
            if holds is None:
                return math.nan
            if holds:
                return value(part, numbers)
    parts = [value(part, numbers) for part in expr.args]
    if any(map(math.isnan, parts)):
        return math.nan
    match expr:
        case Add():
            return sum(parts[1:], parts[0])
        case Mul():
            return math.prod(parts)
        case Pow():
            return power(*parts)
        case Max() | Min():
            return {Max: max, Min: min}[type(expr)](parts)
        case Abs():
            return abs(parts[0])
        case sign():
            return float((parts[0] > 0) - (parts[0] < 0))
    return parts[0] if math.isinf(parts[0]) else float({floor: math.floor, ceiling: math.ceil}[
        type(expr)](parts[0]))  # fmt: skip


def power(base, exponent):
    if exponent < 0:
        base, exponent = power(base, -exponent), -1
        return math.nan if base == 0 or math.isnan(base) else 1 / base
    return math.nan if exponent == 0.5 and base < 0 else base**exponent


def truth(condition, numbers):
    """Whether a condition holds; None where a NaN leaves it open."""
    if condition in (S.true, S.false):
        return condition == S.true
    if isinstance(condition, And | Or):
        parts = [truth(part, numbers) for part in condition.args]
        settled = isinstance(condition, Or)
        return settled if settled in parts else None if None in parts else not settled
    if isinstance(condition, Not):
        inner = truth(condition.args[0], numbers)
        return None if inner is None else not inner
    left, right = (value(side, numbers) for side in condition.args)
    if math.isnan(left) or math.isnan(right):
        return None
    return {
        **{"<": left < right, "<=": left <= right, ">": left > right},
        **{">=": left >= right, "==": left == right, "!=": left != right},
    }[condition.rel_op]


@pytest.fixture(scope="module")
def names():
    """All functions that plain code may call, as a generated module has them."""
    x, y = observed("x"), sequence("y")

    @monitor
    def calls():
        parts = [kind(x[t] * x[t], 1) for kind in (Max, Min)]
        parts += [kind(x[t] * x[t]) for kind in (sign, floor, ceiling)]
        return Eq(y[t], sum(parts))

    found = dict(vars(compile(calls)))
    assert {"_largest", "_smallest", "_sign", "_floor", "_ceiling"} <= set(found)
    return found


POINTS = list(product([-math.inf, -2.0, -0.5, 0.0, 1.0, 3.0, math.inf], repeat=2))


@settings(max_examples=500, deadline=None, derandomize=True)
@given(expr=EXPRESSIONS)
def test_code_is_the_number_of_the_tree_or_none_where_that_has_none(names, expr):
    code = plain_code(expr)
    compiled = eval(f"lambda x, y, h: {code.text}", names)
    for x, y in POINTS:
        numbers = {X: x, Y: y, H: -1.5}
        wanted = value(expr, numbers)
        if code.sure:
            assert not math.isnan(wanted), code.text
            assert compiled(x, y, -1.5) == wanted, code.text
        elif math.isnan(wanted):
            with pytest.raises(ValueError, match="comes to no number"):
                names["_value"]("it", lambda: compiled(x, y, -1.5))  # noqa: B023  # called at once
        else:
            found = names["_value"]("it", lambda: compiled(x, y, -1.5))  # noqa: B023  # as above
            assert found == wanted, code.text


SURE = {
    "x if x < y else h": Piecewise((X, X < Y), (H, True)),
    "x - h": Add(X, Mul(-1, H, evaluate=False), evaluate=False),
    "math.inf if y > 2.0 or x < y else -x": Piecewise(
        (oo, Or(X < Y, Y > 2, evaluate=False)), (Mul(-1, X, evaluate=False), True)
    ),
    "max(x, y)": Max(X, Y),
    "abs(x)": Abs(X),
}
UNSURE = {
    "x - y": Add(X, Mul(-1, Y, evaluate=False), evaluate=False),
    "h * x": Mul(H, X, evaluate=False),
    "1.0 / h": 1 / H,
    "_largest(x, h * y)": Max(X, Mul(H, Y, evaluate=False)),
    "math.sqrt(x)": sqrt(X),
    "math.pow(x, 1.0 / 3.0)": Pow(X, Rational(1, 3)),
    "math.log(x)": log(X),
    "x if x < h * y else (y if (x >= h * y) else math.nan)": Piecewise(
        (X, Mul(H, Y, evaluate=False) > X), (Y, True)
    ),
}


@pytest.mark.parametrize("text", [*SURE, *UNSURE])
def test_code_says_whether_it_always_comes_to_a_number(text):
    code = plain_code({**SURE, **UNSURE}[text])
    assert (code.text, code.sure) == (text, text in SURE)


def test_one_less_a_power_loses_no_digit_and_has_a_value_at_zero():
    mpmath = import_module("mpmath")
    x, y, k = observed("x"), sequence("y"), hyperparameter("k", Interval(0, 1))

    @monitor(defaults={k: 0.5})
    def complement():
        return Eq(y[t], x[t] * (1 - k ** (t - 1)))

    step = compile(complement).step
    with mpmath.workdps(50):
        for number in (0.0, 1e-300, 0.3, 0.999999, 1.0):
            for count in (1, 2, 3, 1000):
                exact = 1 - mpmath.mpf(number) ** (count - 1)
                _, found = step(1.0, t=count, k=number)
                # log1p, a product, expm1 and its argument's rounding: a few ulps
                assert abs(found - exact) <= 4 * 2**-52 * exact
