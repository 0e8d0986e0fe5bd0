"""Layers whose arrays are written with all their indices: how they read, and what is refused."""

import pytest
from sympy import Eq, Rational, S, tanh

from symopt.catalog.network.affine import affine
from symopt.catalog.network.convolution import convolution
from symopt.declaration import (
    TensorLayer,
    debias,
    normal,
    padded,
    shape,
    tensor_layer,
)
from symopt.declaration.display import display
from symopt.derivation.api import latex
from symopt.errors import DeclarationError
from symopt.nodes import Inside, Normal, Sigma
from symopt.notation import count, given, hyperparameter, index, learned, sequence
from symopt.printing.latex import latex as shown_latex
from symopt.printing.unicode import UnicodePrinter, unicode

n, j, k, p, i = map(index, "njkpi")
N, J, K, T, A = map(count, "NJKTA")
x, y, W, b = given("x"), sequence("y"), learned("W"), learned("b")
scale = hyperparameter("scale")
stride = hyperparameter("stride", S.Naturals)
X, WEIGHTS = shape(x, N, J), shape(W, J, K)
PRODUCT = Sigma(x[n, j] * W[j, k], (j, 1, J))


def test_a_layer_reads_as_in_a_paper():
    assert str(affine).splitlines()[1:] == [
        "  x ∈ ℝ^(N×J)",
        "  W ∈ ℝ^(J×K)",
        "  y[n,k] = Σ_{j=1..J} x[n,j]·W[j,k] + bₖ",
    ]
    assert latex(affine).splitlines() == [
        r"x \in \mathbb{R}^{N \times J} \\",
        r"W \in \mathbb{R}^{J \times K} \\",
        r"y_{n,k} = \sum_{j=1}^J x_{n,j} W_{j,k} + b_k",
    ]


def test_zeros_around_an_array_and_sums_of_sums_are_shown():
    assert str(convolution).splitlines()[1:] == [
        "  x ∈ ℝ^(N×C×U×V) with r zeros on either side of U and V",
        "  W ∈ ℝ^(O×C×A×B)",
        "  y[n,o,p,q] = Σ_{c=1..C} Σ_{i=1..A} Σ_{j=1..B} "
        "W[o,c,i,j]·x[n,c,s·(p − 1)+i−r,s·(q − 1)+j−r] + bₒ",
    ]
    assert latex(convolution).splitlines()[0] == (
        r"x \in \mathbb{R}^{N \times C \times U \times V}\text{ with }r"
        r"\text{ zeros on either side of }U\text{ and }V \\"
    )


def test_zeros_on_one_side_and_several_kinds_of_them_are_said():
    content = shape(x, padded(N, 0, 1), padded(J, 2, 1), padded(T, stride, 0))
    assert display(content, UnicodePrinter()) == (
        "x ∈ ℝ^(N×J×T) with 1 zeros after N and 2 zeros before and 1 after J "
        "and stride zeros before T"
    )


def test_a_bracket_and_a_draw_are_shown():
    bracket = Inside(p - i, 1, A)
    assert unicode(bracket) == "[1 ≤ p−i ≤ A]"
    assert shown_latex(bracket) == r"[1 \leq p-i \leq A]"
    assert unicode(normal((2 / (J * K)) ** Rational(1, 2))) == "N(0, 2/(J·K))"
    assert shown_latex(normal(1)) == r"\mathcal{N}(0, 1)"


def test_several_limits_are_sums_of_sums():
    assert Sigma(x[n, j], (n, 1, N), (j, 1, J)) == Sigma(Sigma(x[n, j], (j, 1, J)), (n, 1, N))


def test_lengths_and_ranges_are_told_by_each_other():
    outline = convolution.outline
    assert [unicode(one) for one in outline.arrays] == ["x", "W", "b"]
    assert {unicode(one): str(last) for one, last in outline.ranges.items()} == {
        **{"c": "C", "i": "A", "j": "B", "n": "N", "o": "O", "p": "P", "q": "Q"}
    }
    assert [str(one) for one in outline.shapes[outline.learned[1]]] == ["O"]
    assert unicode(outline.batch) == "n"


def test_the_output_may_name_its_lengths():
    declared = layer(
        input=shape(x, N, T),
        output_shape=shape(y, N, K),
        output=Eq(y[n, p], x[n, p + 1] * W[p]),
        weights=shape(W, K),
    )
    assert str(declared.outline.ranges[p]) == "K"


def layer(**statements) -> TensorLayer:
    """A layer called ``own`` from its statements."""

    def own():
        return statements

    return tensor_layer(own)


def started(start, **statements) -> TensorLayer:
    def own():
        return statements

    return tensor_layer(initial=start)(own)


AFFINE = {"input": X, "weights": WEIGHTS, "output": Eq(y[n, k], PRODUCT)}
MISTAKES = {
    "no equation": (
        lambda: layer(input=X),
        "own has no equation; write Eq(y[n, k], …) with the output on its left side",
    ),
    "two equations": (
        lambda: layer(**AFFINE, more=Eq(sequence("z")[n], x[n, 1])),
        "own has 2 equations; a tensor layer is one, of its output; declare several layers, one "
        "after the other",
    ),
    "a request": (
        lambda: layer(**AFFINE, more=debias(y)),
        "own.more states what a tensor layer has no use for; write equations, shapes and defaults",
    ),
    "an output at a place": (
        lambda: layer(input=X, weights=WEIGHTS, output=Eq(y[n, k + 1], PRODUCT)),
        "own.output has y[n,k+1] on its left side; write the output with an index of its own for "
        "each axis, such as y[n, k]",
    ),
    "a given output": (
        lambda: layer(input=X, output=Eq(x[n, j], 2 * x[n, j])),
        "own.output defines x, which is given; make the output with sequence('y')",
    ),
    "a function": (
        lambda: layer(input=X, weights=WEIGHTS, output=Eq(y[n, k], tanh(PRODUCT))),
        "own.output holds tanh(Σ_{j=1..J} W[j,k]·x[n,j]), which is no sum of products of arrays; "
        "let this layer end before it, and a layer of elements do the rest",
    ),
    "a quotient": (
        lambda: layer(input=X, output=Eq(y[n, j], 1 / x[n, j])),
        "own.output holds 1/x[n,j], which is no sum of products of arrays; let this layer end "
        "before it, and a layer of elements do the rest",
    ),
    "a place as a number": (
        lambda: layer(input=X, output=Eq(y[n, j], j * x[n, j])),
        "own.output multiplies by j, which depends on the place; let an array hold such numbers",
    ),
    "a decimal": (
        lambda: layer(input=X, output=Eq(y[n, j], 0.5 * x[n, j])),
        "own.output holds 0.5, which is not exact; write Rational(1, 2) or a hyperparameter",
    ),
    "an unbound index": (
        lambda: layer(input=X, weights=WEIGHTS, output=Eq(y[n, k], x[n, j] * W[j, k])),
        "own.output reads W[j,k], but no sum binds j; write Sigma(…, (j, 1, …)) around it, or let "
        "the output have it",
    ),
    "an index twice": (
        lambda: layer(input=X, weights=WEIGHTS, output=Eq(y[n, k], Sigma(PRODUCT, (n, 1, N)))),
        "own.output sums over n, which has a meaning outside of the sum already; take another "
        "letter for it",
    ),
    "an index with two ends": (
        lambda: layer(
            input=X,
            weights=WEIGHTS,
            output=Eq(y[n, k], PRODUCT + Sigma(x[n, j] * W[j, k], (j, 1, K))),
        ),
        "own.output lets j run to J and to K; take another letter for one of them",
    ),
    "a sum without an end": (
        lambda: layer(input=X, weights=WEIGHTS, output=Eq(y[n, k], Sigma(x[n, j] * W[j, k], j))),
        "own.output has the sum Σ_j W[j,k]·x[n,j], of which it is not known how far it runs; write "
        "Sigma(…, (j, 1, J)) with a count, a whole number or a hyperparameter in whole numbers",
    ),
    "its own output": (
        lambda: layer(input=X, output=Eq(y[n, j], x[n, j] + y[n, j])),
        "own.output reads its own output y[n,j]; let it read inputs and what is learned",
    ),
    "an unknown letter": (
        lambda: layer(input=X, output=Eq(y[n, j], x[n, j] + sequence("z")[n, j])),
        "own.output reads z[n,j], which no equation defines; declare z with given(…) or learned(…)",
    ),
    "no shape": (
        lambda: layer(weights=WEIGHTS, output=Eq(y[n, k], PRODUCT)),
        "own.output reads x[n,j], but the lengths of all axes of x are not known; state them, as "
        "in shape(x, N, J), in own",
    ),
    "half a place": (
        lambda: layer(input=X, output=Eq(y[n, p], x[n, p / 2])),
        "own.output reads x[n,1/2·p] at 1/2·p, which is no whole number made of indices, counts "
        "and hyperparameters; write one such as 2*p + i",
    ),
    "a free output": (
        lambda: layer(input=X, output=Eq(y[n, j, k], x[n, j])),
        "own.output defines y[n,j,k], but reads nothing at k; leave k out of the output of own, or "
        "let an array have it",
    ),
    "no input": (
        lambda: layer(weights=WEIGHTS, output=Eq(y[j, k], W[j, k])),
        "own reads no input; declare one with given('x') and let its equation read it",
    ),
    "lengths that differ": (
        lambda: layer(input=X, weights=shape(W, K, J), output=Eq(y[n, k], PRODUCT)),
        "own.output reads W[j,k], where j runs to J, but axis 0 of W has the length K; let the two "
        "agree",
    ),
    "axes that differ": (
        lambda: layer(input=shape(x, N, J, T), weights=WEIGHTS, output=Eq(y[n, k], PRODUCT)),
        "own.output reads x[n,j], but x has 3 axes; write as many indices",
    ),
    "the shape of nothing": (
        lambda: layer(**AFFINE, more=shape(b, K)),
        "own.more gives the shape of b, which nothing reads",
    ),
    "an output of another shape": (
        lambda: layer(**AFFINE, more=shape(y, N, T)),
        "own.more gives y other lengths than its indices: N, K",
    ),
    "an output with other axes": (
        lambda: layer(**AFFINE, more=shape(y, N, K, T)),
        "own.more gives y 3 axes, but it is written with 2 indices; let the two agree",
    ),
    "an output as long as something else": (
        lambda: layer(**AFFINE, more=shape(y, N, J)),
        "own.output reads W[j,k], where k runs to J, but axis 1 of W has the length K; let the two "
        "agree",
    ),
    "zeros around the output": (
        lambda: layer(**AFFINE, more=shape(y, N, padded(K, 1))),
        "own.more has zeros around the output; only what is read has them",
    ),
    "a length that none has": (
        lambda: layer(input=shape(x, N, T), output=Eq(y[n, p], Sigma(x[n, p + i], (i, 1, A)))),
        "own.output needs A, which is the length of no axis of an array that own reads; make it a "
        "hyperparameter in Naturals",
    ),
    "a start of what is given": (
        lambda: started({x: 0}, **AFFINE),
        "own starts x from 0; give a start to what is learned, such as initial={b: 0}",
    ),
    "a start that depends on the batch": (
        lambda: started({W: normal(1 / N)}, **AFFINE),
        "own starts W from N(0, 1/N²), but N is no length of what is learned; use those and "
        "hyperparameters",
    ),
    "a negative deviation": (
        lambda: started({W: normal(-1)}, **AFFINE),
        "normal was given the deviation -1; write one from 0 on",
    ),
    "a mean that is not 0": (
        lambda: started({W: Normal(1, 1)}, **AFFINE),
        "own starts W from N(1, 1), which is no number to start from; write a real number, or "
        "normal(…) with a deviation from 0 on",
    ),
    "a bare letter": (
        lambda: shape(3, N),
        "shape was given 3, which is no array; write shape(x, N, J) with the bare letter that "
        "given(…) or learned(…) made",
    ),
    "no axes": (lambda: shape(x), "x has a shape without axes; write one or more"),
    "a length that is none": (
        lambda: shape(x, N, scale),
        'x has an axis of length scale; write a count such as count("N"), a hyperparameter in '
        "whole numbers, or a whole number from 1 on",
    ),
    "zeros that are no number": (
        lambda: shape(x, padded(N, stride - 2)),
        "x has −2 + stride zeros beside an axis; write a whole number from 0 on, or a "
        "hyperparameter in Naturals0",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_an_author_is_answered_in_one_sentence(name):
    make, message = MISTAKES[name]
    with pytest.raises(DeclarationError) as error:
        make()
    assert str(error.value) == message


def test_two_layers_that_differ_in_their_zeros_have_two_fingerprints():
    plain = layer(input=shape(x, N, T), output=Eq(y[n, p], x[n, p + 1]))
    around = layer(input=shape(x, N, padded(T, 1)), output=Eq(y[n, p], x[n, p + 1]))
    assert plain.fingerprint != around.fingerprint
