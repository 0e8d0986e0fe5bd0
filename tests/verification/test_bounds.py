"""No float32 computation, in any order it may be carried out, is further off than its bound."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symopt.verification.arithmetic import Arithmetic
from symopt.verification.as_written import AsWritten
from symopt.verification.functions import extreme, power, rising, sign, waving
from symopt.verification.quantity import FLOAT32, HIGH, WIDENING, exact, scalar

OPS = Arithmetic(FLOAT32)
F = np.float32
NUMBERS = st.floats(-(2.0**30), 2.0**30, width=32)
ORDINARY = NUMBERS.filter(lambda x: x == 0 or abs(x) > 2.0**-30)
POSITIVE = st.floats(2.0**-30, 2.0**30, width=32)


def within(kernel, declared):
    """Whether the kernel's number is within the bound; outside the range nothing is claimed."""
    if not declared.bounded:
        return True
    return abs(HIGH.mpf(float(kernel)) - declared.value) <= declared.error * WIDENING


@settings(deadline=None)
@given(st.lists(ORDINARY, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_sum_in_any_order_is_within_its_bound(terms, random):
    declared = OPS.add([exact(x) for x in terms])
    random.shuffle(terms)
    total = F(0)
    for x in terms:
        total += F(x)
    assert within(total, declared)


@settings(deadline=None)
@given(st.lists(ORDINARY, min_size=1, max_size=8), POSITIVE)
def test_a_factor_drawn_into_a_sum_is_within_the_bound_of_what_is_written(terms, divisor):
    ops = AsWritten(FLOAT32)
    one = ops.reciprocal(exact(divisor))
    declared = ops.multiply([one, ops.add([exact(x) for x in terms])])
    total = F(0)
    for x in terms:
        total += F(x) * (F(1) / F(divisor))
    assert within(total, declared)


@settings(deadline=None)
@given(NUMBERS, st.floats(-20, 20, width=32), POSITIVE)
def test_a_function_of_a_difference_is_as_exact_as_one_rounding_of_it(level, gap, factor):
    ops = AsWritten(FLOAT32)
    x, y = F(level + gap), F(level)
    rest = ops.add([exact(float(x)), ops.multiply([scalar(-1), exact(float(y))])])
    declared = rising(HIGH.exp)(ops, rest)
    assert within(np.exp(x - y), declared)
    # the difference may move by u of itself, the exponential by four roundings
    size = float(declared.value)
    assert declared.error <= (abs(float(x) - float(y)) + 4.1) * FLOAT32.unit * size + FLOAT32.tiny
    # and a factor may be drawn into it all the same
    assert within(F(factor) * x - F(factor) * y, ops.multiply([exact(factor), rest]))


@pytest.mark.parametrize("level", [2.0**10, 2.0**14, 2.0**18])
def test_what_cancels_before_it_is_squared_is_not_granted_to_the_square(level):
    gap = 0.5
    x, mean = exact(level + gap), exact(level)
    square = {}
    for ops in (OPS, AsWritten(FLOAT32)):
        rest = ops.add([x, ops.multiply([scalar(-1), mean])])
        square[type(ops)] = ops.multiply([rest, rest])
    u = FLOAT32.unit
    # the difference is off by 3u(x + μ), its square by that times twice the gap, and by its square
    off = 3 * u * (2 * level + gap)
    assert square[AsWritten].error < (2 * gap + off) * off * 1.01 + 4 * u * (gap + off) ** 2
    # where differences may be multiplied out, by roundings of μ²
    assert square[Arithmetic].error > 2 * u * level**2


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.floats(0, 1, exclude_max=True))
def test_an_average_in_either_form_is_within_its_bound(v, x, beta):
    past, new = exact(v), exact(x)
    weight = OPS.add([scalar(1), OPS.multiply([scalar(-1), scalar(beta)])])
    plain = OPS.add([OPS.multiply([scalar(beta), past]), OPS.multiply([weight, new])])
    declared = OPS.averaged(plain, [past])
    with np.errstate(all="ignore"):
        assert within(F(v) + F(1 - beta) * (F(x) - F(v)), declared)
        assert within(F(beta) * F(v) + F(1 - beta) * F(x), declared)


@settings(deadline=None)
@given(ORDINARY, POSITIVE, POSITIVE, st.floats(1e-8, 1))
def test_a_quotient_by_a_root_is_within_its_bound_however_it_is_divided(x, y, z, epsilon):
    root = OPS.root(OPS.add([OPS.multiply([exact(y), exact(z)]), scalar(epsilon)]))
    declared = OPS.chain([(scalar(0.1), False), (root, True), (exact(x), False)])
    with np.errstate(all="ignore"):
        below = np.sqrt(F(y) * F(z) + F(epsilon))
        assert within(F(0.1) / below * F(x), declared)
        assert within(F(0.1) * F(x) / below, declared)
        assert within(F(0.1) * F(x) * (F(1) / below), declared)


@settings(deadline=None)
@given(st.floats(-10, 10, width=32), st.floats(-10, 10, width=32))
def test_elementary_functions_are_within_their_bounds(x, y):
    product = OPS.multiply([exact(x), exact(y)])
    rounded = F(x) * F(y)
    for name, meaning in {
        "exp": rising(HIGH.exp),
        "tanh": rising(HIGH.tanh),
        "sin": waving(HIGH.sin),
        "cos": waving(HIGH.cos),
        "sign": sign,
    }.items():
        with np.errstate(all="ignore"):
            assert within(getattr(np, name)(rounded), meaning(OPS, product)), name


@settings(deadline=None)
@given(st.floats(2.0**-7, 10, width=32), st.floats(-3, 3, width=32))
def test_a_power_is_within_its_bound(x, y):
    base = OPS.multiply([exact(x), exact(x)])
    assert within((F(x) * F(x)) ** F(y), power(OPS, base, exact(y)))
    assert within(F(x) * F(x) * F(x), power(OPS, exact(x), scalar(3)))


def test_the_sign_of_what_rounding_may_turn_is_anything_between():
    third = OPS.multiply([exact(3.0), OPS.reciprocal(exact(9.0))])
    gap = OPS.add([third, OPS.lifted(scalar(-1 / 3))])
    assert sign(OPS, gap).error == 2.0
    assert sign(OPS, exact(-2.0)).error == 0


def test_a_quotient_whose_denominator_may_vanish_has_no_bound():
    small = OPS.multiply([exact(1e-30), exact(1e-30)])
    assert OPS.reciprocal(small).error == math.inf
    assert math.isnan(OPS.reciprocal(exact(0.0)).error)


def test_scalars_are_exact_where_double_precision_is():
    # floor((t - 1)/s) turns exactly at t - 1 = s, so nothing may be granted there
    steps = OPS.chain([(scalar(300), False), (scalar(100), True)])
    assert (steps.value, steps.error) == (3, 0.0)
    assert OPS.chain([(scalar(1), False), (scalar(3), True)]).error > 0


def test_a_maximum_is_as_uncertain_as_what_may_be_largest():
    sure, unsure = exact(5.0), OPS.multiply([exact(0.1), exact(0.3)])
    assert extreme(max)(OPS, [sure, unsure]).error == 0
    assert extreme(min)(OPS, [sure, unsure]).error == pytest.approx(unsure.error)
