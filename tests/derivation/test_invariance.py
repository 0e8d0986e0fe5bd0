"""Changes of the input that leave the output alone: against plain numbers, none too many."""

from fractions import Fraction

import mpmath
import pytest
from own_layers import (
    MEAN,
    OWN,
    close,
    data,
    everything,
    made,
    mu,
    numeric,
    plain_mean,
    plain_rms,
    plain_standard,
    q,
    real,
    x,
    y,
    z,
)
from sympy import Eq, Indexed, Symbol

from symopt.derivation.invariance import Change, invariance, invariances
from symopt.derivation.layer import derive_layer
from symopt.derivation.opinions import opinion_on_images
from symopt.derivation.steps import in_words
from symopt.printing.unicode import unicode
from symopt.symbols import epsilon
from symopt.symbols import example as i
from symopt.views import canonical

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


def listed(found):
    titles = [in_words(one.title) for one in invariances(found)]
    return {"shift" if "shifted" in one else "scale" for one in titles}


@pytest.mark.parametrize("name", [*OWN, "batch_norm", "layer_norm", "group_norm", "rms_norm"])
def test_an_invariance_is_listed_where_it_holds_and_nowhere_else(derived, name):
    shift = {*SHIFT, "an epsilon of its own beside the root"}
    wanted = {kind for kind, names in (("shift", shift), ("scale", SCALE)) if name in names}
    assert listed(derived[name]) == wanted


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
    derived, name, size
):
    a, eps, xs = Fraction(5, 3), Fraction(1, 3), data(size)
    (proof,) = [one for one in invariances(derived[name]) if "multiplied" in str(one)]
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
def test_each_line_of_batch_norms_invariance_is_right_in_plain_numbers(derived, size):
    xs, eps, a, b = data(size), Fraction(1, 3), Fraction(5, 3), Fraction(7, 2)
    shift, scale = invariances(derived["batch_norm"])
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


def test_a_change_that_is_no_invariance_has_no_proof(derived):
    a = Symbol("a", positive=True)
    for name in ("batch_norm", "rms_norm", "weight standardization"):
        assert invariance(derived[name], Change(x[i], x[i] ** 2, a, a)) is None


def test_images_that_are_wrong_are_caught_modulo_a_prime(derived):
    found = derived["weight standardization"]
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
