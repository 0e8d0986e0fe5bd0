"""Texts are derived once: found again by all that they follow from, and never otherwise."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sympy import Eq, Function, Interval, exp

from symopt import hyperparameter, initially, sequence, update_rule
from symopt.runtime import kept_texts
from symopt.runtime.kept_texts import text_of
from symopt.symbols import g, t, theta
from symopt.targets.registry import target
from symopt.targets.target import Options


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of this test's own, switched on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("SYMOPT_CACHE", raising=False)
    return tmp_path / "symopt" / "texts"


@pytest.fixture
def rendered(monkeypatch):
    """How often a target has rendered something."""
    times = []

    def counted(name):
        one = target(name)

        def render(declared, options):
            times.append(declared.name)
            return one.render(declared, options)

        return replace(one, render=render)

    monkeypatch.setattr(kept_texts, "target", counted)
    return times


def rule(domain_end=1, slope=lambda x: x):
    rate, v = hyperparameter("rho", Interval.Ropen(0, domain_end)), sequence("v")

    @update_rule(defaults={rate: 0.5})
    def decayed():
        """A rule of this test's."""
        return {
            "average": Eq(v[t], rate * v[t - 1] + g[t]),
            "step": Eq(theta[t + 1], theta[t] - slope(v[t])),
            "initial": initially(0, v),
        }

    return decayed


def test_a_text_is_derived_once(folder, rendered):
    first = text_of(rule(), "numba", Options())
    assert text_of(rule(), "numba", Options()) == first
    assert rendered == ["decayed"]
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda: text_of(rule(2), "numba", Options()),
        lambda: text_of(rule(slope=exp), "numba", Options()),
        lambda: text_of(replace(rule(), doc="Another line."), "numba", Options()),
        lambda: text_of(rule(), "latex", Options()),
        lambda: text_of(rule(), "numba", Options(dtypes=("float32",))),
    ],
    ids=["range", "equation", "description", "target", "dtypes"],
)
@pytest.mark.usefixtures("folder")
def test_whatever_a_text_says_is_in_its_key(rendered, other):
    first = text_of(rule(), "numba", Options())
    assert other() != first
    assert len(rendered) == 2


@pytest.mark.usefixtures("folder")
def test_what_a_user_wrote_as_code_is_derived_anew(rendered):
    class twice(Function):
        """A function whose slope no fingerprint tells."""

    for _ in range(2):
        text_of(rule(slope=twice), "latex", Options())
    assert len(rendered) == 2


@pytest.mark.parametrize("damage", [b"", b"half a te", b"\xff\xfe\n\xff"])
def test_a_damaged_file_is_written_anew(folder, rendered, damage):
    first = text_of(rule(), "numba", Options())
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for content in (damage, whole[:-1], whole.replace(b"theta", b"beta")):
        path.write_bytes(content)
        assert text_of(rule(), "numba", Options()) == first
        assert path.read_bytes() == whole
    assert len(rendered) == 4


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(folder, rendered):
    folder.parent.write_text("a file where the folder would be")
    first = text_of(rule(), "numba", Options())
    assert text_of(rule(), "numba", Options()) == first
    assert len(rendered) == 2


def test_the_cache_can_be_switched_off(folder, rendered, monkeypatch):
    monkeypatch.setenv("SYMOPT_CACHE", "off")
    text_of(rule(), "numba", Options())
    text_of(rule(), "numba", Options())
    assert len(rendered) == 2
    assert not folder.exists()


def test_many_at_once_leave_one_whole_text(folder):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(text_of(rule(), "numba", Options())))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 1
    (path,) = folder.iterdir()
    assert path.read_text().partition("\n")[2] == found[0]
