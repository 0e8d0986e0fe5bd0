"""Losses over classes: which sweeps are left, what is asked of labels, which signs are known."""

import pytest
from sympy import Abs, Add, Eq, Equality, Interval, KroneckerDelta, Mul, S, exp, log

from symopt.declaration import loss
from symopt.derivation.forward import forward
from symopt.nodes import Largest, Sigma
from symopt.notation import count, given, hyperparameter, label, sequence, statistic
from symopt.program.hits import Choice, SumByLabel, with_hits
from symopt.program.ir import Assign, Loop, element, local
from symopt.program.labelled import in_halves, written_again
from symopt.program.signs import Signs
from symopt.program.staging import staged, with_earlier_sums
from symopt.symbols import example as i
from symopt.views import canonical

z, u, q = given("z"), sequence("u"), sequence("q")
K, chosen = count("K"), label("l", python="labels")
share = hyperparameter("share", Interval(0, 1))
M, Z, total = statistic("M"), statistic("Z", positive=True), statistic("loss")
HIT = KroneckerDelta(i, chosen)


def definitions(body, target=None):
    """The equations of a softmax cross-entropy with another loss at the end."""

    @loss(title="A loss of classes", source="a test", over="C", defaults={share: 0.9})
    def of_classes():
        """Made up."""
        wanted = share * HIT + (1 - share) / (K - 1) * (1 - HIT)
        return {
            "largest": Eq(M, Largest(z[i], (i, 1, K))),
            "shifted": Eq(u[i], z[i] - M),
            "total": Eq(Z, Sigma(exp(u[i]), (i, 1, K))),
            "target": Eq(q[i], wanted if target is None else target),
            "loss": Eq(total, -Sigma(body, (i, 1, K))),
        }

    return forward(of_classes)


def sweeps(several):
    return sum(bool(one.sums) for one in staged(several))


def test_a_sum_that_waits_for_a_number_alone_is_taken_in_with_an_earlier_one():
    several = definitions(q[i] * (u[i] - log(Z)))
    earlier = with_earlier_sums(several)
    assert (sweeps(several), sweeps(earlier)) == (3, 2)
    over = (i, S.One, K)
    wanted = -(Sigma(q[i] * u[i], over) - log(Z) * Sigma(q[i], over))
    assert canonical(earlier[-1].written - wanted).expand() == 0


@pytest.mark.parametrize(
    "body",
    [
        q[i] * (z[i] - log(Z)),  # of any sign: the difference may be small beside its terms
        q[i] * (u[i] + log(Z)),  # of two signs
        q[i] * exp(u[i] - log(Z)),  # not linear
    ],
)
def test_a_sum_that_might_cancel_is_left_as_its_author_wrote_it(body):
    several = definitions(body)
    assert with_earlier_sums(several) == several


@pytest.mark.parametrize(
    ("expr", "below", "above"),
    [
        (u[i], True, False),
        (z[i], False, False),
        (-Abs(z[i]), True, False),
        (-(z[i] ** 2) / 2, True, False),
        (-u[i], False, True),
        (log(Z), False, True),
        (-log(Z), True, False),
        (z[i] - Z, False, False),
    ],
)
def test_signs_that_the_equations_tell(expr, below, above):
    known = Signs(definitions(u[i]))
    assert known.never_positive(expr) is below
    assert known.never_negative(expr) is above


def with_labels(body, target=None):
    changed, _ = with_hits(definitions(body, target), (), i)
    return {str(getattr(one.letter, "base", one.letter)): one.written for one in changed}


def test_a_letter_that_a_label_decides_has_two_values():
    found = with_labels(q[i])["q"]
    assert isinstance(found, Choice)
    assert found.when == Equality(i, chosen, evaluate=False)
    assert canonical(found.elsewhere - (1 - share) / (K - 1)) == 0
    assert canonical(found.there) == share


def test_zero_times_what_may_be_infinite_is_not_left_out():
    """One class: (1 − α)/0·0 is no number, and so the kernel must not say that it is α."""
    there = with_labels(q[i])["q"].there
    assert there.has(S.Zero)
    assert with_labels(q[i], share * HIT + (1 - share) * (1 - HIT))["q"].there == share


def test_a_sum_over_what_a_label_decides_is_no_sweep():
    body = q[i] * (1 + HIT)
    (found,) = with_labels(body)["loss"].atoms(SumByLabel)
    other = (1 - share) / (K - 1)
    assert canonical(found.value - 2 * share - (K - 1) * other).simplify() == 0
    assert with_labels(q[i] * u[i])["loss"].has(Sigma)


c, n, at = local("c"), local("n"), local("l_n")


def lines(augment=""):
    hit = Equality(c, at, evaluate=False)
    return (
        Assign(local("q"), Choice(hit, local("q_labelled"), local("q_other"))),
        Assign(element("dz", n, c), Add(element("z", n, c), local("q")), augment),
    )


def test_the_labelled_element_is_written_once_more():
    loop, *after = written_again((Loop(c, S.Zero, "C", lines()),), c)
    assert [one.value for one in loop.body] == [local("q_other"), lines()[1].value]
    assert after == [
        Assign(local("q"), local("q_labelled")),
        Assign(element("dz", n, at), Add(element("z", n, at), local("q"))),
    ]


def test_what_is_added_is_added_once():
    loops = (Loop(c, S.Zero, "C", lines("+")),)
    assert written_again(loops, c) == loops


def test_places_in_a_block_are_compared_in_32_bits():
    places = {}
    (first, _) = in_halves(lines(), c, places, str)
    assert places == {"l_n": "l_n_place"}
    assert first.value.when.rhs == local("l_n_place")
    assert not Mul(*first.value.when.args).has(at)
