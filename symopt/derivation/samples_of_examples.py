"""The gradient of a batch: its mean and its variance over all ways to draw the batch.

c_i is how often example i is drawn. That all examples are alike and that Σ c_i = m says what the
mean of c_i and, once E[c_i²] is known, that of c_i c_j is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, product

from sympy import Add, Expr, Mul, Pow, S, Symbol, factor, solve

from symopt.declaration import MiniBatch
from symopt.derivation.in_order import facing
from symopt.derivation.readable import readable
from symopt.derivation.rule import derive_rule
from symopt.derivation.steps import Derivation, Line
from symopt.derivation.system import INPUT
from symopt.errors import DerivationError
from symopt.nodes import Expectation, Sigma, Variance
from symopt.notation import Count, count, hyperparameter, index, sequence, statistic
from symopt.symbols import example as i
from symopt.symbols import n
from symopt.views import canonical

_j = index("j", "bound")
_c, _gradient = sequence("c"), sequence("g")
_mean = hyperparameter("g_mean", latex=r"\bar{g}", unicode="ḡ")
_batch = hyperparameter("g_batch", latex=r"\hat{g}", unicode="ĝ")
_spread = statistic("sigma2", nonnegative=True, latex=r"\sigma^2", unicode="σ²")
_MOST_EXAMPLES, _MOST_DRAWN = 4, 3

Draws = Callable[[int, int], Iterator[tuple[int, ...]]]


def derive_batches(asked: MiniBatch) -> tuple[Derivation, ...]:
    """Mean and variance of the batch's gradient, drawn without and with replacement.

    Raises
    ------
    DerivationError
        If the rule does not step by the mean of a gradient for each example.
    """
    system = derive_rule(asked.rule)
    sizes = [one.examples for one in system.of_role(INPUT) if one.examples is not None]
    if len(sizes) != 1 or not _by_mean(asked, sizes[0]):
        raise DerivationError(
            f"{asked.rule.name} does not step by the mean of the gradients of a batch; ask about "
            "a rule that does, such as minibatch"
        )
    m = sizes[0] if sizes[0] != n else count("m")
    entry = _c[i]
    without = (
        Line(entry**2, entry, "no example is drawn twice: cᵢ is 0 or 1"),
        Line(Expectation(entry**2), facing(m / n, n), "so that it has the mean of cᵢ"),
    )
    twice = m / n + m * (m - 1) / n**2
    left_out = Add(1, -Pow(n, -1), evaluate=False)
    chosen = Mul(m, Pow(n, -1, evaluate=False), left_out, evaluate=False)
    several = (
        Line(Variance(entry), chosen, "m independent draws, each 1/n"),
        Line(Expectation(entry**2), readable(twice, {}), "Var[cᵢ] + E[cᵢ]²"),
    )
    return (
        _derived(asked, m, "without replacement", without, m / n, _once),
        _derived(asked, m, "with replacement", several, twice, _again),
    )


def _by_mean(asked: MiniBatch, size: Count) -> bool:
    """Whether all gradients enter by Σ/size alone."""
    system = derive_rule(asked.rule)
    (given,) = system.of_role(INPUT)
    means = [
        total
        for one in system.assignments
        for total in canonical(one.right).atoms(Sigma)
        if total.bounds == (S.One, size) and total.body.base == given.sequence
    ]
    mark = Symbol("mark")
    return bool(means) and all(
        not canonical(one.right).subs(means[0], mark * size).has(size, Sigma)
        for one in system.assignments
    )


def _derived(
    asked: MiniBatch, m: Count, how: str, lines: tuple[Line, ...], square: Expr, draws: Draws
) -> Derivation:
    one, other, entry = _c[i], _c[_j], _gradient[i]
    both = Symbol("both")
    (pair,) = solve(n * square + n * (n - 1) * both - m**2, both)
    pair = factor(pair)
    over = (i, S.One, n)
    inverse = Pow(m, -1, evaluate=False)
    apart = Add(entry, -_mean, evaluate=False)
    factor_ = factor(n * (square - pair) / m**2)
    checks = _enumerated(m, square, pair, factor_, draws)
    total = Sigma(one, over)
    weights = Add(Expectation(one**2), -Expectation(one * other), evaluate=False)
    result = Mul(facing(factor_ * m, n, m), _spread, Pow(m, -1), evaluate=False)
    if factor(factor_ * m) == 1:
        result = Mul(_spread, inverse, evaluate=False)
    return Derivation(
        asked.rule.name,
        f"the gradient of a batch of {asked.rule.title}, drawn {how}",
        (
            Line(
                _batch,
                Mul(inverse, Sigma(one * entry, over), evaluate=False),
                "example i is in it cᵢ times",
            ),
            Line(total, m, "examples in a batch"),
            Line(Expectation(one), facing(m / n, n), "all examples are alike", checks),
            Line(
                Expectation(_batch),
                Mul(Pow(n, -1), Sigma(entry, over), evaluate=False),
                "E is linear: unbiased, the gradient over all examples",
                checks,
            ),
            *lines,
            Line(
                Expectation(one * other),
                facing(pair, n, m),
                "for unlike i, j: n·E[cᵢ²] + n·(n − 1)·E[cᵢ·cⱼ] = E[(Σ cᵢ)²] = m²",
                checks,
            ),
            Line(_mean, Mul(Pow(n, -1), Sigma(entry, over), evaluate=False), "their mean"),
            Line(
                _spread,
                Mul(Pow(n, -1), Sigma(Pow(apart, 2, evaluate=False), over), evaluate=False),
                "their variance",
            ),
            Line(
                Add(_batch, -_mean, evaluate=False),
                Mul(inverse, Sigma(Mul(one, apart, evaluate=False), over), evaluate=False),
                "as Σ cᵢ = m",
            ),
            Line(
                Variance(_batch),
                Mul(n, Pow(m, -2), weights, _spread, evaluate=False),
                ("squared; unlike pairs add up to minus the squares, as Σ (", apart, ") = 0"),
            ),
            Line(Variance(_batch), result, "put in", checks),
        ),
    )


def _once(examples: int, drawn: int) -> Iterator[tuple[int, ...]]:
    return combinations(range(examples), drawn)


def _again(examples: int, drawn: int) -> Iterator[tuple[int, ...]]:
    return product(range(examples), repeat=drawn)


def _enumerated(m: Count, square: Expr, pair: Expr, factor_: Expr, draws: Draws) -> str:
    """All batches of few examples, each as likely as the others, in fractions."""
    seen = []
    for examples in range(1, _MOST_EXAMPLES + 1):
        gradients = [Fraction(k * k - 3 * k + 1, k + 2) for k in range(examples)]
        mean = sum(gradients) / examples
        spread = sum((g - mean) ** 2 for g in gradients) / examples
        for drawn in range(1, _MOST_DRAWN + 1):
            found = list(draws(examples, drawn))
            if not found:
                continue
            seen.append((examples, drawn))
            known = {n: examples, m: drawn}
            of = len(found)
            first = Fraction(sum(batch.count(0) for batch in found), of)
            second = Fraction(sum(batch.count(0) ** 2 for batch in found), of)
            means = [sum(gradients[k] for k in batch) / drawn for batch in found]
            assert first == _fraction(m / n, known), "E[c]"
            assert second == _fraction(square, known), "E[c²]"
            assert sum(means) / of == mean, "the batch's gradient is biased"
            if examples > 1:
                crossed = Fraction(sum(b.count(0) * b.count(1) for b in found), of)
                assert crossed == _fraction(pair, known), "E[c c]"
                varied = sum((one - mean) ** 2 for one in means) / of
                assert varied == _fraction(factor_, known) * spread, "the variance"
    return f"checked over all batches for n up to {_MOST_EXAMPLES}, m up to {_MOST_DRAWN}, exact"


def _fraction(expr: Expr, known: dict[Count, int]) -> Fraction:
    value = expr.subs(known)
    return Fraction(int(value.p), int(value.q))
