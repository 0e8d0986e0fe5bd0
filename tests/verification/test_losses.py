"""Losses written by hand are accepted in whichever form; one slip refutes them, and says where."""

from dataclasses import replace

import pytest
from handwritten_losses import KINDS, SHIFTED, loss_subject, slipped_loss
from sampling import every
from sympy import Abs, Eq, KroneckerDelta, Max, exp, log

from symopt.declaration import loss
from symopt.errors import DeclarationError
from symopt.judging import verify
from symopt.nodes import Sigma
from symopt.notation import count, given, label, sequence, statistic
from symopt.symbols import example, m
from symopt.verification import judge_layer

DTYPES = ("float32", "float64")


@pytest.mark.parametrize(
    ("kind", "dtype"),
    every(3, [("shifted", "float32"), ("alone", "float64"), ("squared", "float32")]),
)
def test_a_loss_written_by_hand_is_accepted(library, kind, dtype):
    text, name, make = KINDS[kind]
    verdict = judge_layer(library[name], make(text), dtype)
    assert verdict.ok, verdict.message
    assert verdict.error <= verdict.bound < 30
    assert verdict.points > 40000
    # logits of 10^11 are judged like any other
    assert verdict.out_of_range < 20


SMOOTH = "(z.shape[1] - 1)"
SHIFT = "np.exp(z - M[:, None]) / Z"
MEAN = '"mean": np.mean'
# which loss, what is changed, into what, and where the verdict points
SLIPS = [
    ("shifted", SMOOTH, "z.shape[1]", "label_smoothing.loss, loss"),
    ("shifted", "T(other) * (1 - hit)", "T(other)", "label_smoothing.loss, loss"),
    ("shifted", "+ T(other) * (1 - hit)", "", "label_smoothing.loss, loss"),
    ("shifted", "loss = -(q", "loss = (q", "label_smoothing.loss, loss"),
    ("shifted", "== labels[:, None]", "== labels[:, None] - 1", "label_smoothing.loss, loss"),
    ("shifted", "u - np.log(Z)[:, None]", "u - Z[:, None]", "label_smoothing.loss, loss"),
    ("shifted", "M = z.max(axis=1)", "M = z.mean(axis=1)", "label_smoothing.largest, M"),
    ("shifted", "M = z.max(axis=1)", "M = np.maximum(z.max(axis=1), 0)", "label_smoothing.largest"),
    ("shifted", "u = z - M[:, None]", "u = z", "label_smoothing.total, Z"),
    ("shifted", MEAN, '"mean": lambda x: x.sum() / len(x)', "label_smoothing.loss, loss"),
    ("shifted", '"sum": np.sum', '"sum": np.mean', "label_smoothing.loss, loss"),
    ("shifted", SHIFT, "np.exp(z) / Z", "softmax_cross_entropy, dL/dz"),
    ("shifted", "* q.sum(axis=1)[:, None] - q", "* q.sum(axis=1)[:, None] + q", "softmax_cross"),
    ("shifted", "dloss / count", "dloss / shape[0]", "softmax_cross_entropy, dL/dz"),
    ("shifted", 'if reduction == "mean" else 1', "", "softmax_cross_entropy, dL/dz"),
    ("shifted", "return dloss[:, None] * (p", "return (p", "softmax_cross_entropy, dL/dz"),
    ("alone", "(q * z).sum", "z.sum", "label_smoothing.loss, loss"),
    ("alone", "logarithms(z)) * q", "z - z.max()) * q", "softmax_cross_entropy, dL/dz"),
    ("alone", "keepdims=True) - q", "keepdims=True)", "softmax_cross_entropy, dL/dz"),
    ("squared", ".mean(axis=axes)", ".sum(axis=axes)", "squared_error.loss, loss"),
    ("squared", "return dx, -dx", "return dx, dx", "squared_error, dL/dtarget"),
    ("squared", "dx = 2 *", "dx =", "squared_error, dL/dx"),
    ("squared", "x[0].size", "x.shape[1]", "squared_error, dL/dx"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "old", "new", "where"), SLIPS)
def test_a_slip_in_a_loss_is_refuted(library, kind, old, new, where):
    name, kernels = slipped_loss(kind, old, new)
    verdict = judge_layer(library[name], kernels)
    assert verdict.where.startswith(where), verdict.message
    assert "with z = " in verdict.message or "with x = " in verdict.message


TOTAL = "total = M + np.log(np.exp(z - M[:, None]).sum(axis=1))"
LARGE = [
    # e^10000 is no number of either format
    (TOTAL, "total = np.log(np.exp(z).sum(axis=1))", "kernel -inf"),
    # what is added to M before it is taken from z is lost where z is large
    ("np.exp(logarithms(z))", "np.exp(z - (z - logarithms(z)))", "ulp where"),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("old", "new", "words"), LARGE)
def test_logits_of_ten_thousand_refute_what_ordinary_ones_do_not(library, old, new, words, dtype):
    name, kernels = slipped_loss("alone", old, new)
    message = judge_layer(library[name], kernels, dtype).message
    assert words in message
    assert any(kind in message for kind in ("of ten thousand data", "far from zero data"))


REFUSALS = [
    ("np.any(labels < 0) or", "", "labels that hold -1, of 4 elements,"),
    ('labels.dtype.kind not in "iu" or', "", "labels of shape (3,) and float64"),
    (
        'reduction not in ("mean", "sum", "none")',
        "False",
        "a reduction 'median': KeyError in place of a refusal",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), every(3, REFUSALS))
def test_what_does_not_fit_a_loss_must_be_refused(library, old, new, words):
    name, kernels = slipped_loss("shifted", old, new)
    verdict = judge_layer(library[name], kernels)
    assert not verdict.ok
    assert words in verdict.message


def test_a_bad_logit_is_not_hidden(library):
    name, kernels = slipped_loss(
        "alone", "return reduced(loss", "return reduced(np.nan_to_num(loss)"
    )
    verdict = judge_layer(library[name], kernels)
    assert "does not exist" in verdict.message or "hides" in verdict.message
    hidden = "M = np.fmax.reduce(z, axis=1)"  # leaves NaN out
    name, kernels = slipped_loss("shifted", "M = z.max(axis=1)", hidden)
    message = judge_layer(library[name], kernels).message
    assert message.startswith("label_smoothing.largest, M at 1, 2: the kernel hides nan behind")


def test_labels_of_the_wrong_type_are_told_apart_from_labels_that_are_read_wrongly(library):
    old = "labels = np.asarray(labels)"
    name, kernels = slipped_loss("shifted", old, f"{old}\n    labels = labels.view('i8')")
    assert "labels of int32" in judge_layer(library[name], kernels).message


z, x, target = given("z"), given("x"), given("target")
K, labels = count("K"), label("l", python="labels")
total, own = statistic("loss"), statistic("s")


def declared(name, equations, **options):
    def stated():
        return equations

    stated.__name__ = name
    return loss(**options)(stated)


def hinge():
    """By how much each other class comes within 1 of the labelled one."""
    hit = KroneckerDelta(example, labels)
    return declared(
        "hinge",
        {
            "own": Eq(own, Sigma(z[example] * hit, (example, 1, K))),
            "loss": Eq(total, Sigma(Max(0, 1 + z[example] - own) * (1 - hit), (example, 1, K))),
        },
        over="C",
    )


HINGE = """
def hits(z, labels):
    return np.arange(z.shape[1]).reshape((1, -1) + (1,) * (z.ndim - 2)) == labels[:, None]

def forward(z, labels):
    own = np.take_along_axis(z, labels[:, None], axis=1)
    return (np.maximum(0, 1 + z - own) * ~hits(z, labels)).sum(axis=1), own[:, 0]

def backward(dloss, z, labels, s):
    over = np.heaviside(1 + z - s[:, None], 0) * ~hits(z, labels)
    over -= hits(z, labels) * over.sum(axis=1, keepdims=True)
    return dloss[:, None] * over
"""


@pytest.mark.parametrize("dtype", every(2, DTYPES))
def test_a_loss_with_kinks_and_a_labelled_element_is_judged(dtype):
    make = replace(loss_subject(HINGE, "s"), checks=False)
    verdict = judge_layer(hinge(), make, dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 30000
    wrong = HINGE.replace("over -= hits", "over += hits")
    verdict = judge_layer(hinge(), replace(loss_subject(wrong, "s"), checks=False), dtype)
    assert verdict.where.startswith("hinge, dL/dz at "), verdict.message


def logistic():
    """The logarithm of 1 + e^x less x·target, in which two kinks at 0 cancel."""
    soft = Max(x[example], 0) + log(1 + exp(-Abs(x[example])))
    body = soft - x[example] * target[example]
    return declared("logistic", {"loss": Eq(total, Sigma(body, (example, 1, m)))}, over="C H W")


LOGISTIC = """
def forward(x, target):
    axes = tuple(range(1, x.ndim))
    soft = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return (soft - x * target).sum(axis=axes)

def backward(dloss, x, target):
    wide = dloss.reshape((-1,) + (1,) * (x.ndim - 1))
    small = np.exp(-np.abs(x))
    return wide * (np.where(x > 0, 1, small) / (1 + small) - target), -wide * x
"""


@pytest.mark.parametrize("dtype", every(2, DTYPES))
def test_where_kinks_cancel_a_point_is_counted_and_not_judged(dtype):
    make = loss_subject(LOGISTIC, by=("x", "target"), checks=False)
    verdict = judge_layer(logistic(), make, dtype)
    assert verdict.ok, verdict.message
    assert verdict.out_of_range  # the zeros
    wrong = LOGISTIC.replace("np.where(x > 0, 1, small)", "small")
    make = loss_subject(wrong, by=("x", "target"), checks=False)
    verdict = judge_layer(logistic(), make, dtype)
    assert verdict.where.startswith("logistic, dL/dx at "), verdict.message


def test_a_label_is_a_number_that_counts_from_one():
    squares = Sigma((z[example] - labels) ** 2, (example, 1, K))
    ordinal = declared("ordinal", {"loss": Eq(total, squares)}, over="C")
    text = """
def forward(z, labels):
    return ((z - labels[:, None] - 1) ** 2).sum(axis=1).astype(z.dtype)

def backward(dloss, z, labels):
    return (dloss[:, None] * 2 * (z - labels[:, None] - 1)).astype(z.dtype)
"""
    assert judge_layer(ordinal, loss_subject(text, checks=False)).ok
    wrong = loss_subject(text.replace(" - 1) ** 2", ") ** 2"), checks=False)
    assert judge_layer(ordinal, wrong).where.startswith("ordinal.loss, loss")


def test_a_loss_that_ends_in_a_letter_of_each_element_is_refused():
    y = sequence("y")
    open_ended = declared("open_ended", {"output": Eq(y[example], x[example] ** 2)}, over="C")
    with pytest.raises(DeclarationError) as error:
        judge_layer(open_ended, loss_subject(SHIFTED))
    assert str(error.value) == (
        "open_ended ends in no number for a group; let its last equation define a statistic"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("softmax_cross_entropy_each", "float32"),
        ("squared_error", "float64"),
    ],
)
def test_a_generated_loss_is_verified(library, name, dtype):
    verdict = verify(library[name], dtype)
    assert verdict.ok, verdict.message
    assert verdict.points > 60000
    assert verdict.note.startswith(("at ", "proved for every size of a group: "))
