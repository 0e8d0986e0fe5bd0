"""Normal forms of index sums, against sums written out at small sizes."""

import random

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sympy import Abs, Add, Integer, KroneckerDelta, Mul, Pow, Rational, S, Symbol, exp, sign, sqrt

from symopt import Sigma, given, index
from symopt.calculus.normal_form import Knowledge, identity, normal_form, used_identities
from symopt.calculus.polynomial import ZERO, expression, factors_replaced
from symopt.calculus.rules import RULES, simplified
from symopt.calculus.sampling import Point, residue, value
from symopt.errors import DerivationError
from symopt.symbols import m, n

i, j, k, p, q = (index(word) for word in ("i", "j", "k", "p", "q"))
x, y = given("x"), given("y")
a, b = Symbol("a", real=True), Symbol("b", positive=True)

LEAVES = st.sampled_from([x[i], x[j], y[i], y[j], x[k], a, b, Integer(2), Rational(-1, 3), m])


def joined(parts):
    return st.one_of(
        st.tuples(parts, parts).map(lambda two: Add(*two)),
        st.tuples(parts, parts).map(lambda two: Mul(*two)),
        st.tuples(parts, st.sampled_from([i, j])).map(lambda two: Sigma(two[0], (two[1], 1, m))),
        parts.map(lambda one: Pow(one, 2)),
    )


EXPRESSIONS = st.recursive(LEAVES, joined, max_leaves=6)


def point(size, seed=0):
    source = random.Random(seed)
    elements = {(base, place): residue(source) for base in (x, y) for place in range(1, size + 1)}
    return Point({a: residue(source), b: residue(source), m: size, n: size + 1}, elements)


def agree(one, other, size):
    free = {i: 1, j: size, k: max(1, size - 1)}
    return value(one, point(size), free) == value(other, point(size), free)


@settings(max_examples=150, deadline=None, derandomize=True)
@drawn(EXPRESSIONS)
def test_a_normal_form_is_worth_what_the_sums_written_out_are(expr):
    back = expression(normal_form(expr), (p, q, *(index(f"r_{n}") for n in range(6))))
    for size in (1, 2, 3):
        assert agree(expr, back, size)


@settings(max_examples=100, deadline=None, derandomize=True)
@drawn(EXPRESSIONS)
def test_a_normal_form_of_a_normal_form_is_itself(expr):
    once = normal_form(expr)
    names = (p, q, *(index(f"r_{n}") for n in range(6)))
    assert normal_form(expression(once, names)) == once


@settings(max_examples=100, deadline=None, derandomize=True)
@drawn(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_the_order_in_which_parts_come_does_not_matter(one, other, third):
    left = Add(Mul(one, other, evaluate=False), third, evaluate=False)
    right = Add(third, Mul(other, one, evaluate=False), evaluate=False)
    assert normal_form(left) == normal_form(right)


@settings(max_examples=150, deadline=None, derandomize=True)
@drawn(EXPRESSIONS, EXPRESSIONS)
def test_expressions_that_differ_at_a_point_never_have_equal_normal_forms(one, other):
    if not all(agree(one, other, size) for size in (1, 2, 3)):
        assert normal_form(one) != normal_form(other)


EQUAL = {
    "linearity": (Sigma(x[i] + y[i], (i, 1, m)), Sigma(x[j], (j, 1, m)) + Sigma(y[k], (k, 1, m))),
    "constants come out": (Sigma(a * x[i], (i, 1, m)), a * Sigma(x[i], (i, 1, m))),
    "bound letters do not matter": (Sigma(x[i] ** 2, (i, 1, m)), Sigma(x[k] ** 2, (k, 1, m))),
    "sums change places": (
        Sigma(Sigma(x[i] * y[j], (i, 1, m)), (j, 1, m)),
        Sigma(Sigma(x[i] * y[j], (j, 1, m)), (i, 1, m)),
    ),
    "a sum of ones": (Sigma(S.One, (i, 1, m)), m),
    "a product of sums": (
        Sigma(x[i], (i, 1, m)) * Sigma(y[i], (i, 1, m)),
        Sigma(Sigma(x[i] * y[j], (j, 1, m)), (i, 1, m)),
    ),
    "a contracted delta": (Sigma(x[i] * KroneckerDelta(i, j), (i, 1, m)), x[j]),
    "the variance in two forms": (
        Sigma((x[i] - a) ** 2, (i, 1, m)),
        Sigma(x[i] ** 2, (i, 1, m)) - 2 * a * Sigma(x[i], (i, 1, m)) + m * a**2,
    ),
    "roots of numbers": (
        Add(sqrt(2) * Pow(2, Rational(3, 2), evaluate=False) * a, sqrt(6), evaluate=False),
        Add(4 * a, Mul(sqrt(2), sqrt(3), evaluate=False), evaluate=False),
    ),
    "roots of positive letters": (sqrt(b) * sqrt(b) ** 3, b**2),
}


@pytest.mark.parametrize("fact", EQUAL)
def test_equal_sums_have_one_normal_form(fact):
    one, other = EQUAL[fact]
    assert normal_form(one) == normal_form(other)
    assert normal_form(one - other) == ZERO


DIFFERENT = {
    "a square of a sum and a sum of squares": (
        Sigma(x[i], (i, 1, m)) ** 2,
        Sigma(x[i] ** 2, (i, 1, m)),
    ),
    "ranges of unlike size": (Sigma(x[i], (i, 1, m)), Sigma(x[i], (i, 1, n))),
    "a root of a square of a letter of any sign": (sqrt(a**2), a),
    "free letters": (x[i], x[j]),
    "one over two ranges": (
        Sigma(Sigma(x[i] * x[j], (i, 1, m)), (j, 1, n)),
        Sigma(Sigma(x[i] * x[j], (i, 1, m)), (j, 1, m)),
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_sums_that_are_not_equal_are_told_apart(case):
    one, other = DIFFERENT[case]
    assert normal_form(one) != normal_form(other)


ROWS = {
    "empty sum": Sigma(S.Zero, (i, 1, m)),
    "sum of ones": Sigma(a, (i, 1, m)),
    "delta": Sigma(a * x[i] * KroneckerDelta(i, j), (i, 1, m)),
    "constant": Sigma(a * x[i] * y[j], (i, 1, m)),
    "linearity": Sigma((x[i] + KroneckerDelta(i, j)) * y[i], (i, 1, m)),
}


def written_out(expr, size):
    """SymPy's own sum, element by element."""
    if isinstance(expr, Sigma):
        terms = (
            written_out(expr.body, size).subs(expr.index, number) for number in range(1, size + 1)
        )
        return sum(terms, S.Zero)
    if not expr.args or expr.is_Indexed:
        return expr
    return expr.func(*(written_out(part, size) for part in expr.args))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_of_the_table_against_sums_written_out(rule):
    total = ROWS[rule.name]
    found = rule.result(total)
    assert found is not None
    for size in (1, 2, 3):
        numbers = {m: size, j: 1}
        one, other = (written_out(side, size).subs(numbers) for side in (total, found))
        assert (one - other).expand() == 0
    assert simplified(simplified(found)) == simplified(found)


def test_a_definition_gives_the_identity_of_its_sum():
    mean = Symbol("mu", real=True)
    known = identity("mean", mean, Sigma(x[i], (i, 1, m)) / m, Knowledge())
    gap = Sigma(x[i] - mean, (i, 1, m))
    assert normal_form(gap) != ZERO
    assert normal_form(gap, Knowledge(identities=(known,))) == ZERO
    assert [one.name for one in used_identities(gap, Knowledge(identities=(known,)))] == ["mean"]


def test_functions_are_atoms():
    one = Sigma(exp(x[i]) * a, (i, 1, m))
    assert normal_form(one) == normal_form(a * Sigma(exp(x[j]), (j, 1, m)))


def test_powers_of_one_base_come_together():
    base = a + b
    one = Mul(1 / base, 1 / base**2, evaluate=False)
    assert normal_form(one) == normal_form(base**-3)
    assert normal_form(x[i] / base + a / base) == normal_form((x[i] + a) / base)


@pytest.mark.parametrize("seed", range(20))
def test_residues_know_signs_as_far_as_products_go(seed):
    at = point(2, seed)
    pairs = {
        Abs(a): sign(a) * a,
        Abs(a) ** 2: a**2,
        Abs(Mul(a, x[i], evaluate=False)): Abs(a) * Abs(x[i]),
        sign(a) ** 2: S.One,
        Abs(-a): Abs(a),
    }
    for one, other in pairs.items():
        assert value(one, at, {i: 1}) == value(other, at, {i: 1})
    assert value(Abs(a), at) != value(-Abs(a), at)


def test_a_size_is_put_in_where_it_is_a_factor_and_not_where_it_ends_a_sum():
    found = factors_replaced(normal_form(m**2 * Sigma(x[i], (i, 1, m))), m, normal_form(a + 1))
    assert found == normal_form((a + 1) ** 2 * Sigma(x[i], (i, 1, m)))


def test_a_sum_without_bounds_is_refused():
    with pytest.raises(DerivationError, match="has no bounds from 1; write Sigma"):
        normal_form(Sigma(x[i], i))
