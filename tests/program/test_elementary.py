"""Our own exp, log, tanh and erf beside mpmath, and what the compiler makes of them."""

import importlib.util
import itertools
import sys

import mpmath
import numba
import numpy as np
import pytest

from symopt.program.chebyshev import interpolant
from symopt.targets.elementary import ELEMENTARY, written_out
from symopt.targets.target import Options
from symopt.targets.templates import render

DTYPES = ["float32", "float64"]
NAMES = [one.name for one in ELEMENTARY]
LIBRARY = {one.name: one.library for one in ELEMENTARY}
BOUNDS = {one.name: float(one.ulps) for one in ELEMENTARY}
LOOP = """
@numba.njit(error_model="numpy")
def each_{name}(x, y):
    for i in range(x.size):
        y[i] = _{name}(x[i])


@numba.njit(error_model="numpy", fastmath={{"contract", "reassoc", "nsz"}})
def sum_{name}(x):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += _{name}(x[i])
    return total
"""
RANKS = """
@numba.njit
def rank_of(x):
    return _rank(x)


@numba.njit
def back(x):
    return _ranked(_rank(x))


@numba.njit
def largest(x):
    found = _rank(x[0])
    for i in range(x.size):
        found = max(found, _rank(x[i]))
    return _ranked(found)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A module with all of them, each in a loop of its own."""
    text = "import math\n\nimport numba\nimport numpy as np\n\n"
    text += render("numba", "elementary.py.jinja", **written_out(ELEMENTARY, Options(), True))
    text += "".join(LOOP.format(name=name) for name in NAMES) + RANKS
    path = tmp_path_factory.mktemp("own") / "own_functions.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("own_functions", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["own_functions"] = module
    spec.loader.exec_module(module)
    return module


def computed(own, name, x):
    found = np.empty_like(x)
    getattr(own, f"each_{name}")(x, found)
    return found


def compiled(kernel, dtype):
    """The compiler's code for arrays of this dtype."""
    (text,) = [kernel.inspect_llvm(one) for one in kernel.signatures if str(one[0].dtype) == dtype]
    return text


def wanted(name, x):
    """The exact value, as the nearest number of the dtype and what is left of it, in its ulps."""
    function = getattr(mpmath, LIBRARY[name])
    nearest, left = np.empty_like(x), np.zeros(x.size)
    with mpmath.workdps(30):
        for k, one in enumerate(x.tolist()):
            if name == "log" and one <= 0:
                nearest[k] = -np.inf if one == 0 else np.nan
                continue
            exact = function(mpmath.mpf(one))
            with np.errstate(over="ignore"):
                nearest[k] = x.dtype.type(float(exact))
            if np.isfinite(nearest[k]):
                ulp = float(np.spacing(np.abs(nearest[k])))
                left[k] = float((exact - mpmath.mpf(float(nearest[k]))) / ulp)
    return nearest, left


def worst(found, nearest, left):
    """The largest distance in ulps; where the exact value has no number, the two are the same."""
    finite = np.isfinite(nearest)
    np.testing.assert_array_equal(found[~finite], nearest[~finite])
    ulp = np.spacing(np.abs(nearest[finite]))
    off = (found[finite].astype(np.longdouble) - nearest[finite]) / ulp - left[finite]
    return float(np.abs(off).max())


def sample(name, dtype):
    """Arguments dense where the function changes its form, and all that are special."""
    source = np.random.default_rng(7)
    info = np.finfo(dtype)
    ends = {
        "exp": (float(np.log(info.smallest_subnormal)) - 2, float(np.log(info.max)) + 2),
        "exp_to_one": (float(np.log(info.smallest_subnormal)) - 2, 0.0),
        "log": (0.5, 2.0),
        "tanh": (-2.0, 2.0),
        "erf": (-2.0, 2.0),
    }[name]
    edges = np.array([0, -0.0, 1, -1, 0.5, 2, np.inf, -np.inf, np.nan, info.max, info.min])
    edges = np.concatenate([edges, [info.tiny, -info.tiny, info.smallest_subnormal]])
    near_log_max = np.log(info.max) * (1 + np.arange(-8, 9) * float(info.eps))
    powers = 2.0 ** np.arange(info.minexp - info.nmant, info.maxexp, 17)
    parts = [
        source.uniform(*ends, 4000), source.uniform(-1, 1, 1000), source.normal(size=300) * 1e-6,
        source.uniform(-25, 25, 500), edges, near_log_max, powers, 1 + powers[powers < 1],
    ]  # fmt: skip
    x = np.concatenate(parts).astype(dtype)
    return -abs(x) if name == "exp_to_one" else x


@pytest.mark.parametrize(("name", "dtype"), [*itertools.product(NAMES, DTYPES)])
def test_each_is_as_near_to_mpmath_as_its_docstring_says(own, name, dtype):
    x = sample(name, dtype)
    assert worst(computed(own, name, x), *wanted(name, x)) <= BOUNDS[name]


@pytest.mark.parametrize("name", ["exp", "exp_to_one", "log", "tanh"])
def test_float32_numbers_of_every_exponent_and_sign_are_within_the_bound(own, name):
    """Beside float64, whose own error is a billionth of an ulp of float32."""
    x = np.arange(0, 2**32, 509, dtype=np.uint64).astype(np.uint32).view(np.float32)
    x = x[~(x > 0)] if name == "exp_to_one" else x
    with np.errstate(all="ignore"):
        exact = getattr(np, LIBRARY[name])(x.astype(np.float64))
        nearest = exact.astype(np.float32)
        finite = np.isfinite(nearest)
        left = np.zeros(x.size)
        ulp = np.spacing(np.abs(nearest[finite]))
        left[finite] = (exact[finite] - nearest[finite]) / ulp
    assert worst(computed(own, name, x), nearest, left) <= BOUNDS[name]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "exp_to_one"])
def test_an_exponential_falls_to_zero_through_the_subnormal_numbers(own, name, dtype):
    info = np.finfo(dtype)
    smallest = float(np.log(np.longdouble(info.smallest_subnormal)))
    x = np.array([smallest + 0.25, smallest - 0.6, smallest - 0.75, -1e30], dtype)
    tiny = info.smallest_subnormal
    np.testing.assert_array_equal(computed(own, name, x), np.array([tiny, tiny, 0, 0], dtype))


@pytest.mark.parametrize(("name", "dtype"), [*itertools.product(["tanh", "erf"], DTYPES)])
def test_an_odd_function_keeps_the_sign_of_zero(own, name, dtype):
    found = computed(own, name, np.array([0.0, -0.0], dtype))
    np.testing.assert_array_equal(np.signbit(found), [False, True])


@pytest.mark.parametrize(("name", "dtype"), [*itertools.product(NAMES, DTYPES)])
def test_several_elements_are_computed_at_once_and_nothing_is_called(own, name, dtype):
    computed(own, name, np.ones(1, dtype))
    text = compiled(getattr(own, f"each_{name}"), dtype)
    real = {"float32": "float", "float64": "double"}[dtype]
    # the polynomial is computed of vectors, whatever their width on this machine
    assert any(f"x {real}>" in line for line in text.splitlines() if "fmul" in line)
    assert f"@{LIBRARY[name]}" not in text
    assert f"@llvm.{LIBRARY[name]}." not in text
    if dtype == "float32":
        assert "fpext" not in text


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_shorter_exponential_is_the_other_one_bit_by_bit(own, dtype):
    """Both are one polynomial by powers of two, rounded once: lifting all numbers costs nothing."""
    x = sample("exp_to_one", dtype)
    np.testing.assert_array_equal(computed(own, "exp_to_one", x), computed(own, "exp", x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "exp_to_one"])
def test_a_sum_in_any_order_leaves_the_order_within_the_exponential_alone(own, name, dtype):
    """Else 1.5·2^23 would be cancelled before it has rounded anything."""
    x = np.full(256, -7.3, dtype)
    kernel = getattr(own, f"sum_{name}")
    total = kernel(x)
    free = [line for line in compiled(kernel, dtype).splitlines() if "reassoc" in line]
    assert free
    assert all("fadd" in line for line in free)
    exact = x.size * float(mpmath.exp(mpmath.mpf(float(x[0]))))
    # how many sums run side by side is the machine's: 255 roundings of half an ulp in any order,
    # and an exponential of 1.1 ulp
    assert abs(float(total) - exact) <= (255 / 2 + 1.1) * np.finfo(dtype).eps * exact


def test_coefficients_are_those_of_the_function_at_chebyshev_nodes():
    """A cubic is met exactly; of e^x the error is the remainder's, (1/2)^n·2·e/(n + 1)! at most."""
    cubic = interpolant(lambda x: 2 - x + 5 * x**3, -3, 2, 3)
    assert [float(one) for one in cubic] == pytest.approx([2, -1, 0, 5], abs=1e-30)
    found = interpolant(mpmath.exp, -1, 1, 9)
    for one in np.linspace(-1, 1, 41):
        off = sum(float(c) * one**k for k, c in enumerate(found)) - np.exp(one)
        assert abs(off) <= np.e / (2**9 * 3628800) + 1e-15


def test_all_signatures_compile_for_whole_numbers_too(own):
    """A count that stands in an exponential is no element; it goes to the library."""

    @numba.njit
    def count(n):
        return own_exp(n)

    own_exp = own._exp
    assert count(2) == pytest.approx(np.exp(2.0), rel=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ranks_order_numbers_and_put_a_nan_of_either_sign_last(own, dtype):
    info = np.finfo(dtype)
    tiny = info.smallest_subnormal
    several = [-np.inf, info.min, -1, -tiny, -0.0, 0.0, tiny, info.tiny, 1, info.max, np.inf]
    x = np.array(several, dtype)
    ranks = [own.rank_of(one) for one in x]
    assert ranks == sorted(set(ranks))
    assert np.array([own.back(one) for one in x], dtype).tobytes() == x.tobytes()
    for one in (np.nan, -np.nan):
        assert own.rank_of(x.dtype.type(one)) > ranks[-1]
        assert np.isnan(own.back(x.dtype.type(one)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("place", [0, 3, 40, 99])
def test_the_largest_rank_is_that_of_the_largest_number(own, dtype, place):
    x = np.random.default_rng(place).normal(size=100).astype(dtype) - 5
    assert own.largest(x) == x.max()
    x[place] = np.nan
    assert np.isnan(own.largest(x))
    whole = {"float32": "i32", "float64": "i64"}[dtype]
    assert f"x {whole}> @llvm.smax" in compiled(own.largest, dtype)
