"""Facts about layers: each against plain numbers, none listed that does not hold."""

from fractions import Fraction

import mpmath
import pytest
from sympy import Abs, Eq, Indexed, Symbol, exp, sqrt

from symopt import Sigma, derivations, given, hat, inference, layer, parameter, sequence, statistic
from symopt.calculus.normal_form import normal_form
from symopt.derivation.folding import folding
from symopt.derivation.invariance import Change, invariance, invariances
from symopt.derivation.layer import derive_layer
from symopt.derivation.merging import mergings
from symopt.derivation.opinions import opinion_on_images, second_opinion
from symopt.derivation.orthogonality import orthogonality
from symopt.derivation.steps import in_words
from symopt.nodes import Gradient
from symopt.printing.unicode import unicode
from symopt.symbols import epsilon, m
from symopt.symbols import example as i
from symopt.views import canonical

x, z, y = given("x"), given("z"), sequence("y")
gamma, beta = parameter("gamma"), parameter("beta")
mu, q, v = statistic("mu"), statistic("q", nonnegative=True), statistic("v")
MEAN = Eq(mu, 1 / m * Sigma(x[i], (i, 1, m)))
VARIANCE = Eq(q, 1 / m * Sigma((x[i] - mu) ** 2, (i, 1, m)))
NORMALIZE = Eq(hat(x)[i], (x[i] - mu) / sqrt(q + epsilon))


def made(body, **options):
    def own():
        return body()

    return layer(**options)(own)


OWN = {
    "weight standardization": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    },
    "mean absolute value": {
        "size": Eq(q, 1 / m * Sigma(Abs(x[i]), (i, 1, m))),
        "divide": Eq(y[i], x[i] / (epsilon + q)),
    },
    "mean absolute deviation": {
        "mean": MEAN,
        "size": Eq(q, 1 / m * Sigma(Abs(x[i] - mu), (i, 1, m))),
        "divide": Eq(y[i], (x[i] - mu) / (epsilon + q)),
    },
    "variance by moments": {
        "mean": MEAN,
        "square": Eq(v, 1 / m * Sigma(x[i] ** 2, (i, 1, m))),
        "variance": Eq(q, v - mu**2),
        "normalize": Eq(y[i], (x[i] - mu) / sqrt(q + epsilon)),
    },
    "residual": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": NORMALIZE,
        "add": Eq(y[i], gamma * hat(x)[i] + x[i]),
    },
    "centring": {"mean": MEAN, "shift": Eq(y[i], gamma * (x[i] - mu) + beta)},
    "softmax": {
        "total": Eq(q, Sigma(exp(x[i]), (i, 1, m))),
        "share": Eq(y[i], exp(x[i]) / q),
    },
    "an epsilon of its own beside the root": {
        "mean": MEAN,
        "variance": VARIANCE,
        "normalize": Eq(y[i], epsilon * (x[i] - mu) / sqrt(q + epsilon)),
    },
}


@pytest.fixture(scope="module")
def backward(library):
    found = {name: derive_layer(made(lambda one=one: one)) for name, one in OWN.items()}
    names = ("batch_norm", "layer_norm", "instance_norm", "group_norm", "rms_norm")
    return {**found, **{name: derive_layer(library[name]) for name in names}}


def numeric(expr, letters, elements, bound=None):
    """An expression at a point by its own structure; letters and elements go by their names."""
    bound = bound or {}
    if isinstance(expr, Gradient):
        variable = expr.variable
        return elements[f"dL/d{unicode(variable.base)}"][bound[variable.indices[0]] - 1]
    if isinstance(expr, Sigma):
        last = int(numeric(expr.bounds[1], letters, elements, bound))
        places = range(1, last + 1)
        return sum(numeric(expr.body, letters, elements, {**bound, expr.index: k}) for k in places)
    if isinstance(expr, Indexed):
        return elements[unicode(expr.base)][bound[expr.indices[0]] - 1]
    if expr.is_Rational:
        return Fraction(expr.p, expr.q)
    if isinstance(expr, Symbol):
        return letters[unicode(expr)]
    parts = [numeric(part, letters, elements, bound) for part in expr.args]
    if expr.is_Add:
        return sum(parts)
    if expr.is_Mul:
        product = 1
        for part in parts:
            product *= part
        return product
    if expr.is_Pow:
        exact = parts[1].denominator == 1
        return parts[0] ** (parts[1] if exact else mpmath.mpf(parts[1].numerator) / 2)
    return {"Abs": abs, "exp": lambda u: mpmath.exp(mpmath.mpf(u.numerator) / u.denominator)}[
        type(expr).__name__
    ](*parts)


def close(one, other):
    return abs(real(one) - real(other)) < mpmath.mpf(10) ** -30


def data(size, seed=0):
    return [Fraction((3 * k * k + 5 * seed) % 11 - 4, k % 3 + 1) for k in range(1, size + 1)]


def real(number):
    if isinstance(number, Fraction):
        return mpmath.mpf(number.numerator) / number.denominator
    return mpmath.mpf(number)


# plain forward passes, by hand


def plain_mean(xs):
    return sum(xs) / len(xs)


def plain_variance(xs):
    mean = plain_mean(xs)
    return sum((one - mean) ** 2 for one in xs) / len(xs)


def plain_standard(xs, eps):
    root = mpmath.sqrt(real(plain_variance(xs) + eps))
    return [real(one - plain_mean(xs)) / root for one in xs]


def plain_rms(xs, eps):
    root = mpmath.sqrt(real(sum(one**2 for one in xs) / len(xs) + eps))
    return [real(one) / root for one in xs]


PLAIN = {
    "batch_norm": plain_standard,
    "layer_norm": plain_standard,
    "instance_norm": plain_standard,
    "group_norm": plain_standard,
    "weight standardization": plain_standard,
    "variance by moments": plain_standard,
    "rms_norm": plain_rms,
    "mean absolute value": lambda xs, eps: [u / (eps + plain_mean(list(map(abs, xs)))) for u in xs],
    "mean absolute deviation": lambda xs, eps: [
        (u - plain_mean(xs)) / (eps + plain_mean([abs(w - plain_mean(xs)) for w in xs])) for u in xs
    ],
    "centring": lambda xs, _: [u - plain_mean(xs) for u in xs],
}
POWER = {"mean absolute value": 1, "mean absolute deviation": 1}
SHIFT = {name for name in PLAIN if name not in ("rms_norm", "mean absolute value")}
SCALE = set(PLAIN) - {"centring"}


# invariance


def listed(found):
    titles = [in_words(one.title) for one in invariances(found)]
    return {"shift" if "shifted" in one else "scale" for one in titles}


@pytest.mark.parametrize("name", [*OWN, "batch_norm", "layer_norm", "group_norm", "rms_norm"])
def test_an_invariance_is_listed_where_it_holds_and_nowhere_else(backward, name):
    shift = {*SHIFT, "an epsilon of its own beside the root"}
    wanted = {kind for kind, names in (("shift", shift), ("scale", SCALE)) if name in names}
    assert listed(backward[name]) == wanted


@pytest.mark.parametrize("size", range(1, 7))
@pytest.mark.parametrize("name", sorted(SHIFT))
def test_a_shift_changes_no_output_in_plain_numbers(name, size):
    xs, eps = data(size), Fraction(1, 3)
    shifted = [one + Fraction(7, 2) for one in xs]
    pairs = zip(PLAIN[name](xs, eps), PLAIN[name](shifted, eps), strict=True)
    with mpmath.workdps(50):
        assert all(close(real(one), real(other)) for one, other in pairs)


@pytest.mark.parametrize("size", range(2, 7))
@pytest.mark.parametrize("name", sorted(SCALE))
def test_a_scale_changes_no_output_where_epsilon_scales_along_as_the_proof_says(
    backward, name, size
):
    a, eps, xs = Fraction(5, 3), Fraction(1, 3), data(size)
    (proof,) = [one for one in invariances(backward[name]) if "multiplied" in str(one)]
    (along,) = [canonical(line.right) for line in proof.lines if unicode(line.left) == "ε′"]
    assert along == Symbol("a", positive=True) ** POWER.get(name, 2) * epsilon
    with mpmath.workdps(50):
        old = [real(one) for one in PLAIN[name](xs, eps)]
        scaled = [a * one for one in xs]
        new = PLAIN[name](scaled, eps * a ** POWER.get(name, 2))
        assert all(close(one, real(other)) for one, other in zip(old, new, strict=True))
        # ε as it was would not do
        same = PLAIN[name](scaled, eps)
        assert not all(close(one, real(other)) for one, other in zip(old, same, strict=True))


@pytest.mark.parametrize("size", range(1, 7))
def test_each_line_of_batch_norms_invariance_is_right_in_plain_numbers(backward, size):
    xs, eps, a, b = data(size), Fraction(1, 3), Fraction(5, 3), Fraction(7, 2)
    shift, scale = invariances(backward["batch_norm"])
    with mpmath.workdps(50):
        for proof, changed, its_eps in (
            (shift, [one + b for one in xs], eps),
            (scale, [a * one for one in xs], a**2 * eps),
        ):
            old, new = everything(xs, eps), everything(changed, its_eps)
            letters, elements = {**old[0], "a": a, "b": b}, old[1]
            for line in proof.lines:
                name = unicode(getattr(line.left, "base", line.left)).replace("′", "")
                indexed = isinstance(line.left, Indexed)
                for k in range(1, size + 1):
                    wanted = new[1][name][k - 1] if indexed else new[0][name]
                    assert close(numeric(canonical(line.right), letters, elements, {i: k}), wanted)


def everything(xs, eps, weights=None):
    """All letters of batch normalization at γ = 7/5, β = −2/3, with plain names."""
    standard = plain_standard(xs, eps)
    letters = {
        "m": len(xs),
        "ε": real(eps),
        "γ": real(Fraction(7, 5)),
        "β": real(Fraction(-2, 3)),
        "μ_B": real(plain_mean(xs)),
        "σ²_B": real(plain_variance(xs)),
    }
    ys = [letters["γ"] * one + letters["β"] for one in standard]
    return letters, {"x": list(map(real, xs)), "x̂": standard, "y": ys, "dL/dy": weights}


def test_a_change_that_is_no_invariance_has_no_proof(backward):
    a = Symbol("a", positive=True)
    for name in ("batch_norm", "rms_norm", "weight standardization"):
        assert invariance(backward[name], Change(x[i], x[i] ** 2, a, a)) is None


def test_images_that_are_wrong_are_caught_modulo_a_prime(backward):
    found = backward["weight standardization"]
    b = Symbol("b", real=True)
    images = {x: (i, x[i] + b), mu: (None, mu + b), q: (None, q), y: (i, y[i])}
    assert opinion_on_images(images, found.definitions, b) == "1, 2, 3, 5"
    for wrong in ({mu: (None, mu)}, {q: (None, 2 * q)}, {y: (i, -y[i])}):
        with pytest.raises(AssertionError):
            opinion_on_images({**images, **wrong}, found.definitions, b)


def test_a_layer_of_two_inputs_is_looked_at_by_each_alone():
    both = derive_layer(
        made(lambda: {"mean": MEAN, "add": Eq(y[i], (x[i] - mu) * z[i])}),
    )
    assert [in_words(one.title) for one in invariances(both)] == [
        "output of Own unchanged when every xᵢ is shifted by b"
    ]


# sums of the gradient


def plain_gradient(xs, eps, weights):
    """dL/dx of batch normalization by central differences; the error is about the step's square."""
    step = mpmath.mpf(10) ** -20

    def loss(inputs):
        mean = mpmath.fsum(inputs) / len(inputs)
        spread = mpmath.fsum((one - mean) ** 2 for one in inputs) / len(inputs)
        root = mpmath.sqrt(spread + real(eps))
        pairs = zip(weights, inputs, strict=True)
        return mpmath.mpf(7) / 5 * mpmath.fsum(w * (one - mean) / root for w, one in pairs)

    start = list(map(real, xs))
    found = []
    for place in range(len(xs)):
        up, down = list(start), list(start)
        up[place] += step
        down[place] -= step
        found.append((loss(up) - loss(down)) / (2 * step))
    return found


@pytest.mark.parametrize("size", range(1, 7))
def test_sums_of_batch_norms_gradient_in_plain_numbers(backward, size):
    xs, eps = data(size), Fraction(1, 3)
    (proof,) = orthogonality(backward["batch_norm"])
    alone, along = proof.lines
    assert alone.right == 0
    with mpmath.workdps(80):
        weights = [mpmath.mpf(k * k + 2) / (k + 3) for k in range(size)]
        slopes = plain_gradient(xs, eps, weights)
        assert close(mpmath.fsum(slopes), 0)
        letters, elements = everything(xs, eps, weights)
        pairs = zip(slopes, elements["x̂"], strict=True)
        wanted = mpmath.fsum(one * other for one, other in pairs)
        assert close(numeric(canonical(along.right), letters, elements), wanted)


def test_batch_norms_gradient_is_orthogonal_but_for_epsilon(backward):
    (proof,) = orthogonality(backward["batch_norm"])
    assert [formula for formula, _, _ in proof.rows()] == [
        "Σ_{i=1..m} dL/dxᵢ = 0",
        "Σ_{i=1..m} dL/dxᵢ·x̂ᵢ = γ·ε/(σ²_B + ε)^(3/2)·Σ_{j=1..m} dL/dyⱼ·x̂ⱼ",
    ]


def test_a_wrong_epsilon_term_is_caught_by_proof_and_by_a_number(backward):
    found = backward["batch_norm"]
    (proof,) = orthogonality(found)
    true = canonical(proof.lines[1].right)
    wrong = true.replace(lambda node: node == epsilon and node.is_Symbol, lambda node: 2 * node)
    for mutant in (wrong, 2 * true, true / epsilon, true + epsilon):
        assert normal_form(mutant, found.known) != normal_form(true, found.known)
        with pytest.raises(AssertionError):
            second_opinion(true, mutant, found.definitions)


SUMS = {
    "rms_norm": ["Σ_{i=1..m} dL/dxᵢ·x̂ᵢ"],
    "weight standardization": ["Σ_{i=1..m} dL/dxᵢ", "Σ_{i=1..m} dL/dxᵢ·yᵢ"],
    "mean absolute value": [],
    "centring": ["Σ_{i=1..m} dL/dxᵢ"],
    "softmax": ["Σ_{i=1..m} dL/dxᵢ"],
    "residual": ["Σ_{i=1..m} dL/dxᵢ·x̂ᵢ"],
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_listed_where_they_come_to_less(backward, name):
    lines = [line for one in orthogonality(backward[name]) for line in one.lines]
    assert [unicode(line.left) for line in lines] == SUMS[name]


# folding


@pytest.mark.parametrize("size", range(1, 7))
def test_inference_folds_into_a_linear_map_in_plain_numbers(library, size):
    found = folding(library["batch_norm"])
    with mpmath.workdps(50):
        numbers = {"γ": "1.4", "β": "-0.6", "μ̂": "0.7", "σ̂²": "2.5", "ε": "0.1"}
        at = {name: mpmath.mpf(number) for name, number in numbers.items()}
        A, B = (numeric(canonical(one), at, {}) for one in (found.slope, found.intercept))
        w, u = (list(map(real, data(size, seed))) for seed in (1, 2))
        b = mpmath.mpf("0.3")
        before = mpmath.fsum(one * other for one, other in zip(w, u, strict=True)) + b
        root = mpmath.sqrt(at["σ̂²"] + at["ε"])
        wanted = at["γ"] * (before - at["μ̂"]) / root + at["β"]
        new_w, new_b = [A * one for one in w], A * b + B
        got = mpmath.fsum(one * other for one, other in zip(new_w, u, strict=True)) + new_b
        assert close(got, wanted)


def test_the_lines_of_folding(library):
    rows = [formula for formula, _, _ in folding(library["batch_norm"]).derivation.rows()]
    assert rows[1:] == [
        "yᵢ = A·xᵢ + B",
        "A = γ/√(σ̂² + ε)",
        "B = β − γ·μ̂/√(σ̂² + ε)",
        "xᵢ = Σ_{k=1..n} wₖ·uₖ + b",
        "yᵢ = Σ_{k=1..n} w′ₖ·uₖ + b′",
        "w′ₖ = A·wₖ",
        "b′ = A·b + B",
    ]


UNFOLDED = {
    "nothing is said of inference": {},
    "inference reads the batch": {"inference": inference(Eq(hat(x)[i], x[i] - mu))},
    "inference is no affine function": {"inference": inference(Eq(hat(x)[i], x[i] ** 2))},
    "inference has two inputs": {"inference": inference(Eq(hat(x)[i], x[i] + z[i]))},
    "inference forgets its input": {"inference": inference(Eq(hat(x)[i], epsilon))},
}


@pytest.mark.parametrize("case", UNFOLDED)
def test_what_is_no_affine_function_of_the_input_is_not_folded(case):
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    end = {"affine": Eq(y[i], gamma * hat(x)[i] + beta)}
    assert folding(made(lambda: {**lines, **end, **UNFOLDED[case]})) is None


def test_names_that_the_layer_uses_are_not_used_again():
    b, w = parameter("b"), parameter("w")
    told = inference(Eq(hat(x)[i], x[i] / sqrt(epsilon + 1)))
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    found = folding(made(lambda: {**lines, "affine": Eq(y[i], w * hat(x)[i] + b), "told": told}))
    formulas = [formula for formula, _, _ in found.derivation.rows()]
    assert formulas[4] == "xᵢ = Σ_{k=1..n} w₀[k]·uₖ + b₀"


# merging


@pytest.mark.parametrize("sizes", [(1, 1), (1, 6), (6, 1), (2, 3), (4, 4), (5, 2)])
@pytest.mark.parametrize("name", ["batch_norm", "weight standardization"])
def test_statistics_of_two_parts_merge_exactly(backward, name, sizes):
    (found,) = mergings(backward[name])
    parts = [data(size, seed) for seed, size in enumerate(sizes, start=1)]
    whole = [*parts[0], *parts[1]]
    letters = {}
    for number, part in zip("₁₂", parts, strict=True):
        letters[f"m{number}"] = Fraction(len(part))
        letters[f"μ{number}"] = plain_mean(part)
        letters[f"S{number}"] = plain_variance(part) * len(part)
    assert numeric(canonical(found.whole_mean), letters, {}) == plain_mean(whole)
    squares = plain_variance(whole) * len(whole)
    assert numeric(canonical(found.whole_squares), letters, {}) == squares


def test_the_formulas_of_merging(backward):
    (found,) = mergings(backward["batch_norm"])
    assert unicode(found.whole_mean) == "(m₁·μ₁ + m₂·μ₂)/(m₁ + m₂)"
    assert unicode(found.whole_squares) == "S₁ + S₂ + m₁·m₂/(m₁ + m₂)·(μ₁ − μ₂)²"


def test_a_variance_by_moments_is_known_as_one_and_a_mean_square_is_none(backward):
    assert mergings(backward["rms_norm"]) == ()
    assert mergings(backward["mean absolute deviation"]) == ()
    direct = {
        "mean": MEAN,
        "variance": Eq(q, 1 / m * Sigma(x[i] ** 2, (i, 1, m)) - mu**2),
        "out": Eq(y[i], x[i] / sqrt(q + epsilon)),
    }
    assert len(mergings(derive_layer(made(lambda: direct)))) == 1


def test_a_wrong_formula_of_merging_is_caught_by_proof_and_by_a_number(backward):
    (found,) = mergings(backward["batch_norm"])
    one, other = found.parts
    stated = (Sigma(one.element, one.limits) + Sigma(other.element, other.limits)) / (
        one.size + other.size
    )
    true = canonical(found.whole_squares)
    squares = one.deviations(found.mean) + other.deviations(found.mean)
    for wrong in (
        true.xreplace({other.size: one.size}),
        true - one.squares,
        one.squares + other.squares + one.size * (one.mean - other.mean) ** 2,
        one.squares + other.squares,
    ):
        with pytest.raises(AssertionError, match="is not"):
            found.merge.check(squares, wrong, stated)
        sizes = [{one.size: 2, other.size: 3}]
        left = canonical(squares).xreplace({found.mean: stated})
        with pytest.raises(AssertionError, match="differ at"):
            second_opinion(left, wrong, found.merge.definitions, sizes)


# all together


def test_what_is_derived_from_batch_norm(library):
    assert [in_words(one.title) for one in derivations(library["batch_norm"])] == [
        "backward pass of Batch normalization",
        "sums of the gradient by xᵢ of Batch normalization",
        "output of Batch normalization unchanged when every xᵢ is shifted by b",
        "output of Batch normalization unchanged when every xᵢ is multiplied by a",
        "μ_B and σ²_B of Batch normalization from two parts",
        "inference of Batch normalization folded into a linear map before it",
    ]


SHARED = {
    "batch_norm": [],
    "layer_norm": ["γ and β are shared over N: the gradients of the groups that share them add up"],
    "instance_norm": [
        "γ and β are shared over N: the gradients of the groups that share them add up"
    ],
    "rms_norm": ["γ is shared over N: the gradients of the groups that share it add up"],
}


@pytest.mark.parametrize("name", SHARED)
def test_groups_that_share_what_is_learned_add_up_their_gradients(backward, name):
    assert [in_words(one) for one in backward[name].derivation.assumptions] == SHARED[name]


def test_places_in_space_share_what_is_learned_too():
    lines = {"mean": MEAN, "variance": VARIANCE, "normalize": NORMALIZE}
    end = {"affine": Eq(y[i], gamma * hat(x)[i])}
    found = derive_layer(made(lambda: {**lines, **end}, over="N"))
    assert [in_words(one) for one in found.derivation.assumptions] == [
        "γ is shared over H and W: the gradients of the groups that share it add up"
    ]
