"""Monitors that nobody wrote verify, infinities, missing values and all."""

import random

import pytest
from sympy import (  # fmt: skip
    Abs,
    Add,
    And,
    Eq,
    Ge,
    Gt,
    Interval,
    Le,
    Lt,
    Max,
    Min,
    Mul,
    Or,
    Piecewise,
    Pow,
    Rational,
    S,
    exp,
    floor,
    log,
    oo,
    sign,
    sqrt,
    tanh,
)

from symopt import given, hyperparameter, initially, monitor, sequence, verify
from symopt.derivation.api import derivations
from symopt.symbols import t

ELL, OTHER = given("ell"), given("r")
STATES, TEMPORARY = [sequence(letter) for letter in "bwc"], sequence("a")
NUMBERS = [
    hyperparameter("p", S.Naturals),
    hyperparameter("d", Interval(0, oo)),
    hyperparameter("h", Interval(-1, 1)),
    S.One,
    Rational(1, 2),
]


class Author:
    """Writes right sides from what is known, by chance."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def expression(self, known, depth):
        if depth == 0 or self.chance.random() < 0.2:
            return self.chance.choice(known)
        one, other = (self.expression(known, depth - 1) for _ in range(2))
        makers = [
            lambda: Add(one, other, evaluate=False),
            lambda: Add(one, Mul(-1, other, evaluate=False), evaluate=False),
            lambda: Mul(one, other, evaluate=False),
            lambda: Mul(one, Pow(other, -1, evaluate=False), evaluate=False),
            lambda: self.chance.choice([Max, Min])(one, other),
            lambda: self.chance.choice([Abs, sign, floor, tanh])(one),
            lambda: self.chance.choice([exp, log, sqrt])(Abs(one)),
            lambda: Piecewise((one, self.condition(known)), (other, True)),
            lambda: Piecewise((one, self.condition(known)), (other, True)),
        ]
        return self.chance.choice(makers)()

    def condition(self, known):
        def compared():
            kind = self.chance.choice([Lt, Le, Gt, Ge])
            return kind(ELL[t], self.chance.choice(known))

        join = self.chance.choice([None, And, Or])
        return compared() if join is None else join(compared(), compared())

    def statements(self):
        known = [ELL[t], ELL[t], *NUMBERS, *(one[t - 1] for one in STATES)]
        known += [OTHER[t]] if self.chance.random() < 0.3 else []
        stated = {}
        for place, letter in enumerate([STATES[0], TEMPORARY, *STATES[1:]]):
            stated[f"equation_{place}"] = Eq(letter[t], self.expression(known, 2))
            known.append(letter[t])
        for place, state in enumerate(STATES):
            if any(one.has(state[t - 1]) for one in stated.values() if isinstance(one, Eq)):
                start = self.chance.choice([0, 1, oo, -oo, *NUMBERS[1:3]])
                stated[f"initial_{place}"] = initially(start, state)
        return stated


@pytest.mark.parametrize("seed", range(5))
def test_a_random_monitor_verifies(seed):
    @monitor
    def drawn():
        return Author(seed).statements()

    verdict = verify(drawn)
    assert verdict.ok, f"{drawn}\n{verdict.message}"
    for derivation in derivations(drawn):
        assert derivation.lines
