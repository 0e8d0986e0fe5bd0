"""The derived terms of a tensor layer ⇒ its two functions: matrix products, and loops for the rest.

Where a product of two arrays is recognized as one of matrices it becomes one. An array that is read
in windows is written out first, each entry of a window by itself; a gradient by it is found for
each window and then added up. Everything else is a kernel of loops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr

from symopt.declaration.checks import RESERVED
from symopt.derivation.tensor_layer import TensorBackward
from symopt.notation import Sequence
from symopt.program.arrange import Axes
from symopt.program.box_kernels import ADD, SET, box_kernel, copying_kernel, loop_order
from symopt.program.contractions import (
    Contraction,
    all_indices,
    counters,
    of_gradient,
    of_output,
)
from symopt.program.ir import Kernel
from symopt.program.layout import adjoint_name
from symopt.program.matrix_plans import Plan, planned
from symopt.program.tensor_invariants import check
from symopt.program.tensor_ir import (
    Added,
    Blocks,
    Clear,
    HostNode,
    IfFinite,
    MatrixProduct,
    Result,
    Run,
    Scale,
    Space,
    TensorFunction,
)

# what kernels call their own, beside names that end in _row, _entry, _start, _stop and _count
OWN = ("part", "real", "scale")


@dataclass(frozen=True)
class TensorProgram:
    """The two functions of a layer."""

    forward: TensorFunction
    backward: TensorFunction


def lower_tensor(backward: TensorBackward) -> TensorProgram:
    """The output from inputs and what is learned, and all gradients from dL/dy.

    Raises
    ------
    LoweringError
        For a place that no loop can walk.
    """
    outline = backward.layer.outline
    taken = {*letter_names(backward), *OWN, *RESERVED}
    indices = counters(all_indices(backward), taken)
    output = tuple(indices.of[one] for one in outline.output.indices)
    y = outline.output.base.spelling.python
    forward = _function(
        "forward",
        _python(outline.arrays),
        {y: (outline.output_shape, of_output(backward, indices))},
        output,
    )
    gradients = {
        adjoint_name(one.letter): (
            outline.shapes[one.letter],
            of_gradient(outline, one, indices),
        )
        for one in backward.gradients
    }
    read = (f"d{y}", *_python(_needed(backward, gradients)))
    return _told_apart(TensorProgram(forward, _function("backward", read, gradients, output)))


def letter_names(backward: TensorBackward) -> set[str]:
    """The Python names of all letters but indices, those of gradients among them."""
    outline = backward.layer.outline
    names = _python((*outline.arrays, outline.output.base))
    lengths = (one for shape in outline.shapes.values() for one in shape)
    sizes = (*lengths, *outline.ranges.values(), *backward.layer.hyperparameters)
    return {*names, *(f"d{name}" for name in names), *map(str, sizes)}


def _python(letters: tuple[Sequence, ...]) -> tuple[str, ...]:
    return tuple(one.spelling.python for one in letters)


Results = dict[str, tuple[tuple[Expr, ...], tuple[Contraction, ...]]]


def _needed(backward: TensorBackward, gradients: Results) -> tuple[Sequence, ...]:
    """What the gradients read, the inputs, and what else tells a length."""
    outline = backward.layer.outline
    read = {
        access.array
        for _, several in gradients.values()
        for one in several
        for access in one.factors
    }
    told = set(outline.output_shape)
    found = []
    for letter in outline.arrays:
        new = any(one not in told for one in outline.shapes[letter])
        if letter.spelling.python in read or letter in outline.inputs or new:
            told |= set(outline.shapes[letter])
            found.append(letter)
    return tuple(found)


def _function(name: str, arrays: tuple[str, ...], results: Results, output: Axes) -> TensorFunction:
    body: list[HostNode] = []
    made = []
    for result, (lengths, contractions) in results.items():
        plans = [(one, planned(one, output)) for one in contractions]
        wide = any(plan.summed if plan else one.sums for one, plan in plans)
        made.append(Result(result, lengths, wide))
        # a product of matrices first, as it may be written where it belongs
        plans.sort(key=lambda pair: pair[1] is None or not pair[1].direct)
        fresh = not wide and bool(plans) and plans[0][1] is not None and plans[0][1].direct
        body += [] if wide or fresh else [Clear(result)]
        for place, (one, plan) in enumerate(plans):
            loops = Run(
                box_kernel(f"_add_to_{one.target.array}", one, loop_order(one, output), ADD)
            )
            direct = fresh and place == 0
            body += _product(plan, direct, loops) if plan else [loops]
    return TensorFunction(name, arrays, tuple(made), tuple(body))


def _product(plan: Plan, direct: bool, loops: Run) -> list[HostNode]:
    """The products of a plan, written into the result or added to it.

    Windows hold zeros where they leave an array; beside what is no number these would not stay 0,
    and so loops take over there.
    """
    left, right = plan.factors
    product = plan.product(direct)
    body: list[HostNode] = [MatrixProduct(left, right, product, plan.one.note)]
    spaces = []
    if plan.gathers:
        windows = plan.windows
        padded = plan.windowed is not None and any(plan.windowed.bounded)
        spaces.append(Space(windows.array, windows.lengths, padded))
        write = copying_kernel(f"_write_{windows.array}", plan.gathering, windows.places, SET)
        body.insert(0, Run(write))
    if plan.one.number != 1:
        body.append(Scale(product.array, plan.one.number))
    if plan.scatters:
        windows = plan.windows
        spaces.append(Space(windows.array, windows.lengths))
        add = copying_kernel(f"_add_{windows.array}", plan.scattering, windows.places, ADD)
        body.append(Run(add))
    elif not direct:
        spaces.append(plan.space)
        body.append(Added(plan.one.target.array, product.array, plan.order, plan.summed))
    done = _in_blocks(plan, tuple(spaces), tuple(body))
    if not (plan.gathers and spaces[0].cleared):
        return list(done)
    other = next(one for one in plan.one.factors if one != plan.windowed)
    slow = (Clear(plan.one.target.array), loops) if direct else (loops,)
    return [IfFinite(other.array, done, slow)]


def _in_blocks(
    plan: Plan, spaces: tuple[Space, ...], body: tuple[HostNode, ...]
) -> tuple[HostNode, ...]:
    if plan.block is None:
        return (*spaces, *body)
    accesses = (*plan.one.factors, plan.one.target)
    parts = dict.fromkeys(one.array for one in accesses if one.places[0] == plan.block)
    return (Blocks(plan.one.box[plan.block], spaces, tuple(parts), body),)


def _told_apart(program: TensorProgram) -> TensorProgram:
    """Kernels of one name that are not the same ⇒ the later ones with a number."""
    known: dict[str, Kernel] = {}

    def renamed(kernel: Kernel) -> Kernel:
        name, number = kernel.name, 1
        while known.setdefault(name, replace(kernel, name=name)) != replace(kernel, name=name):
            number += 1
            name = f"{kernel.name}_{number}"
        return known[name]

    def changed(body: tuple[HostNode, ...]) -> tuple[HostNode, ...]:
        return tuple(map(change, body))

    def change(node: HostNode) -> HostNode:
        match node:
            case Run(kernel):
                return Run(renamed(kernel))
            case Blocks(body=body):
                return replace(node, body=changed(body))
            case IfFinite(array, then, otherwise):
                return IfFinite(array, changed(then), changed(otherwise))
        return node

    return TensorProgram(
        check(replace(program.forward, body=changed(program.forward.body))),
        check(replace(program.backward, body=changed(program.backward.body))),
    )
