"""Random letters and numbers asked of expectations: what may be declared, and what is refused."""

import pytest
from sympy import Eq, Interval, oo

from symopt import (
    Bernoulli,
    Expectation,
    Normal,
    Sigma,
    drawn,
    given,
    hyperparameter,
    index,
    inference,
    layer,
    random,
    sequence,
    statistic,
    unbias,
    unknown,
    update_rule,
)
from symopt.errors import SymoptError
from symopt.printing.latex import latex
from symopt.printing.unicode import unicode
from symopt.runtime.compiling import compile
from symopt.symbols import alpha, g, m, t, theta
from symopt.symbols import example as i

x, y, h, k = given("x"), sequence("y"), sequence("h"), index("k")
r, q, s = random("r"), random("q"), unknown("s")
p = hyperparameter("p", Interval.Ropen(0, 1))
sigma, any_number = hyperparameter("sigma", Interval(0, oo)), hyperparameter("c")
mu = statistic("mu")
MASK = drawn(r[i], Bernoulli(1 - p))
OUTPUT = Eq(y[i], r[i] * x[i])
LATER = inference(Eq(y[i], x[i]))


def made(statements, **options):
    def own():
        return statements()

    return layer(**options)(own)


def test_a_distribution_is_printed_as_a_note_has_it():
    assert unicode(Bernoulli(1 - p)) == "B(1 − p)"
    assert latex(Bernoulli(1 - p)) == "B(1 - p)"
    assert unicode(Normal(1, sigma**2)) == "N(1, σ²)"
    assert latex(Normal(1, sigma**2)) == r"\mathcal{N}(1, \sigma^2)"


def test_a_declaration_shows_what_is_drawn_and_what_is_asked():
    asked = unbias(s, Eq(Expectation(y[i]), x[i]))
    own = made(lambda: {"mask": MASK, "y": Eq(y[i], s * r[i] * x[i]), "s": asked, "later": LATER})
    assert str(own).splitlines()[1:] == [
        "  rᵢ ∼ B(1 − p)",
        "  yᵢ = s·rᵢ·xᵢ",
        "  s such that E[yᵢ] = xᵢ",
        "  yᵢ = xᵢ",
    ]
    assert [one.text for one in own.formulas()][::2] == [
        r"r_i \sim B(1 - p)",
        r"s \text{ such that } \operatorname{E}[y_i] = x_i",
    ]


def test_the_fingerprint_tells_shares_apart():
    one, other = (
        made(lambda share=share: {"r": drawn(r[i], Bernoulli(share)), "y": OUTPUT, "later": LATER})
        for share in (p, 1 - p)
    )
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize("share", [0, 1, p, p**2, p * (1 - p), (1 - p) / (1 + p)], ids=str)
def test_a_probability_that_keeps_its_range_is_taken(share):
    made(lambda: {"r": drawn(r[i], Bernoulli(share)), "y": OUTPUT, "later": LATER})


# what an author writes ⇒ what is said; declared, then compiled
MISTAKES = {
    "a letter that is not random": (
        lambda: {"r": drawn(x[i], Bernoulli(p))},
        "drawn was given x[i], which is no random letter; write drawn(r[i], …) with r = "
        "random('r')",
    ),
    "a letter without an index": (
        lambda: {"r": drawn(r, Bernoulli(p))},
        "drawn was given r, which is no random letter; write drawn(r[i], …) with r = random('r')",
    ),
    "no distribution": (
        lambda: {"r": drawn(r[i], 1 - p)},
        "drawn was given 1 - p to draw rᵢ from; write a distribution, such as Bernoulli(1 - p)",
    ),
    "no number to be found": (
        lambda: {"s": unbias(p, Eq(Expectation(y[i]), x[i]))},
        "unbias was given p, which is no number to be found; write unbias(s, …) with s = "
        "unknown('s')",
    ),
    "no equation": (
        lambda: {"s": unbias(s, Expectation(y[i]))},
        "unbias(s, …) was given Expectation(y[i]), which is no equation; write one such as "
        "Eq(Expectation(y[i]), x[i])",
    ),
    "drawn twice": (
        lambda: {"r": MASK, "again": MASK, "y": OUTPUT, "later": LATER},
        "own.again draws r a second time; leave it out",
    ),
    "drawn for nothing": (
        lambda: {"r": MASK, "y": Eq(y[i], x[i])},
        "own.r draws r, which no equation reads; leave it out",
    ),
    "asked for twice": (
        lambda: {
            "r": MASK,
            "y": Eq(y[i], s * r[i] * x[i]),
            "s": unbias(s, Eq(Expectation(y[i]), x[i])),
            "more": unbias(s, Eq(Expectation(y[i]), x[i])),
            "later": LATER,
        },
        "own.more asks for s a second time; leave it out",
    ),
    "read and not drawn": (
        lambda: {"y": OUTPUT, "later": LATER},
        "own reads r, of which nothing is said; write drawn(r[i], …)",
    ),
    "read and not asked for": (
        lambda: {"r": MASK, "y": Eq(y[i], s * r[i] * x[i]), "later": LATER},
        "own reads s, of which nothing is said; write unbias(s, …)",
    ),
    "defined by an equation": (
        lambda: {"r": MASK, "more": Eq(r[i], x[i]), "y": OUTPUT, "later": LATER},
        "own.more defines rᵢ, which is random; write drawn(rᵢ, …), or make it a sequence",
    ),
    "two indices": (
        lambda: {"r": drawn(r[i, k], Bernoulli(p)), "y": OUTPUT, "later": LATER},
        "own.r draws r[i,k]; the elements of a group have one index, write r[i]",
    ),
    "a share that depends on data": (
        lambda: {"r": drawn(r[i], Bernoulli(x[i])), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ from B(xᵢ), which depends on xᵢ; let it depend on hyperparameters alone",
    ),
    "a share that depends on a statistic": (
        lambda: {"r": drawn(r[i], Bernoulli(mu)), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ from B(μ), which depends on μ; let it depend on hyperparameters alone",
    ),
    "a share beyond 1": (
        lambda: {"r": drawn(r[i], Bernoulli(1 + p)), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ with the probability 1 + p, which is not known to lie in Interval(0, 1); "
        "give its letters narrower ranges, or write each once",
    ),
    "a share of any size": (
        lambda: {"r": drawn(r[i], Bernoulli(any_number)), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ with the probability c, which is not known to lie in Interval(0, 1); give "
        "its letters narrower ranges, or write each once",
    ),
    "a variance below 0": (
        lambda: {"r": drawn(r[i], Normal(0, any_number)), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ with the variance c, which is not known to lie in Interval(0, oo); give "
        "its letters narrower ranges, or write each once",
    ),
    "inference that draws": (
        lambda: {"r": MASK, "y": OUTPUT},
        "own.y reads r once training is over, where nothing is drawn; write inference(Eq(yᵢ, …)) "
        "without it",
    ),
    "inference that says to draw": (
        lambda: {"r": MASK, "y": OUTPUT, "later": inference(Eq(y[i], r[i] + x[i]))},
        "own.later reads r once training is over, where nothing is drawn; write inference(Eq(yᵢ, "
        "…)) without it",
    ),
    "inference that draws on its way": (
        lambda: {"r": MASK, "h": Eq(h[i], r[i] * x[i]), "y": Eq(y[i], 2 * h[i])},
        "own.h reads r once training is over, where nothing is drawn; write inference(Eq(hᵢ, …)) "
        "without it",
    ),
    "an expectation of an index that is not bound": (
        lambda: {
            "r": MASK,
            "y": Eq(y[i], s * r[i] * x[i]),
            "s": unbias(s, Eq(Expectation(Sigma(y[i], (i, 1, m))), x[k])),
            "later": LATER,
        },
        "own.s reads xₖ, but no sum binds k; write Sigma(…, (k, 1, m)) around it, or the index of "
        "the left side",
    ),
    "no kernel for a distribution": (
        lambda: {"r": drawn(r[i], Normal(1, sigma**2)), "y": OUTPUT, "later": LATER},
        "own.r draws rᵢ from N(1, σ²), for which no kernel is written; draw from Bernoulli",
    ),
    "a name that the file needs": (
        lambda: {
            "r": drawn(r[i], Bernoulli(hyperparameter("seed", Interval(0, 1)))),
            "y": OUTPUT,
            "later": LATER,
        },
        "own has a letter with the Python name seed, which its file needs for something else; "
        "rename it with python='…'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_by_one_sentence(mistake):
    statements, wanted = MISTAKES[mistake]
    with pytest.raises(SymoptError) as caught:
        compile(made(statements))
    assert str(caught.value) == wanted


def test_only_a_layer_has_random_letters():
    def rule():
        return {
            "noise": drawn(r[i], Bernoulli(p)),
            "step": Eq(theta[t + 1], theta[t] - alpha * g[t]),
        }

    with pytest.raises(
        SymoptError,
        match=r"^rule\.noise has r, which only a layer can have, but rule is an update rule; "
        r"declare a layer$",
    ):
        update_rule(rule)


def test_more_letters_than_are_told_apart_are_refused():
    letters = [random(f"r_{k}") for k in range(17)]

    def own():
        product = x[i]
        for one in letters:
            product = product * one[i]
        masks = {f"r_{k}": drawn(one[i], Bernoulli(p)) for k, one in enumerate(letters)}
        return {**masks, "y": Eq(y[i], product), "later": LATER}

    with pytest.raises(
        SymoptError,
        match=r"^own draws 17 letters, of which no more than 16 are told apart; draw fewer$",
    ):
        compile(layer(own))
