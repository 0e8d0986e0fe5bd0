"""Whole processes, from their start to the first step."""

import pytest

from symopt.bench import start
from symopt.bench.c_limits import compiler
from symopt.bench.works import Work
from symopt.errors import SymoptError


def test_processes_take_their_first_step_also_compiled_ahead_of_time(library, tmp_path):
    work = Work(library["sgd"], "start", "1e3", ((1000,),))
    found = list(start.contestants(work, 1, lambda _peer: False, tmp_path))
    assert [one.name for one in found] == [start.OWN, *([start.AHEAD] if compiler() else [])]
    for one in found:
        one.call()


def test_a_process_that_fails_is_an_error_in_one_sentence(tmp_path):
    failing = start._process("symopt", "raise SystemExit('no such kernel')", tmp_path)
    with pytest.raises(SymoptError) as failed:
        failing.call()
    assert str(failed.value) == "a fresh process of symopt ended with: no such kernel"
