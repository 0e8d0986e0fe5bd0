"""What becomes a product of matrices, from indices alone, and what stays loops."""

from dataclasses import replace
from pathlib import Path

import pytest
from sympy import Eq, symbols

from symopt.catalog.network.affine import affine
from symopt.catalog.network.convolution import convolution
from symopt.cli.library import from_file
from symopt.declaration import shape, tensor_layer
from symopt.derivation.tensor_layer import derive_tensor_layer
from symopt.nodes import Sigma
from symopt.notation import count, given, index, learned, sequence
from symopt.program.arrange import arranged, in_own_order
from symopt.program.ir import Loop, Row, WhereOne, Whole
from symopt.program.lower_tensor import lower_tensor
from symopt.program.tensor_invariants import check
from symopt.program.tensor_ir import (
    Added,
    Blocks,
    Clear,
    IfFinite,
    MatrixProduct,
    Run,
    Scale,
    Space,
    Stacked,
    nodes,
)

USERS = Path(__file__).parent.parent / "data/tensor_layers.py"
n, j, k, s, g = symbols("n j k s g")
N, J, K = map(count, "NJK")


@pytest.fixture(scope="module")
def programs():
    layers = (affine, convolution, *from_file(USERS))
    return {one.name: lower_tensor(derive_tensor_layer(one)) for one in layers}


def kinds(function):
    return [type(node) for node in nodes(function.body)]


def test_rows_columns_and_stacks_follow_from_the_counters():
    plain = arranged((n, j), (j, k), (n, k))
    assert (plain.stack, plain.rows, plain.inner, plain.columns) == ((), (n,), (j,), (k,))
    assert not plain.swapped
    at_places = arranged((n, j, s), (j, k), (n, k, s))
    assert (at_places.stack, at_places.rows, at_places.columns) == ((n,), (k,), (s,))
    assert at_places.swapped
    groups = arranged((n, g, j), (g, j, k), (n, g, k))
    assert (groups.stack, groups.rows, groups.columns) == ((n, g), (), (k,))


@pytest.mark.parametrize(
    ("one", "other", "target"),
    [
        ((n, j), (k,), (n, k)),  # j is summed alone
        ((n,), (k,), (n, k)),  # nothing is summed
        ((n, j), (j, k), (n, k, s)),  # nothing tells s
        ((j,), (j,), ()),  # one number
    ],
)
def test_what_is_no_product_of_matrices(one, other, target):
    assert arranged(one, other, target) is None
    assert in_own_order(one, other, target, n, None) is None


def test_an_order_that_the_target_has_not_is_one_of_its_own():
    assert arranged((j, n, s), (j, k, s), (n, k, s)) is None
    found = in_own_order((j, n, s), (j, k, s), (n, k, s), k, None)
    assert (found.stack, found.rows, found.inner, found.columns) == ((s,), (n,), (j,), (k,))


def test_an_affine_layer_is_three_products_without_a_copy(programs):
    forward, backward = programs["affine"].forward, programs["affine"].backward
    assert kinds(forward) == [MatrixProduct, Run]
    assert kinds(backward) == [MatrixProduct, MatrixProduct, Run]
    assert [one.name for one in backward.results if one.wide] == ["db"]
    orders = [(node.left.order, node.right.order) for node in backward.body[:2]]
    assert orders == [((0, 1), (1, 0)), ((1, 0), (0, 1))]


def test_a_layer_at_each_place_stacks_examples(programs):
    (product,) = programs["dense_at_each_place"].forward.body
    assert [len(one.groups) for one in (product.left, product.right, product.target)] == [2, 3, 3]


def test_a_convolution_writes_windows_out_and_adds_their_gradients_up(programs):
    forward, backward = programs["convolution"].forward, programs["convolution"].backward
    assert kinds(forward) == [IfFinite, Blocks, Run, MatrixProduct, Clear, Run, Run]
    assert [one.name for one in forward.kernels] == ["_write_x_windows", "_add_to_y", "_add_to_y_2"]
    names = [one.name for one in backward.kernels]
    assert names == ["_add_dx_windows", "_write_x_windows", "_add_to_dW", "_add_to_db"]
    assert Added in kinds(backward)
    assert [one.name for one in backward.results if one.wide] == ["dW", "db"]
    (shared,) = {
        one
        for part in (forward, backward)
        for one in part.kernels
        if one.name == "_write_x_windows"
    }
    assert shared.over == "x_windows"


def test_windows_of_one_example_are_written_out_at_once(programs):
    forward = programs["single"].forward
    assert kinds(forward) == [IfFinite, Space, Run, MatrixProduct, Clear, Run]
    product = forward.body[0].then[-1]
    assert product.left.order == (1, 0, 2)  # outputs by channels and places of the window


def test_zeros_are_left_out_by_the_bounds_of_loops(programs):
    """No branch stands inside of a loop, and arrays are rows in the innermost one."""
    gather = programs["convolution"].forward.kernels[0]
    (one,) = gather.body
    for body, steps in ((one.near, {1}), (one.apart, {1, one.number})):
        depth, bounds = 0, {}
        while True:
            bounds[depth] = [str(node.target) for node in body if isinstance(node, Whole)]
            (loop,) = [node for node in body if isinstance(node, Loop)]
            depth += 1
            rows = [node for node in body if isinstance(node, Row)]
            if not any(isinstance(node, Loop) for node in loop.body):
                break
            body = loop.body
        assert depth == 6
        assert [row.name for row in rows] == ["x_row", "x_windows_row"]
        assert {row.step for row in rows} == steps
        # of windows n, c, i, j, p, q: known with i and j, before the loops over p and q
        assert bounds[3] == ["p_start", "p_stop"]
        assert bounds[4] == ["q_start", "q_stop", "q_count"]


def test_bounds_stand_outside_of_all_loops_that_they_do_not_depend_on(programs):
    """Else each row of a window would pay for divisions by the stride."""

    def watched(body, counters):
        known = set(counters[-1:])
        for node in body:
            if isinstance(node, Whole):
                assert not counters or node.value.free_symbols & known, node
                known.add(node.target)
            elif isinstance(node, Loop):
                watched(node.body, [*counters, node.counter])
            elif isinstance(node, WhereOne):
                watched(node.near, counters)
                watched(node.apart, counters)

    kernels = [
        kernel
        for program in programs.values()
        for part in (program.forward, program.backward)
        for kernel in part.kernels
    ]
    assert any(isinstance(kernel.body[0], WhereOne) for kernel in kernels)
    for kernel in kernels:
        watched(kernel.body, [])


def test_products_of_three_and_of_one_are_loops(programs):
    for name in ("bilinear", "mean_pooling"):
        for function in (programs[name].forward, programs[name].backward):
            assert MatrixProduct not in kinds(function)
            assert all(one.wide for one in function.results)


def test_a_number_before_a_product_is_one_factor_of_it(programs):
    found = kinds(programs["mixed"].forward)
    assert Scale not in found  # as all products there are of squares, or of three
    assert sum(one is Run for one in found) == 5


def test_a_broken_program_is_noticed(programs):
    forward = programs["affine"].forward
    product, bias = forward.body
    broken = {
        "factors have like inner axes": replace(
            product, left=Stacked("x", (1, 0), product.left.groups[::-1])
        ),
        "views have all axes": replace(product, target=Stacked("y", (1, 0), product.target.groups)),
        "what is read is known": replace(product, left=replace(product.left, array="z")),
        "only outputs are written": replace(product, target=replace(product.target, array="x")),
    }
    for words, node in broken.items():
        with pytest.raises(AssertionError, match=words):
            check(replace(forward, body=(node, bias)))
    renamed = Run(replace(bias.kernel, over="b"))
    with pytest.raises(AssertionError, match="kernels are told apart"):
        check(replace(forward, body=(product, bias, renamed)))


def test_no_counter_is_called_like_a_letter():
    """The index b and the weights b meet in a kernel, as do the index part and a kernel's own."""
    b, part, m = index("b"), index("part"), index("n")
    x, y, weights = given("x"), sequence("y"), learned("b")

    @tensor_layer
    def clash():
        return {
            "input": shape(x, N, J),
            "weights": shape(weights, J, K),
            "output": Eq(y[m, part], Sigma(x[m, b] ** 2 * weights[b, part], (b, 1, J))),
        }

    program = lower_tensor(derive_tensor_layer(clash))
    assert program.forward.kernels
    for kernel in (*program.forward.kernels, *program.backward.kernels):
        taken = {argument.name for argument in kernel.arguments} | {"part", "real", "scale"}
        counters = {loop.counter.name for loop in _loops(kernel.body)}
        assert counters == {"n", "b_", "part_"}
        assert not counters & taken


def _loops(body):
    for node in body:
        if isinstance(node, Loop):
            yield node
            yield from _loops(node.body)
