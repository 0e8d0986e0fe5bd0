"""How many threads kernels use, and Python threads and forked children that use kernels at once."""

import os
import subprocess
import sys
import textwrap

import pytest

from symopt import compile, get_threads, set_threads
from symopt.errors import UsageError

# eight Python threads: four optimizers of one rule, four of another, arrays above the crossover
AT_ONCE = """
    import sys
    from concurrent.futures import ThreadPoolExecutor
    import numpy as np
    import symopt
    from symopt.catalog.lecture.adam import adam
    from symopt.catalog.lecture.momentum import momentum

    modules = symopt.compile(adam), symopt.compile(momentum)

    def run(seed, threads=None):
        module = modules[seed % 2]
        made = module.Adam if seed % 2 == 0 else module.Momentum
        rng = np.random.default_rng(seed)
        params = [rng.normal(size=size).astype("float32") for size in (40_000, 3, 50_001)]
        optimizer = made(params)
        for _ in range(30):
            optimizer.step([0.1 * one for one in params])
        return [one.tobytes() for one in params]

    in_turn = [run(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(run, range(8)))
    assert at_once == in_turn
"""
FORKED = (
    AT_ONCE
    + """
    import os
    child = os.fork()
    if not child:
        try:
            right = run(0) == in_turn[0]
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert run(1) == in_turn[1]
"""
)


def ran(code, **environment):
    """A Python process of its own, so that an abort is seen and the threading layer is chosen."""
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_eight_threads_step_eight_optimizers_at_once_to_the_same_bits(layer):
    found = ran(AT_ONCE, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="3")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_steps_on_one_thread():
    found = ran(FORKED, NUMBA_NUM_THREADS="2")
    assert (found.returncode, found.stderr) == (0, "")


@pytest.fixture
def _as_before():
    count = get_threads()
    yield
    set_threads(count)


@pytest.mark.usefixtures("_as_before")
def test_the_count_is_that_of_all_modules_those_made_later_too(library):
    first = compile(library["adam"])
    set_threads(1)
    later = compile(library["nesterov"])
    assert (first._threads(), later._threads(), get_threads()) == (1, 1, 1)
    set_threads(10_000)  # no more than Numba has
    assert first._threads() == later._threads() == get_threads() < 10_000


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", None, True])
def test_a_count_that_is_none_is_refused(wrong):
    before = get_threads()
    with pytest.raises(UsageError) as error:
        set_threads(wrong)
    assert str(error.value) == f"{wrong!r} threads cannot be had; give a whole number from 1 on"
    assert get_threads() == before


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"SYMOPT_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"SYMOPT_NUM_THREADS": "2", "OMP_NUM_THREADS": "1"}, 2),
        ({"SYMOPT_NUM_THREADS": "many"}, 3),
        ({"SYMOPT_NUM_THREADS": "0"}, 3),
    ],
)
def test_the_environment_says_how_many_threads_there_are(environment, wanted):
    code = """
        import symopt
        from symopt.catalog.lecture.gd import gd
        print(symopt.get_threads(), symopt.compile(gd)._threads())
    """
    cleared = {"OMP_NUM_THREADS": "", "SYMOPT_NUM_THREADS": "", "NUMBA_NUM_THREADS": "3"}
    found = ran(code, **(cleared | environment))
    assert found.stdout.split() == [str(wanted)] * 2, found.stderr
