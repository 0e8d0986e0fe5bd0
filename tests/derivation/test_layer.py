"""Backward passes of layers: by brute force, by finite differences, and what a mutant would do."""

import mpmath
import pytest
from sympy import Abs, Add, Eq, Expr, Indexed, Mul, Rational, S, Symbol, diff, exp, sqrt

from symopt import Sigma, function, given, hat, layer, parameter, sequence, statistic
from symopt.calculus.normal_form import normal_form
from symopt.derivation.layer import derive_layer
from symopt.derivation.opinions import second_opinion
from symopt.errors import DerivationError
from symopt.nodes import Gradient
from symopt.symbols import epsilon, m
from symopt.symbols import example as i
from symopt.views import canonical, rebuild, signed_terms

x, y = given("x"), sequence("y")
gamma, beta = parameter("gamma"), parameter("beta")
mu, q = statistic("mu"), statistic("q", nonnegative=True)
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))


def made(body):
    def own():
        return body()

    return layer(own)


LAYERS = {
    "root mean square": lambda: {
        "square": Eq(q, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        "normalize": Eq(hat(x)[i], x[i] / sqrt(q + epsilon)),
        "scale": Eq(y[i], gamma * hat(x)[i]),
    },
    "weight standardization": lambda: {
        "mean": MEAN,
        "variance": Eq(q, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m))),
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    },
    "by the mean absolute value": lambda: {
        "size": Eq(q, 1 / m * Sigma(Abs(x[i]), (i, 1, m))),
        "divide": Eq(y[i], x[i] / (epsilon + q)),
    },
    "centring": lambda: {"mean": MEAN, "shift": Eq(y[i], gamma * (x[i] - mu) + beta)},
    "a learned scale between two means": lambda: {
        "mean": MEAN,
        "scale": Eq(sequence("h")[i], gamma * (x[i] - mu) ** 2 + beta),
        "second_mean": Eq(q, 1 / m * Sigma(sequence("h")[i], (i, 1, m))),
        "shift": Eq(y[i], sequence("h")[i] - q),
    },
    "epsilon within the variance": lambda: {
        "mean": MEAN,
        "variance": Eq(q, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m)) + epsilon),
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(2 * q)),
    },
    "softmax": lambda: {
        "total": Eq(q, Sigma(exp(x[i]), (i, 1, m))),
        "share": Eq(y[i], exp(x[i]) / q),
    },
    "fourth powers": lambda: {
        "size": Eq(q, 1 / m * Sigma(x[i] ** 4, (i, 1, m))),
        "divide": Eq(y[i], gamma * x[i] ** 2 / (q + epsilon)),
    },
}


@pytest.fixture(scope="module")
def backward(library):
    found = {name: derive_layer(made(body)) for name, body in LAYERS.items()}
    return {**found, "batch norm": derive_layer(library["batch_norm"])}


NAMES = (*LAYERS, "batch norm")


def numeric(expr, values, elements, size, bound=None):
    """An expression at a point, by mpmath and its own structure."""
    bound = bound or {}
    if isinstance(expr, Gradient):
        return elements["dy"][bound[expr.variable.indices[0]]]
    if isinstance(expr, Sigma):
        places = range(1, size + 1)
        return mpmath.fsum(
            numeric(expr.body, values, elements, size, {**bound, expr.index: k}) for k in places
        )
    if isinstance(expr, Indexed):
        return elements[str(expr.base)][bound[expr.indices[0]]]
    if expr.is_Rational:
        return mpmath.mpf(expr.p) / expr.q
    if isinstance(expr, Symbol):
        return mpmath.mpf(size) if expr == m else values[str(expr)]
    parts = [numeric(part, values, elements, size, bound) for part in expr.args]
    if expr.is_Add:
        return mpmath.fsum(parts)
    if expr.is_Mul:
        return mpmath.fprod(parts)
    if expr.is_Pow:
        return parts[0] ** parts[1]
    return {"Abs": abs, "exp": mpmath.exp, "sign": mpmath.sign}[type(expr).__name__](*parts)


def forward(found, values, inputs):
    """All letters of the forward pass from the input."""
    size = len(inputs)
    values, elements = dict(values), {"x": {k + 1: v for k, v in enumerate(inputs)}}
    for one in found.definitions:
        if one.index is None:
            values[str(one.letter)] = numeric(one.value, values, elements, size)
        else:
            elements[str(one.letter.base)] = {
                k: numeric(one.value, values, elements, size, {one.index: k})
                for k in range(1, size + 1)
            }
    return values, elements


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_a_derived_gradient_is_the_limit_of_finite_differences(backward, name, size):
    """Central differences at 60 digits with a step of 1e-15: their error is about its square."""
    found = backward[name]
    with mpmath.workdps(60):
        start = [mpmath.mpf(3 * k * k - 7) / (k + 2) for k in range(1, size + 1)]
        weights = {k: mpmath.mpf(k + 1) / (7 - k) for k in range(1, size + 1)}
        chosen = {"gamma": "1.7", "beta": "-0.4", "epsilon": "0.3"}
        values = {word: mpmath.mpf(number) for word, number in chosen.items()}

        def loss(inputs, numbers):
            _, elements = forward(found, numbers, inputs)
            return mpmath.fsum(weights[k] * elements["y"][k] for k in weights)

        step = mpmath.mpf(10) ** -15
        numbers, elements = forward(found, values, start)
        elements["dy"] = weights
        for target, form in found.fused:
            if isinstance(target, Indexed):
                for k in range(1, size + 1):
                    moved = [list(start), list(start)]
                    moved[0][k - 1] += step
                    moved[1][k - 1] -= step
                    wanted = (loss(moved[0], values) - loss(moved[1], values)) / (2 * step)
                    got = numeric(canonical(form), numbers, elements, size, {i: k})
                    assert abs(got - wanted) < mpmath.mpf(10) ** -25
            else:
                word = str(target)
                up, down = ({**values, word: values[word] + s * step} for s in (1, -1))
                wanted = (loss(start, up) - loss(start, down)) / (2 * step)
                got = numeric(canonical(form), numbers, elements, size)
                assert abs(got - wanted) < mpmath.mpf(10) ** -25


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_batch_norms_gradient_is_that_of_the_equations_written_out(backward, size):
    """SymPy differentiates the four lines, all sums written out, at exact points."""
    found = backward["batch norm"]
    inputs = [Symbol(f"x_{k}", real=True) for k in range(size)]
    point = {one: Rational(2 * k * k + 3, k + 1) for k, one in enumerate(inputs)}
    weights = [Rational(k + 2, 5 - k) for k in range(size)]
    mean = sum(inputs) / size
    variance = sum((one - mean) ** 2 for one in inputs) / size
    eps, scale = Rational(1, 3), Rational(7, 5)
    pairs = zip(weights, inputs, strict=True)
    loss = sum(w * scale * (one - mean) / sqrt(variance + eps) for w, one in pairs)
    numbers = {"gamma": scale, "beta": S.Zero, "epsilon": eps}
    with mpmath.workdps(50):
        real = {key: mpmath.mpf(one.p) / one.q for key, one in numbers.items()}
        start = [mpmath.mpf(point[one].p) / point[one].q for one in inputs]
        values, elements = forward(found, real, start)
        elements["dy"] = {k + 1: mpmath.mpf(w.p) / w.q for k, w in enumerate(weights)}
        form = canonical(dict(found.fused)[x[i]])
        for k, one in enumerate(inputs):
            wanted = mpmath.mpmathify(diff(loss, one).subs(point).evalf(50))
            assert abs(numeric(form, values, elements, size, {i: k + 1}) - wanted) < 1e-40


def test_batch_norms_gradient_has_the_form_that_papers_print(backward):
    lines = {formula for formula, _, _ in backward["batch norm"].derivation.rows()}
    assert (
        "dL/dxᵢ = γ/√(σ²_B + ε)·(dL/dyᵢ − 1/m·Σ_{j=1..m} dL/dyⱼ − x̂ᵢ/m·Σ_{j=1..m} dL/dyⱼ·x̂ⱼ)"
    ) in lines
    assert "dL/dγ = Σ_{i=1..m} dL/dyᵢ·x̂ᵢ" in lines
    assert "dL/dβ = Σ_{i=1..m} dL/dyᵢ" in lines


def test_the_way_back_is_in_the_words_of_the_author(backward):
    lines = {formula for formula, _, _ in backward["batch norm"].derivation.rows()}
    assert "dL/dx̂ᵢ = γ·dL/dyᵢ" in lines
    assert "dL/dσ²_B = −1/(2·(σ²_B + ε)^(3/2))·Σ_{i=1..m} dL/dx̂ᵢ·(xᵢ − μ_B)" in lines
    assert ("dL/dxᵢ = 1/√(σ²_B + ε)·dL/dx̂ᵢ + 1/m·dL/dμ_B + 2/m·dL/dσ²_B·(xᵢ − μ_B)") in lines


@pytest.mark.parametrize("name", NAMES)
def test_a_line_in_words_is_worth_what_the_chain_rule_gives(backward, name):
    """The lines before the last of each letter, against the chain as SymPy sorts it."""
    found = backward[name]
    shown = {}
    for line in found.derivation.lines:
        shown.setdefault(line.left.variable, []).append(line.right)
    for letter, chain in found.chain:
        if letter in shown:
            assert any(
                normal_form(canonical(one), found.known) == normal_form(chain, found.known)
                for one in shown[letter]
            )


def test_the_way_through_the_variance_vanishes_by_the_mean(backward):
    reasons = [reason for _, reason, _ in backward["batch norm"].derivation.rows()]
    assert "the way through batch_norm.variance vanishes, by batch_norm.mean" in reasons


def mutants(expr):
    """The expression with one term, at any depth, left out, doubled or negated."""
    if isinstance(expr, Add):
        terms = [-term if negative else term for negative, term in signed_terms(expr)]
        for place, term in enumerate(terms):
            for other in (S.Zero, 2 * term, -term):
                kept = [other if k == place else one for k, one in enumerate(terms)]
                yield Add(*kept, evaluate=False)
    if not (expr.is_Indexed or isinstance(expr, Gradient)):
        for place, part in enumerate(expr.args):
            if isinstance(part, Expr):
                for less in mutants(part):
                    arguments = [*expr.args[:place], less, *expr.args[place + 1 :]]
                    yield rebuild(expr, arguments)


@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_of_a_gradient_is_caught_by_proof_and_by_a_number(backward, name):
    found = backward[name]
    for _, form in found.fused:
        true = normal_form(canonical(form), found.known)
        for mutant in mutants(Mul(1, form, evaluate=False)):
            wrong = canonical(mutant)
            assert normal_form(wrong, found.known) != true
            with pytest.raises(AssertionError):
                second_opinion(canonical(form), wrong, found.definitions)


@pytest.mark.parametrize(
    "name", ["layer_norm", "rms_norm", "group_norm", "softmax", "softmax_cross_entropy"]
)
def test_every_mutant_of_a_gradient_of_the_catalogue_is_caught(library, name):
    found = derive_layer(library[name])
    for _, form in found.fused:
        true = normal_form(canonical(form), found.known)
        for mutant in mutants(Mul(1, form, evaluate=False)):
            wrong = canonical(mutant)
            assert normal_form(wrong, found.known) != true
            with pytest.raises(AssertionError):
                second_opinion(canonical(form), wrong, found.definitions)


def test_a_layer_without_an_output_is_refused():
    with pytest.raises(DerivationError) as error:
        derive_layer(made(lambda: {"mean": MEAN}))
    assert str(error.value) == (
        "own ends in no output for each element; let its last equation define y[i]"
    )


def test_a_layer_that_sums_over_no_group_is_taken_element_by_element():
    found = derive_layer(made(lambda: {"scale": Eq(y[i], exp(-x[i]) * x[i])}))
    ((_, form),) = found.fused
    dy = Gradient(function("L"), y[i])
    assert canonical(form - dy * exp(-x[i]) * (1 - x[i])).expand() == 0
