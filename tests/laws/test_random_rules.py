"""Rules that nobody wrote: well-formed ones verify, ill-formed ones get one sentence."""

import keyword

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sympy import Abs, Add, Eq, Interval, Max, Min, Mul, Pow, Rational, S, Symbol, oo, sign, sqrt
from sympy.functions.elementary.piecewise import Piecewise

from symopt import debias, hat, hyperparameter, initially, sequence, update_rule
from symopt.derivation.api import derivations, formulas
from symopt.errors import SymoptError
from symopt.judging import verify
from symopt.printing.latex import SlidePrinter
from symopt.runtime.generation import files
from symopt.symbols import g, t, theta

FIXED = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
RATE = hyperparameter("eta", Interval.open(0, oo))
DECAYS = [hyperparameter(f"rho_{k}", Interval.open(0, 1)) for k in (1, 2)]
STATES = [sequence(word) for word in ("p", "q")]
TEMPORARY = sequence("r")


def numbers():
    return st.one_of(
        st.sampled_from(DECAYS),
        st.sampled_from([Rational(1, 2), S(2), Rational(3, 7)]),
        st.sampled_from([1 - one for one in DECAYS]),
    )


def averaged():
    """What an average is taken of."""
    return st.sampled_from([g[t], g[t] ** 2, Abs(g[t])])


@st.composite
def recurrences(draw, state):
    past = state[t - 1]
    decay, new = draw(st.sampled_from(DECAYS)), draw(averaged())
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return Add(
            Mul(decay, past, evaluate=False), Mul(1 - decay, new, evaluate=False), evaluate=False
        )
    if kind == 1:
        return Add(past, new, evaluate=False)
    if kind == 2:
        return Max(decay * past, new)
    if kind == 3:
        return Piecewise((past / 2, Abs(g[t]) > 1), (past + new, True))
    return Add(Mul(decay, past, evaluate=False), new, evaluate=False)


@st.composite
def updates(draw, entries):
    """A direction made of what is known at the step; only what is safe is divided by."""
    one = draw(st.sampled_from(entries))
    other = draw(st.sampled_from(entries))
    kind = draw(st.integers(0, 6))
    choices = {
        0: one,
        1: sign(one),
        2: one / sqrt(Abs(other) + 1),
        3: Add(one, Mul(draw(numbers()), other, evaluate=False), evaluate=False),
        4: Min(Max(one, -1), 1),
        5: Piecewise((one, other > 0), (-one, True)),
        6: Mul(one, Pow(1 + Abs(other), -1, evaluate=False), evaluate=False),
    }
    return choices[kind]


@st.composite
def rules(draw):
    """Two states, a temporary, sometimes a bias correction, equations in any order."""
    stated = {f"state_{k}": Eq(s[t], draw(recurrences(s))) for k, s in enumerate(STATES)}
    known = [g[t], *(s[t] for s in STATES), *(s[t - 1] for s in STATES)]
    stated["temporary"] = Eq(TEMPORARY[t], draw(updates(known)))
    known.append(TEMPORARY[t])
    linear = not stated["state_0"].rhs.has(Max, Piecewise)
    if linear and draw(st.booleans()):
        stated["correction"] = debias(STATES[0])
        known.append(hat(STATES[0])[t])
    direction = draw(updates(known))
    stated["step"] = Eq(theta[t + 1], theta[t] - RATE * direction)
    keys = draw(st.permutations(list(stated)))
    start = draw(st.sampled_from([0, 1, Rational(1, 4)]))
    order = {key: stated[key] for key in keys} | {"start": initially(start, *STATES)}

    def rule():
        return order

    return update_rule(rule)


def check(rule):
    verdict = verify(rule, "float32", steps=4, gradients=True)
    assert verdict.ok, f"{rule}\n{verdict.message}"
    for derivation in derivations(rule):
        assert derivation.lines


@settings(FIXED, max_examples=3)
@given(rules())
def test_a_random_rule_verifies(rule):
    check(rule)


@pytest.mark.slow
@settings(FIXED, max_examples=40)
@given(rules())
def test_many_random_rules_verify(rule):
    check(rule)


PIECES = st.sampled_from(
    [
        g[t],
        g[t - 1],
        g[t + 1],
        theta[t],
        theta[t - 1],
        theta[t + 2],
        STATES[0][t],
        STATES[0][t - 1],
        STATES[0][t + 1],
        STATES[1][2 * t],
        STATES[1],
        Symbol("z"),
        DECAYS[0],
        hat(STATES[0])[t],
        t,
        S.Zero,
        S.NaN,
        sequence("lambda")[t],
    ]
)


@st.composite
def scraps(draw):
    """Statements put together with no care at all."""
    lefts = st.sampled_from([theta[t + 1], STATES[0][t], STATES[1][t], TEMPORARY[t], theta[t]])
    words = st.sampled_from(["a", "b", "c", "step", "1x", "def", ""])

    def right():
        one, other = draw(PIECES), draw(PIECES)
        return draw(
            st.sampled_from([one, one * other, one + other, Max(one, 1) if one.is_real else one])
        )

    stated = {
        draw(words): Eq(draw(lefts), right(), evaluate=False)
        for _ in range(draw(st.integers(0, 4)))
    }
    if draw(st.booleans()):
        stated["start"] = initially(0, *draw(st.lists(st.sampled_from(STATES), unique=True)))
    if draw(st.booleans()):
        stated["correct"] = debias(draw(st.sampled_from(STATES)))
    return stated


@settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(scraps(), st.sampled_from(["rule", "two words", "class", "g"]))
def test_an_ill_formed_rule_is_refused_in_one_sentence_and_never_by_a_traceback(stated, name):
    def body():
        return stated

    body.__name__ = name
    try:
        rule = update_rule(body)
        formulas(rule, SlidePrinter())
        derivations(rule)
        files([rule])
    except SymoptError as error:
        message = str(error)
        assert message
        assert "\n" not in message
        assert "Traceback" not in message
    else:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
