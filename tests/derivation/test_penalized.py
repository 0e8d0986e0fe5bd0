"""A penalty put into a rule: where the rule read the gradient, it reads that of L + λR."""

import pytest
from sympy import Abs, Eq, Interval, Max, Piecewise, oo, sign, sqrt

from symopt import (
    Sigma,
    d,
    define,
    given,
    hyperparameter,
    initially,
    penalized,
    regularizer,
    sequence,
    slip,
    unicode,
    update_rule,
)
from symopt.derivation.api import derivations, step_gradients
from symopt.errors import SymoptError
from symopt.symbols import (
    G,
    L,
    R,
    alpha,
    beta,
    example,
    f,
    g,
    i,
    lambda_,
    layer,
    m,
    t,
    tau,
    theta,
    v,
    x,
    y,
)

LOSS = d(L(y[example], f(x[example], theta)), theta)
EXAMPLES = (example, 1, m)
w, h = sequence("w"), given("h")
kappa = hyperparameter("kappa", Interval.open(0, oo))


def step(right):
    return {"step": Eq(theta[t + 1], right)}


def penalty(body, name="own", **options):
    def stated():
        return Eq(R(theta), Sigma(body(), layer))

    stated.__name__ = name
    return regularizer(**options)(stated)


def lines(rule):
    """The equations in Unicode, as one reads them."""
    return [f"{unicode(one.left)} = {unicode(one.right)}" for _, one in rule.equations]


def test_the_rule_with_a_penalty_is_a_declaration_like_any_other(library):
    made = penalized(library["adam"], library["elastic_net"])
    assert made.name == "adam_elastic_net"
    assert made.title == "Adam with Elastic Net"
    assert made.source == "slide 'Adam'; slide 'Regularization'"
    assert made.summary == (
        "Adam with Elastic Net: the gradient is that of the loss and of λ times the penalty."
    )
    assert made.default_values == {**library["adam"].default_values, lambda_: 1e-4}
    assert made.id_of("step") == "adam_elastic_net.step"
    assert made == penalized(library["adam"], library["elastic_net"])
    others = [library["adam"], penalized(library["adam"], library["l1"])]
    assert made.fingerprint not in {one.fingerprint for one in others}


def test_the_statements_of_the_rule_stay_but_for_the_gradient_that_they_read(library):
    adam, made = library["adam"], penalized(library["adam"], library["l1"])
    assert unicode(made["penalized_gradient"].right) == "gₜ + λ·sign(θₜ)"
    keys = [one.key for one in made.statements]
    assert keys == ["penalized_gradient", *(one.key for one in adam.statements)]
    (letter,) = {made["penalized_gradient"].left.base}
    for statement in adam.statements:
        old, new = (str(one[statement.key]) for one in (adam, made))
        assert new.replace(str(letter), "g") == old


# how a rule reads its gradient ⇒ what it says with an L1 penalty
READINGS = {
    "a letter that is given": (
        lambda: step(theta[t] - alpha * g[t]),
        ["g̃ₜ = gₜ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ"],
    ),
    "the first of two letters": (
        lambda: step(theta[t] - alpha * g[t] - h[t] * theta[t]),
        ["g̃ₜ = gₜ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ − hₜ·θₜ"],
    ),
    "a derivative beside a letter that is given": (
        lambda: step(theta[t] - g[t] - alpha * d(L, theta)),
        ["gradient̃ₜ = dL/dθ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − gₜ − α·gradient̃ₜ"],
    ),
    "a letter with an equation, by component": (
        lambda: {
            **step(theta[t] - alpha * g[t]),
            "name": define(g[t, i], d(L(theta[t, i]), theta[t, i])),
            "sum": Eq(G[t, i], Sigma(g[tau, i] ** 2, (tau, 1, t))),
        },
        [
            "θₜ₊₁ = θₜ − α·g̃ₜ",
            "g[t,i] = dL(θ[t,i])/dθ[t,i]",
            "g̃[t,i] = g[t,i] + λ·sign(θ[t,i])",
            "G[t,i] = Σ_{τ=1..t} g̃[τ,i]²",
        ],
    ),
    "at a point by component": (
        lambda: {
            "velocity": Eq(
                v[t, i],
                beta * v[t - 1, i] + d(L(theta[t, i] - beta * v[t - 1, i]), theta[t, i]),
            ),
            "start": initially(0, v),
            "step": Eq(theta[t + 1, i], theta[t, i] - alpha * v[t, i]),
        },
        [
            "g̃[t,i] = dL(θ[t,i] − β·v[t−1,i])/dθ[t,i] + λ·sign(θ[t,i] − β·v[t−1,i])",
            "v[t,i] = β·v[t−1,i] + g̃[t,i]",
            "θ[t+1,i] = θ[t,i] − α·v[t,i]",
        ],
    ),
    "parameters that are defined at t": (
        lambda: {"step": Eq(theta[t], theta[t - 1] - alpha * g[t])},
        ["g̃ₜ = gₜ + λ·sign(θₜ₋₁)", "θₜ = θₜ₋₁ − α·g̃ₜ"],
    ),
    "parameters of another letter": (
        lambda: {"step": Eq(w[t + 1], w[t] - alpha * d(L(w), w))},
        ["g̃ₜ = dL(w)/dw + λ·sign(wₜ)", "wₜ₊₁ = wₜ − α·g̃ₜ"],
    ),
    "a sum": (
        lambda: step(theta[t] - alpha * Sigma(LOSS, EXAMPLES)),
        ["g̃ₜ = Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ"],
    ),
    "a mean, its number on the left": (
        lambda: step(theta[t] - 1 / m * (alpha * Sigma(LOSS, EXAMPLES))),
        ["g̃ₜ = 1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ"],
    ),
    "a mean, its number on the right and in company": (
        lambda: step(theta[t] - Sigma(alpha * LOSS, EXAMPLES) * sqrt(m) / (2 * m)),
        [
            "g̃ₜ = 1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ)",
            "θₜ₊₁ = θₜ − α·g̃ₜ·√m/2",
        ],
    ),
    "a mean, its number inside": (
        lambda: step(theta[t] - alpha * Sigma(LOSS / m, EXAMPLES)),
        ["g̃ₜ = 1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ"],
    ),
    "a mean of squares and a mean": (
        lambda: {
            "square": Eq(v[t], Sigma(LOSS**2, EXAMPLES) / m),
            "step": Eq(theta[t + 1], theta[t] - alpha / sqrt(v[t]) / m * Sigma(LOSS, EXAMPLES)),
        },
        [
            "vₜ = Σ_{i=1..m} (dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ))²/m",
            "g̃ₜ = 1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ + λ·sign(θₜ)",
            "θₜ₊₁ = θₜ − α/√vₜ·g̃ₜ",
        ],
    ),
    "a slip": (
        lambda: {
            "step": slip(
                shown=Eq(theta[t + 1], theta[t] + alpha * g[t]),
                meant=Eq(theta[t + 1], theta[t] - alpha * g[t]),
                note="The sign is wrong.",
            )
        },
        ["g̃ₜ = gₜ + λ·sign(θₜ)", "θₜ₊₁ = θₜ − α·g̃ₜ"],
    ),
}


@pytest.mark.parametrize("case", READINGS)
def test_the_penalty_joins_the_gradient_wherever_it_is_read(declare, library, case):
    body, wanted = READINGS[case]
    assert lines(penalized(declare(body), library["l1"])) == wanted


def test_what_is_shown_for_comparison_stays_as_it_is(library):
    made = penalized(library["momentum"], library["l2"])
    assert made["sgd"] == library["momentum"]["sgd"]
    assert [one.key for one in made.statements] == [
        "sgd",
        "penalized_gradient",
        "velocity",
        "step",
    ]


def test_a_key_that_is_taken_is_not_taken_twice(declare, library):
    rule = declare(lambda: {"penalized_gradient": Eq(theta[t + 1], theta[t] - alpha * g[t])})
    keys = [one.key for one in penalized(rule, library["l2"]).statements]
    assert keys == ["penalized_gradient_0", "penalized_gradient"]


def test_the_gradient_of_a_penalty_with_cases_takes_a_branch(declare):
    huber = penalty(
        lambda: Piecewise(
            (theta[layer] ** 2 / 2, Abs(theta[layer]) <= kappa),
            (kappa * Abs(theta[layer]) - kappa**2 / 2, True),
        ),
        defaults={kappa: 0.5},
    )
    made = penalized(declare(lambda: step(theta[t] - alpha * g[t])), huber)
    assert unicode(made["penalized_gradient"].right) == (
        "gₜ + λ·{θₜ if κ ≥ |θₜ|; κ·sign(θₜ) otherwise}"
    )
    assert made.default_values[kappa] == 0.5
    largest = penalty(lambda: Max(Abs(theta[layer]) - kappa, 0))
    made = penalized(declare(lambda: step(theta[t] - alpha * g[t])), largest)
    assert unicode(made["penalized_gradient"].right) == (
        "gₜ + λ·{sign(θₜ) if κ − |θₜ| ≤ 0; 0 otherwise}"
    )


def test_the_derivation_goes_from_the_penalty_to_what_follows_from_the_rule(library):
    found = derivations(library["adagrad"], library["l2"])
    assert [one.rows()[-1][0] for one in found] == [
        "dR(θ)/dθₗ = 2·θₗ",
        "g̃[t,i] = g[t,i] + 2·λ·θ[t,i]",
        "G₀ = 0",
    ]
    assert found[1].rows()[0][0] == "g̃[t,i] = g[t,i] + λ·dR(θ[t,i])/dθ[t,i]"
    _, there, *_ = derivations(library["nesterov"], library["l2"])
    assert there.rows() == (
        (
            "g̃ₜ = dL(θ − γ·vₜ₋₁)/dθ + λ·dR(θₜ − γ·vₜ₋₁)/dθ",
            "the gradient of the loss and λ·R(θ)",
            "",
        ),
        (
            "g̃ₜ = dL(θ − γ·vₜ₋₁)/dθ + 2·λ·(θₜ − γ·vₜ₋₁)",
            "dR(θₜ − γ·vₜ₋₁)/dθ from l2",
            "",
        ),
    )


def test_bias_corrections_follow_as_they_did(rules, library):
    for rule in rules:
        for one in ("l1", "l2", "elastic_net"):
            plain, fused = derivations(rule), derivations(penalized(rule, library[one]))
            assert [len(one.lines) for one in fused] == [len(one.lines) for one in plain]


def test_the_gradient_of_a_step_reaches_the_penalty(library):
    (found,) = step_gradients(penalized(library["sgd"], library["l2"]))
    rows = [formula for formula, _, _ in found.rows()]
    assert "dL/dθₜ = 2·λ·dL/dg̃ₜ + dL/dθₜ₊₁" in rows
    assert "dL/dλ = Σ_j 2·θₜ·dL/dg̃ₜ" in rows


OTHER = hyperparameter("alpha", Interval(0, 1))
REFUSED = {
    "no gradient": (
        lambda: step(beta * theta[t]),
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule reads no gradient, to which that of a penalty could be added; let an equation read "
        "g[t] or d(L(theta), theta)",
    ),
    "a weight of the rule's own": (
        lambda: step(theta[t] - alpha * (g[t] + lambda_ * theta[t])),
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule has a letter λ of its own, which is to be the weight of the penalty; give its own "
        "another name, in Python too",
    ),
    "a weight of the penalty's own": (
        lambda: step(theta[t] - alpha * g[t]),
        lambda: penalty(lambda: lambda_ * theta[layer] ** 2),
        "own holds λ, by which the whole penalty is weighed beside a loss; leave it out, or call "
        "it by another letter",
    ),
    "a letter of both": (
        lambda: step(theta[t] - alpha * g[t]),
        lambda: penalty(lambda: alpha * Abs(theta[layer])),
        "rule and own both have the letter α, which would stand for two things; give one of them "
        "another, in Python too",
    ),
    "a letter of both with another range": (
        lambda: step(theta[t] - alpha * g[t]),
        lambda: penalty(lambda: OTHER * Abs(theta[layer])),
        "rule and own both have the letter α, which would stand for two things; give one of them "
        "another, in Python too",
    ),
    "a letter under a tilde": (
        lambda: {
            "own": Eq(sequence("g_tilde")[t], 2 * g[t]),
            **step(theta[t] - sequence("g_tilde")[t]),
        },
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule has a letter g̃ of its own, which is to be the penalized gradient; give its own "
        "another name, in Python too",
    ),
    "two gradients": (
        lambda: {
            "sum": Eq(v[t], Sigma(LOSS, EXAMPLES)),
            "step": Eq(theta[t + 1], theta[t] - alpha * v[t] - 1 / m * Sigma(LOSS, EXAMPLES)),
        },
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule reads the gradient as Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ and as "
        "1/m·Σ_{i=1..m} dL(yᵢ, f(xᵢ, θ))/dθ, so that it does not follow to which a penalty is "
        "added; read it in one way",
    ),
    "a mean whose number stands elsewhere": (
        lambda: {
            "sum": Eq(v[t], Sigma(LOSS, EXAMPLES)),
            "step": Eq(theta[t + 1], theta[t] - alpha / m * v[t]),
        },
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule.step holds the number m apart from the sum of gradients, so that it does not follow "
        "how much a penalty counts beside it; write the mean as a product, 1/m*Sigma(…)",
    ),
    "a sum of squares": (
        lambda: step(theta[t] - alpha * Sigma(LOSS**2, EXAMPLES)),
        lambda: penalty(lambda: theta[layer] ** 2),
        "rule.step sums (dL(yᵢ, f(xᵢ, θ))/dθ)², which holds the gradients of single examples, so "
        "that a penalty would count once for each; divide the sum by their number m, for a mean",
    ),
    "a penalty without a slope": (
        lambda: step(theta[t] - alpha * g[t]),
        lambda: penalty(lambda: sign(theta[layer])),
        "own has the derivative 0 wherever it has one, so that it would move no parameter; let it "
        "grow with them",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_stand_for_two_things_is_refused(declare, case):
    body, made, sentence = REFUSED[case]
    with pytest.raises(SymoptError) as error:
        penalized(declare(body), made())
    assert str(error.value) == sentence


def test_a_penalty_is_not_put_in_twice(library):
    once = penalized(library["adam"], library["l1"])
    with pytest.raises(SymoptError, match="adam_l1 has a letter λ of its own"):
        penalized(once, library["l2"])


def test_anything_else_than_a_rule_and_a_regularizer_is_refused(library):
    for wrong, shown in (
        ((library["l2"], library["adam"]), "l2, a regularizer"),
        ((library["adam"], library["cosine"]), "cosine, a schedule"),
        ((library["adam"], "l2"), "'l2'"),
    ):
        with pytest.raises(SymoptError) as error:
            penalized(*wrong)
        assert str(error.value) == (
            f"penalized was given {shown}; give it an update rule and a regularizer, such as "
            "penalized(adam, l2)"
        )


def test_a_rule_from_its_decorator_keeps_its_body_in_view(library):
    """The equations are written ones: nothing was evaluated on the way."""

    @update_rule
    def rule():
        return step(theta[t] - alpha / 2 * (g[t] + g[t]))

    assert lines(penalized(rule, library["l2"]))[1] == "θₜ₊₁ = θₜ − α/2·(g̃ₜ + g̃ₜ)"
