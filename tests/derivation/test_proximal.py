"""The proximal step of a penalty, from its definition, for penalties convex in pieces."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, And, Eq, Interval, Max, Min, Piecewise, Rational, Symbol, exp, log, oo, sign

from symopt import Norm, Sigma, hyperparameter, regularizer, unicode
from symopt.derivation.api import derivations, not_derived
from symopt.derivation.brute_force import check_minima
from symopt.derivation.penalty import derive_penalty
from symopt.derivation.pieces import compare, pieces
from symopt.derivation.proximal import derive_proximal
from symopt.derivation.signs import nonnegative, positive
from symopt.errors import DerivationError
from symopt.symbols import R, kappa, lambda_, layer, theta

Z = theta[layer]
z, u = Symbol("z", real=True), Symbol("u", real=True)
delta = hyperparameter("delta", Interval.open(0, oo))
rho = hyperparameter("rho", Interval(0, 1))
tau = hyperparameter("tau", Interval(0, oo))


def penalty(body):
    @regularizer
    def own():
        return Eq(R(theta), Sigma(body(), layer))

    return derive_penalty(own)


def huber():
    outer = delta * Abs(Z) - delta**2 / 2
    return Piecewise((Z**2 / 2, Abs(Z) <= delta), (outer, True))


# a penalty of one component ⇒ its closed form, and r written in Python for δ = ρ = τ = 1/2
OWN = {
    "the square": (lambda: Norm(Z) ** 2, "u/(1 + 2·κ)", lambda x: x * x),
    "the absolute value": (lambda: Abs(Z), "sign(u)·max(0, |u| − κ)", abs),
    "both": (
        lambda: Abs(Z) + Norm(Z) ** 2,
        "sign(u)·max(0, |u| − κ)/(1 + 2·κ)",
        lambda x: abs(x) + x * x,
    ),
    "both, mixed": (
        lambda: rho * Abs(Z) + (1 - rho) / 2 * Z**2,
        "sign(u)·max(0, |u| − κ·ρ)/(1 + (1 − ρ)·κ)",
        lambda x: abs(x) / 2 + x * x / 4,
    ),
    "Huber's function": (
        huber,
        "sign(u)·{|u|/(1 + κ) if |u| ≤ δ + δ·κ; |u| − δ·κ otherwise}",
        lambda x: x * x / 2 if 2 * abs(x) <= 1 else abs(x) / 2 - Fraction(1, 8),
    ),
    "a margin": (
        lambda: Max(Abs(Z) - delta, 0),
        "sign(u)·{|u| if |u| ≤ δ; δ if |u| ≤ δ + κ; |u| − κ otherwise}",
        lambda x: max(abs(x) - Fraction(1, 2), 0),
    ),
    "one side": (
        lambda: Max(Z, 0),
        "{u if u ≤ 0; 0 if u ≤ κ; u − κ otherwise}",
        lambda x: max(x, 0),
    ),
    "two slopes": (
        lambda: Max(tau * Z, (tau - 1) * Z),
        "{u − κ·(τ − 1) if u ≤ κ·(τ − 1); 0 if u ≤ κ·τ; u − κ·τ otherwise}",
        lambda x: abs(x) / 2,
    ),
    "around one": (lambda: (Z - 1) ** 2, "(u + 2·κ)/(1 + 2·κ)", lambda x: (x - 1) ** 2),
    "three kinks": (
        lambda: Abs(Z) + Max(Abs(Z) - 1, 0),
        "sign(u)·{0 if |u| ≤ κ; |u| − κ if |u| ≤ 1 + κ; 1 if |u| ≤ 1 + 2·κ; |u| − 2·κ otherwise}",
        lambda x: abs(x) + max(abs(x) - 1, 0),
    ),
    "decimals": (
        lambda: 0.3 * Abs(Z) + 0.1 * Z**2,
        "sign(u)·max(0, |u| − 3·κ/10)/(1 + κ/5)",
        lambda x: Fraction(3, 10) * abs(x) + x * x / 10,
    ),
    "a line and a square": (
        lambda: Piecewise((Z**2, Z > 0), (-Z, True)),
        "{u + κ if u ≤ −κ; 0 if u ≤ 0; u/(1 + 2·κ) otherwise}",
        lambda x: x * x if x > 0 else -x,
    ),
    "the square beyond a margin": (
        lambda: Piecewise((0, And(Z > -1, Z < 1)), (Z**2 - 1, True)),
        "sign(u)·{|u| if |u| ≤ 1; 1 if |u| ≤ 1 + 2·κ; |u|/(1 + 2·κ) otherwise}",
        lambda x: max(x * x - 1, 0),
    ),
}


@pytest.mark.parametrize("case", OWN)
def test_the_closed_form_is_found(case):
    body, form, _ = OWN[case]
    assert unicode(derive_proximal(penalty(body)).value) == form


FORMS = {case: derive_proximal(penalty(body)).value for case, (body, _, _) in OWN.items()}
fractions = st.fractions(-5, 5, max_denominator=64)


@settings(max_examples=25, deadline=None)
@given(fractions, fractions.map(abs), st.lists(fractions, min_size=5, max_size=5))
@pytest.mark.parametrize("case", OWN)
def test_no_other_place_is_better(case, at, weight, places):
    """In exact fractions, r written by hand; near the minimum as well as anywhere."""
    r = OWN[case][2]
    half = Rational(1, 2)
    numbers = {delta: half, rho: half, tau: half, kappa: Rational(weight), u: Rational(at)}
    found = FORMS[case].subs(numbers).doit()
    best = Fraction(int(found.p), int(found.q))

    def cost(x):
        return (x - at) ** 2 / 2 + weight * r(x)

    near = [best + side * Fraction(1, 10**k) for k in range(1, 9) for side in (-1, 1)]
    assert all(cost(best) <= cost(x) for x in (*places, *near, Fraction(0), at))


def test_each_line_of_l1_has_its_reason(library):
    _, found = derivations(library["l1"])
    rows = [(formula, reason) for formula, reason, _ in found.rows()]
    step = "prox_κR(u)"
    assert rows == [
        ("r(z) = |z|", "l1, of one component"),
        (f"{step} = argmin_z (1/2·(z − u)² + κ·r(z))", "by definition, for one component"),
        (
            "dr(z)/dz = {−1 if z < 0; 1 otherwise}",
            "it never falls: r is convex, and there is one minimum",
        ),
        (f"{step} = u + κ", "0 = z − u − κ where z < 0, so if u < −κ"),
        (
            f"{step} = 0",
            "at the kink, where the derivative jumps from −u − κ to −u + κ: past 0 if u ≥ −κ and "
            "u ≤ κ",
        ),
        (f"{step} = u − κ", "0 = z − u + κ where z > 0, so if u > κ"),
        (f"{step} = {{u + κ if u ≤ −κ; 0 if u ≤ κ; u − κ otherwise}}", "the cases together"),
        (f"{step} = sign(u)·max(0, |u| − κ)", "r(−z) = r(z)"),
    ]
    checks = [check for _, _, check in found.rows()]
    assert checks == [""] * 3 + ["checked against 81 other places, exact"] * 5
    assert r"\operatorname{prox}_{\kappa R}(u) &= \operatorname*{arg\,min}_z" in found.latex()


def test_the_check_notices_a_wrong_formula():
    cases = [(-oo, -kappa), (-kappa, kappa), (kappa, oo)]
    right = sign(u) * Max(Abs(u) - kappa, 0)
    assert check_minima(Abs(z), z, u, cases, [right]).startswith("checked")
    for wrong in (sign(u) * Max(Abs(u) - 2 * kappa, 0), Max(u - kappa, 0), right / (1 + kappa), u):
        with pytest.raises(AssertionError):
            check_minima(Abs(z), z, u, cases, [wrong])


REFUSED = {
    "a logarithm": (
        lambda: log(1 + Z**2),
        "it holds log(1 + z²), which is no polynomial between kinks; let it be made of sums, "
        "products, whole powers, Abs, Max, Min and Piecewise",
    ),
    "an exponential": (
        lambda: exp(Abs(Z)),
        "it holds exp(|z|), which is no polynomial between kinks; let it be made of sums, "
        "products, whole powers, Abs, Max, Min and Piecewise",
    ),
    "a root": (
        lambda: Abs(Z) ** Rational(1, 2),
        "it holds √(|z|), which is no polynomial between kinks; let powers be whole",
    ),
    "a fourth power": (
        lambda: Z**4,
        "it is z⁴, which is of a higher degree than the second; no closed form is looked for there",
    ),
    "a third power between kinks": (
        lambda: Abs(Z) ** 3,
        "it is −z³ where z < 0, which is of a higher degree than the second; no closed form is "
        "looked for there",
    ),
    "a tip": (
        lambda: -Abs(Z),
        "its slope goes from 1 to −1 at 0, of which it does not follow that it never falls; let "
        "it be convex, so that there is one minimum",
    ),
    "a hill": (
        lambda: Min(Z**2, 1),
        "its slope goes from 0 to −2 at −1, of which it does not follow that it never falls; let "
        "it be convex, so that there is one minimum",
    ),
    "a square that may be subtracted": (
        lambda: tau * Z**2 - rho * Z**2,
        "its second derivative is 2·τ − 2·ρ, of which it does not follow that it is never below "
        "0; let it be convex, so that there is one minimum",
    ),
    "a jump": (
        lambda: Piecewise((Z, Z > 1), (0, True)),
        "it jumps at 1; let it be continuous, or no point need be the best",
    ),
    "a point": (
        lambda: Piecewise((5, Eq(Z, 0)), (Z**2, True)),
        "it jumps at 0; let it be continuous, or no point need be the best",
    ),
    "no last case": (
        lambda: Piecewise((Z, Z > 0), (-Z, Z < -1)),
        "it holds {z if z > 0; −z if z < −1}, which has no last case for everything else; end it "
        "with (value, True)",
    ),
    "a slope of unknown sign": (
        lambda: Max(hyperparameter("free") * Z, 0),
        "it is not known whether free is above or below 0; give its letters ranges from which it "
        "follows",
    ),
    "kinks of unknown order": (
        lambda: Abs(Z - tau) + Abs(Z - rho),
        "it is not known which of ρ and τ is the larger; give their letters ranges from which it "
        "follows",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_closed_form_is_refused_with_the_reason(case):
    body, reason = REFUSED[case]
    made = penalty(body)
    with pytest.raises(DerivationError) as error:
        derive_proximal(made)
    assert str(error.value) == f"own has no proximal step, for {reason}"
    assert not_derived(made.regularizer) == (str(error.value),)
    assert len(derivations(made.regularizer)) == 1


def test_a_letter_for_the_weight_is_left_to_the_step():
    with pytest.raises(DerivationError) as error:
        derive_proximal(penalty(lambda: kappa * Abs(Z)))
    assert str(error.value) == (
        "own has no proximal step, for it has a letter κ of its own, which is to be the weight of "
        "the step; give its own another name, in Python too"
    )


def test_letters_of_the_penalty_are_not_taken_for_places():
    own = hyperparameter("u", Interval.open(0, oo))
    assert unicode(derive_proximal(penalty(lambda: own * Abs(Z))).value) == (
        "sign(u_0)·max(0, |u_0| − κ·u)"
    )


def test_the_subgradient_is_told_at_every_kink():
    found = penalty(lambda: Max(Abs(Z - 1) - delta, 0)).derivation
    assert [row[:2] for row in found.rows()[2:]] == [
        ("dR(θ)/dθₗ = −1", "at θₗ = 1 − δ, chosen among the subgradients from −1 to 0"),
        ("dR(θ)/dθₗ = 1", "at θₗ = 1 + δ, chosen among the subgradients from 0 to 1"),
    ]
    found = penalty(lambda: -Abs(Z)).derivation
    assert found.rows()[-1][:2] == ("dR(θ)/dθₗ = 0", "at θₗ = 0, between the slopes 1 and −1")
    found = penalty(lambda: log(1 + Abs(Z))).derivation
    assert found.rows()[-1][:2] == (
        "dR(θ)/dθₗ = 0",
        "at θₗ = 0, chosen among the subgradients from −1 to 1",
    )


# functions in pieces, and signs


def test_pieces_are_what_the_function_is_between_kinks():
    one = pieces(Abs(Abs(z) - 1) - Min(z, 2, z**2), z)
    assert one.kinks == (-1, 0, 1, 2)
    for low, part, high in one.intervals:
        edges = (max(low, -3), min(high, 3))
        for k in range(1, 8):
            place = edges[0] + Rational(k, 8) * (edges[1] - edges[0])
            whole = Abs(Abs(place) - 1) - Min(place, 2, place**2)
            assert part.subs(z, place) == whole


def test_a_kink_at_which_nothing_changes_is_none():
    assert pieces(Piecewise((z**2, z > delta), (z**2, True)), z).kinks == ()
    assert pieces(Abs(z) * Abs(z), z).kinks == ()


@pytest.mark.parametrize(
    ("expr", "above", "not_below"),
    [
        (1 - rho, False, True),
        (1 + kappa * (1 - rho), True, True),
        (delta - rho * delta, False, True),
        (delta / (1 + tau), True, True),
        (-tau / delta, False, False),
        (tau - rho, False, False),
        (2 - rho, True, True),
        (rho * tau, False, True),
        (1 / (rho - 2), False, False),
        (hyperparameter("free") + 1, False, False),
        (hyperparameter("free") ** 2, False, True),
        (delta + tau, True, True),
    ],
)
def test_signs_hold_for_all_values_in_the_ranges(expr, above, not_below):
    assert (positive(expr), nonnegative(expr)) == (above, not_below)


def test_the_order_of_numbers_is_known_only_from_their_ranges():
    assert compare(-delta, delta) == -1
    assert compare(2 * delta, delta) == 1
    assert compare((delta + 1) ** 2, delta**2 + 2 * delta + 1) == 0
    with pytest.raises(DerivationError, match="which of δ and ρ is the larger"):
        compare(rho, delta)


def test_the_weight_of_a_loss_is_no_letter_of_the_penalty():
    with pytest.raises(DerivationError, match="own holds λ, by which the whole penalty is weighed"):
        derive_proximal(penalty(lambda: lambda_ * Abs(Z)))
