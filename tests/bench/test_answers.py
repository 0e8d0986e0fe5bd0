"""That a benchmark compares like with like: answers, and what happens when they differ."""

import numpy as np
import pytest
from sampling import every

from symopt.bench import rules as bench_rules
from symopt.bench import run as bench_run
from symopt.bench.agreement import agreement
from symopt.bench.c_limits import compiler
from symopt.bench.numpy_rules import Straight
from symopt.bench.results import Result
from symopt.bench.run import Wishes, check_peers, run
from symopt.bench.timing import Contestant, Times
from symopt.bench.works import Bar, Work, works, works_of
from symopt.demo import straight_numpy
from symopt.derivation.rule import derive_rule
from symopt.errors import UsageError

WISHES = Wishes(threads=1)


@pytest.fixture(scope="module")
def tabled(library):
    return {one.name: one for one in works(library.values())}


def test_plain_numpy_of_any_rule_is_what_was_written_by_hand_for_the_lectures(rules):
    for rule in rules:
        if rule.name in straight_numpy.PER_EXAMPLE:
            continue
        numbers = {one.spelling.python: n for one, n in rule.default_values.items()}
        draw = np.random.default_rng(1)
        theta, g = draw.normal(size=50), draw.normal(size=50)
        one, other = [theta.copy()], [theta.copy()]
        mine = Straight(derive_rule(rule), one, numbers)
        by_hand = straight_numpy.Straight(rule.name, other, lambda _t, n=numbers: n["alpha"])
        for _ in range(4):
            mine.step([g])
            by_hand.step([g])
        # four steps of some ten operations each
        assert np.max(np.abs(one[0] - other[0])) <= 4 * 10 * 2.0**-53 * 4, rule.name


@pytest.mark.parametrize(
    ("name", "peers"),
    [
        ("adam/1e3", {"torch fused", "torch foreach", "NumPy"}),
        ("nesterov/1e5", {"torch fused", "torch foreach", "NumPy"}),
        ("adam/1000x1000", {"torch fused", "torch foreach", "NumPy"}),
        ("batch_norm/both/32x64x56x56", {"torch", "torch channels-last", "NumPy"}),
        ("softmax_cross_entropy/both/4096x1000", {"torch", "NumPy"}),
    ],
)
def test_answers_of_all_that_is_installed_agree_with_ours(tabled, name, peers):
    found = run(tabled[name], WISHES)
    expected = peers | ({"C"} if compiler() else set())
    assert expected <= set(found.agreements) - {"symopt"}
    assert found.ok, found.agreements
    assert not found.times


@pytest.mark.parametrize("slip", [{"beta_2": 0.9}, {"alpha": 0.00101}, {"beta_1": 0.91}])
def test_a_peer_with_another_number_in_its_formula_is_noticed(tabled, monkeypatch, slip):
    def wrong(arena):
        params, inputs = arena.arrays()
        straight = Straight(arena.system, params, {**arena.numbers, **slip})
        renew, named = bench_rules._renewing(inputs), bench_rules._named(params)
        return Contestant("NumPy", lambda: straight.step(*inputs), lambda: named, renew=renew)

    monkeypatch.setattr(bench_rules, "PEERS", {"NumPy": wrong})
    found = run(tabled["adam/1e3"], WISHES)
    assert found.agreements["symopt"].ok
    assert not found.agreements["NumPy"].ok
    assert not found.ok


def test_a_nan_is_no_agreement():
    one = {"y": np.array([np.nan])}
    assert not agreement(one, {"y": np.array([0.0])}, {"y": 1.0}).ok


def test_peers_that_are_not_there_are_refused_only_when_named(monkeypatch):
    real = bench_run.find_spec
    monkeypatch.setattr(
        bench_run, "find_spec", lambda name: None if name == "optax" else real(name)
    )
    with pytest.raises(UsageError) as refused:
        check_peers(["optax"])
    assert str(refused.value) == "the peer optax needs optax; write pip install optax"
    monkeypatch.setattr(bench_run, "compiler", lambda: None)
    with pytest.raises(UsageError) as refused:
        check_peers(["c"])
    assert str(refused.value) == "the peer C needs a C compiler; install one, or set CC to it"
    assert check_peers(["torch", "numpy"]) == ("torch", "NumPy")


@pytest.mark.parametrize("name", every(4, ["gelu", "softmax", "rms_norm", "squared_error"]))
def test_functions_of_torch_are_those_of_the_catalogue(library, name):
    for work in works_of(library[name]):
        found = run(work, WISHES)
        assert {"symopt", "torch"} <= set(found.agreements)
        assert found.ok, found.agreements


def test_without_a_compiler_copies_take_the_place_of_the_limit(tabled, monkeypatch):
    from symopt.bench import c_layers, c_limits

    for module in (bench_rules, c_layers, c_limits):
        monkeypatch.setattr(module, "library", lambda _threads: None)
    assert "C" not in run(tabled["adam/1e3"], WISHES).agreements
    traffic = c_limits.Traffic(1000, 1, 2, 0, 1)
    traffic()
    assert traffic.bytes == 4 * 1000 * 5


def test_a_work_that_does_not_fit_into_memory_is_refused(tabled, monkeypatch):
    monkeypatch.setattr(bench_run, "available_bytes", lambda: 1_000_000_000)
    with pytest.raises(UsageError) as refused:
        bench_run._check_memory(tabled["adam/5e7"])
    assert str(refused.value) == (
        "adam/5e7 needs about 9.6 GB of memory, of which 1.0 are free; name smaller works"
    )


def test_a_bar_is_judged_only_for_the_threads_that_it_is_meant_for(library):
    times = {"symopt": Times((1.0,) * 5, 0.0), "C": Times((2.0,) * 5, 0.0)}
    bars = (Bar("C", 0.6), Bar("C", 0.4), Bar("optax", 0.1))
    work = Work(library["adam"], "step", "1e3", ((1000,),), bars=bars)
    judged = Result(work, times, {}, {}, None, judged=True)
    assert [one.met for one in judged.verdicts] == [True, False]
    assert [one.met for one in Result(work, times, {}, {}, None, judged=False).verdicts] == [
        None,
        None,
    ]


def test_another_number_of_elements_is_no_agreement():
    found = agreement({"y": np.zeros(3)}, {"y": np.zeros(4)}, {"y": 1.0})
    assert not found.ok
