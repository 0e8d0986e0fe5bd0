"""What an author says to hold, gradients by one letter, and corrected running statistics."""

from fractions import Fraction

import pytest
from sympy import Abs, Eq, Interval, S, exp, sign, sqrt

from symopt import (
    Sigma,
    debias,
    derivations,
    formulas,
    given,
    gradient,
    hat,
    holds,
    hyperparameter,
    layer,
    parameter,
    sequence,
    statistic,
    unicode,
)
from symopt.declaration import SideBySide
from symopt.derivation.api import statements
from symopt.derivation.running import corrections
from symopt.derivation.steps import in_words
from symopt.errors import DerivationError, UsageError
from symopt.symbols import epsilon, m, t
from symopt.symbols import example as i

x, y, w = given("x"), sequence("y"), given("w")
gamma, beta = parameter("gamma"), parameter("beta")
alpha = hyperparameter("alpha", Interval.Lopen(0, 1))
mu_B, mu, q = statistic("mu_B"), statistic("mu"), statistic("q", nonnegative=True)
LINES = {
    "mean": Eq(mu_B, 1 / m * Sigma(x[i], (i, 1, m))),
    "variance": Eq(q, 1 / m * Sigma((x[i] - mu_B) ** 2, (i, 1, m))),
    "normalize": Eq(hat(x)[i], (x[i] - mu_B) / sqrt(q + epsilon)),
    "affine": Eq(y[i], gamma * hat(x)[i] + beta),
}


def made(more, **options):
    def own():
        return {**LINES, **more}

    return layer(**options)(own)


def total(body):
    return Sigma(body, (i, 1, m))


# what holds

TRUE = {
    "deviations add up to nothing": Eq(total(x[i] - mu_B), 0),
    "so do normalized ones": Eq(total(hat(x)[i]), 0),
    "squares of normalized ones": Eq(total(hat(x)[i] ** 2), m * q / (q + epsilon)),
    "the variance by moments": Eq(q, total(x[i] ** 2) / m - mu_B**2),
    "the output's mean": Eq(total(y[i]), m * beta),
}


@pytest.mark.parametrize("case", TRUE)
def test_what_holds_is_a_line_that_is_proved(case):
    lines = derivations(made({"claim": holds(TRUE[case])}))[0].lines
    assert (lines[0].left, lines[0].right) == TRUE[case].args
    _, reason, check = derivations(made({"claim": holds(TRUE[case])}))[0].rows()[0]
    assert reason.startswith("own.claim, by own.")
    assert check == "proved for every m; agrees modulo a prime at m = 1, 2, 3, 5"


FALSE = {
    "inputs add up to nothing": (
        Eq(total(x[i]), 0),
        "own.wrong does not hold: at m = 1, x = (1) the left side is 1, the right side 0; "
        "mend or leave it out",
    ),
    "squares of normalized ones without ε": (
        Eq(total(hat(x)[i] ** 2), m),
        "own.wrong does not hold: at m = 1, x = (1), ε = 1 the left side is 0, the right side 1; "
        "mend or leave it out",
    ),
    "a sum for a mean": (
        Eq(total(x[i]), mu_B),
        "own.wrong does not hold: at m = 2, x = (1, 1) the left side is 2, the right side 1; "
        "mend or leave it out",
    ),
    "the unbiased variance": (
        Eq(total((x[i] - mu_B) ** 2), (m - 1) * q),
        "own.wrong does not hold: at m = 2, x = (1, 2) the left side is 1/2, the right side 1/4; "
        "mend or leave it out",
    ),
    "a mean of the output": (
        Eq(total(y[i]), beta),
        "own.wrong does not hold: at m = 2, x = (1, 1), β = 1, ε = 1, γ = 1 the left side is 2, "
        "the right side 1; mend or leave it out",
    ),
    "a constant": (
        Eq(S.One, m),
        "own.wrong does not hold: at m = 2 the left side is 1, the right side 2; "
        "mend or leave it out",
    ),
    "agrees modulo a prime only": (
        Eq(total(sign(x[i]) * x[i]), total(Abs(x[i]))),
        "own.wrong could not be proved for every m, though it agrees modulo a prime at "
        "m = 1, 2, 3, 5; leave it out",
    ),
    "beyond what residues and normal forms know": (
        Eq(total(exp(x[i]) * exp(-x[i])), m + total(exp(x[i] + mu_B) - exp(mu_B) * exp(x[i]))),
        "own.wrong could not be proved for every m; leave it out",
    ),
}


@pytest.mark.parametrize("case", FALSE)
def test_what_does_not_hold_is_refused_with_numbers_that_show_it(case):
    stated, message = FALSE[case]
    with pytest.raises(DerivationError) as error:
        derivations(made({"wrong": holds(stated)}))
    assert str(error.value) == message


def test_nothing_is_derived_from_a_layer_that_claims_what_is_wrong():
    wrong = made({"wrong": holds(Eq(total(x[i]), 0))})
    with pytest.raises(DerivationError, match=r"own\.wrong does not hold"):
        gradient(wrong, x)


# gradients by one letter


def test_the_gradient_by_a_letter_however_it_is_given(library):
    batch_norm = library["batch_norm"]
    by_input = gradient(batch_norm, x)
    assert by_input == gradient(batch_norm, x[i])
    assert unicode(by_input) == (
        "γ/√(σ²_B + ε)·(dL/dyᵢ − 1/m·Σ_{j=1..m} dL/dyⱼ − x̂ᵢ/m·Σ_{j=1..m} dL/dyⱼ·x̂ⱼ)"
    )
    assert unicode(gradient(batch_norm, gamma)) == "Σ_{i=1..m} dL/dyᵢ·x̂ᵢ"
    assert unicode(gradient(library["layer_norm"], gamma)) == "dL/dyᵢ·x̂ᵢ"


NO_LEAF = {
    "a computed letter": (
        hat(x),
        "batch_norm.normalize computes x̂, so it is no leaf; take the gradient by x, γ or β",
    ),
    "its entry": (
        hat(x)[i],
        "batch_norm.normalize computes x̂, so it is no leaf; take the gradient by x, γ or β",
    ),
    "a statistic": (
        mu_B,
        "batch_norm.mean computes μ_B, so it is no leaf; take the gradient by x, γ or β",
    ),
    "a running statistic": (
        hat(mu),
        "batch_norm.running_mean computes μ̂, so it is no leaf; take the gradient by x, γ or β",
    ),
    "the output": (
        y,
        "batch_norm.affine computes y, so it is no leaf; take the gradient by x, γ or β",
    ),
    "an unknown letter": (
        w,
        "batch_norm has no letter w to take the gradient by; take it by x, γ or β",
    ),
    "a hyperparameter": (
        epsilon,
        "batch_norm has no letter ε to take the gradient by; take it by x, γ or β",
    ),
    "a word": (
        "gamma",
        "batch_norm has no letter 'gamma' to take the gradient by; take it by x, γ or β",
    ),
}


@pytest.mark.parametrize("case", NO_LEAF)
def test_a_letter_that_is_no_leaf_has_no_closed_gradient(library, case):
    letter, message = NO_LEAF[case]
    with pytest.raises(DerivationError) as error:
        gradient(library["batch_norm"], letter)
    assert str(error.value) == message


def test_only_a_layer_has_gradients_by_its_letters(library):
    with pytest.raises(UsageError) as error:
        gradient(library["adam"], x)
    assert str(error.value) == (
        "gradient was given adam, an update rule; give it a layer, such as batch_norm"
    )


# running statistics

RUNNING = {
    "running": Eq(mu, alpha * mu_B + (1 - alpha) * mu),
    "corrected": debias(mu),
}


@pytest.mark.parametrize("weight", [Fraction(1), Fraction(1, 10), Fraction(2, 3)])
@pytest.mark.parametrize("start", [0, 1, Fraction(-5, 2)])
def test_a_corrected_average_of_a_constant_statistic_is_that_constant(weight, start):
    own = made(RUNNING, initial={mu: S(start.numerator) / start.denominator})
    (found,) = corrections(own)
    assert (found.statistic, found.letter) == (mu, hat(mu))
    assert found.value.free_symbols <= {mu, alpha, t}
    state, constant = Fraction(start), Fraction(7, 3)
    for step in range(1, 7):
        state = weight * constant + (1 - weight) * state
        numbers = {mu: state, alpha: weight, t: step}
        exact = {one: S(value.numerator) / value.denominator for one, value in numbers.items()}
        assert found.value.subs(exact) == S(7) / 3


def test_the_request_gives_way_to_what_follows(library):
    declared = library["batch_norm_debiased"]
    shown = {one.id: one.text for one in formulas(declared)}
    assert shown["batch_norm_debiased.bias_correction"] == (
        r"\hat{\mu} = \frac{\mu}{1 - (1 - \alpha)^t} \quad "
        r"\hat{\sigma}^2 = \frac{\sigma^2 - (1 - \alpha)^t}{1 - (1 - \alpha)^t}"
    )
    contents = [one.content for one in statements(declared)]
    assert sum(isinstance(one, SideBySide) for one in contents) == 1
    told = [one for one in derivations(declared) if "from batch_norm" in in_words(one.title)]
    first, second = told
    assert first.rows()[-1][0] == "μ̂ₜ = μₜ/(1 − (1 − α)ᵗ)"
    assert second.rows()[-1][0] == "σ̂²ₜ = (σ²ₜ − (1 − α)ᵗ)/(1 − (1 − α)ᵗ)"


def test_latex_sets_no_second_subscript_to_a_letter(library):
    texts = [one.latex() for one in derivations(library["batch_norm_debiased"])]
    assert any(r"{\mu_B}_t" in one for one in texts)
    assert not any(r"\mu_B_t" in one or r"\sigma_B^2_t" in one for one in texts)


REFUSED = {
    "no start": (
        RUNNING,
        {},
        "own.running reads the past of μ, which has no initial value; "
        "write initial={mu: 0} in the layer, or what else it starts from",
    ),
    "no average": (
        {**RUNNING, "running": Eq(mu, alpha * mu_B + (1 - alpha) * mu**2)},
        {mu: 0},
        "debias(μ) does not apply: own.running makes μₜ no linear function of μₜ₋₁ with a "
        "coefficient free of the data; leave μₜ uncorrected",
    ),
    "weights that change": (
        {**RUNNING, "running": Eq(mu, mu_B / t + (1 - 1 / t) * mu)},
        {mu: 0},
        "debias(μ) does not apply: own.running weights by the step, so that the correction is no "
        "formula of the step alone; use weights that do not change",
    ),
    "no past": (
        {"corrected": debias(mu_B)},
        {},
        "own.corrected corrects μ_B, which no equation updates from its own past; "
        "write its running average",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_running_statistic_that_cannot_be_corrected_is_refused(case):
    lines, initial, message = REFUSED[case]
    own = made(lines, initial=initial)
    for ask in (corrections, derivations, statements):
        with pytest.raises(DerivationError) as error:
            ask(own)
        assert str(error.value) == message
