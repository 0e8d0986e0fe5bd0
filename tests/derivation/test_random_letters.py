"""Means over what is drawn: the scale of dropout and others, ensembles, and what does not follow.

The expected numbers come from weighing every mask in fractions, and from integrals.
"""

from fractions import Fraction
from itertools import product

import mpmath
import pytest
from sympy import Eq, Interval, Rational, oo, tanh

from symopt import (
    Bernoulli,
    Expectation,
    Normal,
    Sigma,
    derivations,
    drawn,
    formulas,
    given,
    gradient,
    hyperparameter,
    inference,
    layer,
    parameter,
    random,
    sequence,
    statistic,
    unbias,
    unicode,
    unknown,
)
from symopt.catalog.lecture.dropout import dropout
from symopt.derivation.ensemble import ensemble
from symopt.derivation.enumeration import enumerated
from symopt.derivation.expectations import expected, variance_of
from symopt.derivation.unbiased import answered, scales
from symopt.errors import DerivationError
from symopt.symbols import example as i
from symopt.symbols import m

x, y, h = given("x"), sequence("y"), sequence("h")
r, q, s, a = random("r"), random("q"), unknown("s"), unknown("a")
p = hyperparameter("p", Interval.Ropen(0, 1))
p_2, whole = hyperparameter("p_2", Interval.Ropen(0, 1)), hyperparameter("p", Interval(0, 1))
sigma = hyperparameter("sigma", Interval(0, oo))
mu, gamma = statistic("mu"), parameter("gamma")
MASK = drawn(r[i], Bernoulli(1 - p))
LATER = inference(Eq(y[i], x[i]))
MEAN = Eq(Expectation(y[i]), x[i])


def made(statements, **options):
    def own():
        return statements()

    return layer(**options)(own)


def rows(found):
    return [" ".join(part for part in row if part) for row in found.rows()]


# the lecture's


def test_the_scale_of_dropout_is_derived_line_by_line():
    (found,) = scales(dropout)
    assert rows(found.derivation) == [
        "yᵢ = s·rᵢ·xᵢ dropout.output",
        "E[yᵢ] = s·E[rᵢ]·xᵢ E is linear, all but rᵢ is fixed",
        "E[rᵢ] = 1 − p rᵢ ∼ B(1 − p)",
        "E[yᵢ] = s·(1 − p)·xᵢ put in checked over all values of rᵢ, exact",
        "s = 1/(1 − p) so that E[yᵢ] = xᵢ checked over all values of rᵢ, exact",
    ]


def test_the_scale_is_shown_by_its_right_side_and_put_into_the_gradient():
    shown = {one.id: one.text for one in formulas(dropout)}
    assert shown["dropout.scale"] == r"\frac{1}{1 - p}"
    assert unicode(gradient(dropout, x)) == "1/(1 − p)·dL/dyᵢ·rᵢ"
    assert unicode(answered(dropout).equations[0][1].right) == "1/(1 − p)·rᵢ·xᵢ"


def test_a_linear_map_of_dropout_has_inference_as_its_mean_over_all_drawings():
    found = ensemble(dropout)
    assert found is not None
    assert rows(found)[-6:] == [
        "u = Σ_{i=1..n} wᵢ·yᵢ + b what follows, linear",
        "E[u] = Σ_{i=1..n} wᵢ·E[yᵢ] + b E is linear, wᵢ and b are fixed",
        "E[u] = Σ_{i=1..n} wᵢ·xᵢ + b put in, which is u at inference "
        "checked over all values of rᵢ at n = 1, 2, 3, exact",
        "Var[yᵢ] = E[yᵢ²] − E[yᵢ]² the mean square distance from the mean",
        "Var[yᵢ] = p/(1 − p)·xᵢ² put in",
        "Var[u] = p/(1 − p)·Σ_{i=1..n} wᵢ²·xᵢ² elements are independent "
        "checked over all values of rᵢ at n = 1, 2, 3, exact",
    ]
    assert found in derivations(dropout)


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1, 3), Fraction(4, 5)])
def test_mean_and_variance_over_all_masks_are_those_in_fractions(share):
    """Four units, each of the 16 masks with its chance; the formulas at the same fractions."""
    data, weights = (
        [Fraction(3), Fraction(-1, 2), Fraction(5, 7), Fraction(2)],
        [Fraction(1, 3), Fraction(4), Fraction(-2), Fraction(1, 9)],
    )
    scale = Fraction(str(scales(dropout)[0].value.subs(p, Rational(str(share)))))
    mean = square = Fraction(0)
    for mask in product((0, 1), repeat=4):
        chance = Fraction(1)
        for one in mask:
            chance *= 1 - share if one else share
        u = sum(w * scale * one * z for w, one, z in zip(weights, mask, data, strict=True))
        mean += chance * u
        square += chance * u**2
    assert mean == sum(w * z for w, z in zip(weights, data, strict=True))
    found = ensemble(dropout)
    assert found is not None
    one = found.lines[-2].right.subs({p: Rational(str(share)), x[i]: 1})
    factor = Fraction(str(one))
    assert square - mean**2 == factor * sum(
        (w * z) ** 2 for w, z in zip(weights, data, strict=True)
    )


# others

ANSWERS = {
    "a square of Gaussian noise": (
        {"r": drawn(r[i], Normal(1, sigma**2)), "y": Eq(y[i], s * r[i] ** 2 * x[i])},
        MEAN,
        "1/(1 + σ²)",
    ),
    "two letters, one of them without effect on the mean": (
        {
            "r": MASK,
            "q": drawn(q[i], Normal(1, sigma**2)),
            "y": Eq(y[i], s * r[i] * q[i] * x[i]),
        },
        MEAN,
        "1/(1 − p)",
    ),
    "a target that is no mean of the input": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * x[i])},
        Eq(Expectation(y[i]), 2 * x[i]),
        "2/(1 − p)",
    ),
    "a sum over elements": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * x[i])},
        Eq(Expectation(Sigma(y[i], (i, 1, m))), Sigma(x[i], (i, 1, m))),
        "1/(1 − p)",
    ),
    "a shift rather than a scale": (
        {"r": MASK, "y": Eq(y[i], x[i] + r[i] + s)},
        MEAN,
        "−(1 − p)",
    ),
    "a number on both sides": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * x[i])},
        Eq(Expectation(y[i]) + s * x[i], x[i]),
        "1/(2 − p)",
    ),
    "two chances to be left out": (
        {"r": drawn(r[i], Bernoulli((1 - p) * (1 - p_2))), "y": Eq(y[i], s * r[i] * x[i])},
        MEAN,
        "1/((1 − p)·(1 − p₂))",
    ),
    "a probability in decimals": (
        {"r": drawn(r[i], Bernoulli(0.9)), "y": Eq(y[i], s * r[i] * x[i])},
        MEAN,
        "10/9",
    ),
    "a function of the input": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * tanh(x[i]))},
        Eq(Expectation(y[i]), tanh(x[i])),
        "1/(1 − p)",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_number_follows_for_other_layers_too(case):
    statements, asked, wanted = ANSWERS[case]
    own = made(lambda: {**statements, "s": unbias(s, asked), "later": LATER})
    (found,) = scales(own)
    assert unicode(found.value) == wanted


def test_one_number_may_depend_on_another():
    def statements():
        return {
            "r": MASK,
            "y": Eq(y[i], a + s * r[i] * x[i]),
            "s": unbias(s, Eq(Expectation(y[i]) - a, x[i])),
            "a": unbias(a, Eq(Expectation(y[i]), x[i] + s)),
            "later": LATER,
        }

    assert [unicode(one.value) for one in scales(made(statements))] == ["1/(1 − p)"] * 2


REFUSALS = {
    "no number": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * x[i])},
        Eq(Expectation(y[i]), x[i] ** 2),
        "own.s asks for s, but with E[yᵢ] = xᵢ² it would be xᵢ/(1 − p), which depends on xᵢ; ask "
        "for what one number can give",
    ),
    "not read by what is averaged": (
        {"r": MASK, "h": Eq(h[i], s * x[i]), "y": Eq(y[i], h[i] * r[i])},
        Eq(Expectation(r[i] * x[i]), x[i]),
        "own.s asks for s, on which E[rᵢ·xᵢ] = xᵢ does not depend; let the equations of its left "
        "side read s",
    ),
    "not linear": (
        {"r": MASK, "y": Eq(y[i], s * r[i] * x[i])},
        Eq(Expectation(y[i] ** 2), x[i] ** 2),
        "own.s asks for s, in which E[yᵢ²] = xᵢ² is not linear; let s enter as a factor",
    ),
    "a mean that does not follow": (
        {"r": MASK, "y": Eq(y[i], s * tanh(r[i] * x[i]))},
        MEAN,
        "own.s asks for s, but E[s·tanh(rᵢ·xᵢ)] does not follow from the means of what is drawn; "
        "let random letters enter by products of unlike ones and whole powers",
    ),
    "a product of elements that may be one": (
        {"r": MASK, "y": Eq(y[i], s * x[i] * r[i] * Sigma(r[i], (i, 1, m)))},
        MEAN,
        "own.s asks for s, but E[rᵢ·xᵢ·(Σ_{i=1..m} rᵢ)·s] does not follow from the means of what "
        "is drawn; let random letters enter by products of unlike ones and whole powers",
    ),
    "a division by zero": (
        {"r": drawn(r[i], Bernoulli(1 - whole)), "y": Eq(y[i], s * r[i] * x[i])},
        MEAN,
        "own.s asks for s, which divides by 1 − p, and that may be 0; narrow the range of p",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_has_no_answer_is_refused(case):
    statements, asked, wanted = REFUSALS[case]
    own = made(lambda: {**statements, "s": unbias(s, asked), "later": LATER})
    with pytest.raises(DerivationError) as caught:
        derivations(own)
    assert str(caught.value) == wanted


@pytest.mark.parametrize("power", range(1, 7))
def test_moments_of_a_gaussian_are_its_integrals(power):
    mean, spread = Rational(3, 4), Rational(5, 3)
    found = expected(r[i] ** power, {r: Normal(mean, spread**2)})

    def weighed(z):
        value = float(mean) + float(spread) * z
        return value**power * mpmath.exp(-(z**2) / 2) / mpmath.sqrt(2 * mpmath.pi)

    assert float(found) == pytest.approx(float(mpmath.quad(weighed, [-12, 0, 12])), rel=1e-12)


def test_the_variance_of_a_sum_of_letters_is_that_of_each():
    draws = {r: Bernoulli(p), q: Normal(0, sigma**2)}
    assert variance_of(3 * r[i] + 2 * q[i], draws).equals(9 * p * (1 - p) + 4 * sigma**2)


@pytest.mark.parametrize(
    ("expr", "wrong"),
    [
        (r[i] * x[i], p * x[i]),
        (r[i] ** 2 * x[i], (1 - p) ** 2 * x[i]),
        (Sigma(r[i] * x[i], (i, 1, m)) ** 2, ((1 - p) * Sigma(x[i], (i, 1, m))) ** 2),
        (r[i] * x[i], (1 - p) * x[i] + Rational(1, 10**30)),
    ],
)
def test_a_mean_that_is_wrong_is_noticed_by_weighing_all_values(expr, wrong):
    with pytest.raises(AssertionError, match="is not"):
        enumerated(expr, wrong, {r: Bernoulli(1 - p)})


def test_high_powers_of_a_gaussian_are_not_claimed_to_be_checked():
    draws = {r: Normal(1, sigma**2)}
    assert enumerated(r[i] ** 5, expected(r[i] ** 5, draws), draws)
    assert enumerated(r[i] ** 6, expected(r[i] ** 6, draws), draws) == ""


def test_more_drawings_than_can_be_weighed_are_not_claimed_to_be_checked():
    letters = {random(f"r_{k}"): Bernoulli(1 - p) for k in range(13)}
    product_of = 1
    for one in letters:
        product_of *= one[i]
    assert enumerated(product_of, expected(product_of, letters), letters) == ""
    few = dict(list(letters.items())[:4])
    summed = Sigma(sum(one[i] for one in few), (i, 1, m))
    assert enumerated(summed, expected(summed, few), few)[-2:] == (" = 1, 2, 3", ", exact")


# ensembles


def test_dropout_that_scales_at_inference_is_an_ensemble_too():
    found = ensemble(
        made(
            lambda: {
                "r": MASK,
                "y": Eq(y[i], r[i] * x[i]),
                "l": inference(Eq(y[i], (1 - p) * x[i])),
            }
        )
    )
    assert found is not None
    assert rows(found)[-2:] == [
        "Var[yᵢ] = p·(1 − p)·xᵢ² put in",
        "Var[u] = p·(1 − p)·Σ_{i=1..n} wᵢ²·xᵢ² elements are independent "
        "checked over all values of rᵢ at n = 1, 2, 3, exact",
    ]


def test_gaussian_noise_is_an_ensemble_too():
    found = ensemble(
        made(
            lambda: {
                "r": drawn(r[i], Normal(1, sigma**2)),
                "y": Eq(y[i], r[i] * x[i]),
                "later": LATER,
            }
        )
    )
    assert found is not None
    assert "Var[u] = σ²·Σ_{i=1..n} wᵢ²·xᵢ²" in rows(found)[-1]


def test_a_layer_with_statistics_of_what_is_drawn_is_an_ensemble_without_a_known_variance():
    def statements():
        return {
            "r": MASK,
            "h": Eq(h[i], s * r[i] * x[i]),
            "mu": Eq(mu, 1 / m * Sigma(h[i], (i, 1, m))),
            "y": Eq(y[i], gamma * (h[i] - mu)),
            "s": unbias(s, Eq(Expectation(h[i]), x[i])),
            "later": inference(Eq(h[i], x[i])),
        }

    found = ensemble(made(statements))
    assert found is not None
    assert rows(found)[-1].startswith(
        "E[u] = Σ_{i=1..m} wᵢ·(γ·(xᵢ − 1/m·Σ_{i=1..m} xᵢ)) + b put in"
    )


@pytest.mark.parametrize(
    "statements",
    [
        {"r": MASK, "y": Eq(y[i], r[i] * x[i]), "later": LATER},
        {"r": MASK, "y": Eq(y[i], tanh(r[i] * x[i])), "later": inference(Eq(y[i], tanh(x[i])))},
        {"y": Eq(y[i], 2 * x[i])},
    ],
    ids=["unscaled", "nonlinear", "nothing drawn"],
)
def test_what_is_no_ensemble_has_no_such_fact(statements):
    assert ensemble(made(lambda: statements)) is None
