"""Generated losses with one word changed are refuted."""

import pytest
from sampling import every

from symopt.judging import verify

HIT, LATER = "c == labels[n, s]", "c == labels[n, s] + 1"
KERNELS = [
    ("softmax_cross_entropy", "float32", HIT, LATER, "label_smoothing.loss, loss"),
    ("softmax_cross_entropy", "float64", "(K - 1.0)", "K", "label_smoothing.loss, loss"),
    ("softmax_cross_entropy", "float32", "largest_1 = -math.inf", "largest_1 = 0.0", "label_sm"),
    (
        "softmax_cross_entropy_each",
        "float64",
        "(-q + p * total_1_real)",
        "(p - q)",
        "softmax_cross",
    ),
    ("squared_error", "float32", "= -dx_scale", "= dx_scale", "squared_error, dL/dtarget"),
    ("softmax_cross_entropy", "float32", "z[n, labels_n] -", "z[n, 0] -", "softmax_cross_entropy"),
    # right for small arrays
    (
        "squared_error",
        "float64",
        "start:start + 1024]",
        "start:start + 1000]",
        "squared_error.loss",
    ),
    (
        "softmax_cross_entropy_all",
        "float32",
        "for n in range(begin, end)",
        "for n in range(begin, min(end, 3))",
        "",
    ),
]
AROUND = [
    ("return math.prod(shapes.group)", "return shapes.group[0]", "label_smoothing.loss, loss"),
    ("whole / _losses(shapes, reduction)", "whole", "softmax_cross_entropy, dL/dz"),
    ("None if np.ndim(one) else float(one)", "float(np.mean(one))", "softmax_cross_entropy, "),
]


@pytest.mark.parametrize(("name", "dtype", "old", "new", "where"), every(3, KERNELS))
def test_a_kernel_of_a_loss_with_a_slip_is_refuted(mutant, name, dtype, old, new, where):
    declared, module = mutant(name, old, new)
    verdict = verify(declared, dtype, module=module)
    assert not verdict.ok
    assert verdict.where.startswith(where), verdict.message


@pytest.mark.parametrize(("old", "new", "where"), every(3, AROUND))
def test_what_stands_around_the_kernels_of_a_loss_is_judged(mutant, old, new, where):
    declared, module = mutant("softmax_cross_entropy", old, new)
    verdict = verify(declared, module=module)
    assert not verdict.ok
    assert verdict.where.startswith(where), verdict.message
