"""The judge of monitors: right modules in whichever form, and every slip with a counterexample."""

import ast
import math
import types

import pytest
from handwritten_monitors import STOPPING, plateau, stopping
from sampling import every

from symopt import verify
from symopt.errors import UsageError
from symopt.judging import monitor_subject
from symopt.targets.numba import render_module
from symopt.targets.target import Options
from symopt.verification import MonitorSubject, judge_monitor


def test_modules_written_by_hand_are_accepted(library):
    for name, subject in (("early_stopping", stopping()), ("reduce_on_plateau", plateau())):
        verdict = judge_monitor(library[name], subject)
        assert verdict.ok, verdict.message
        assert verdict.points > 1000
        assert verdict.out_of_range == 0


@pytest.mark.parametrize("name", ["early_stopping", "reduce_on_plateau"])
def test_each_comparison_of_the_catalogue_is_met_exactly_where_its_sides_are_equal(library, name):
    verdict = verify(library[name])
    assert verdict.ok, verdict.message
    assert verdict.error <= 0.5  # one rounding, of γ·α
    assert "but not each one" not in verdict.note


def test_the_same_seed_gives_the_same_verdict(library):
    one, other = (judge_monitor(library["early_stopping"], stopping(), seed=5) for _ in range(2))
    assert one == other


# slips in a module of functions alone

SLIPS = {
    "equal is better": ("ell < b - delta", "ell <= b - delta"),
    "any fall is enough": ("ell < b - delta", "ell < b"),
    "a rise is better": ("ell < b - delta", "ell > b + delta"),
    "the best is the last": ("b = ell if better else b", "b = ell"),
    "the best is the least": ("b = ell if better else b", "b = min(ell, b)"),
    "the count is never reset": ("w = 0.0 if better else w + 1.0", "w = w + 1.0"),
    "the count starts at 1": ("w = 0.0 if better", "w = 1.0 if better"),
    "the count goes on twice as fast": ("else w + 1.0", "else w + 2.0"),
    "patience is one too long": ("w >= patience", "w > patience"),
    "patience is one too short": ("w >= patience", "w + 1.0 >= patience"),
    "the count before the observation decides": ("w >= patience", "old >= patience"),
    "once stopped, it only stops at that very count": ("w >= patience", "w == patience"),
    "infinity is a number like others": (
        "better = ell < b - delta",
        "better = math.isinf(b) or ell < b - delta",
    ),
    "infinity is refused": ("    better", "    if math.isinf(ell): raise ValueError\n    better"),
    "NaN is taken": ("if math.isnan(ell):", "if False:"),
    "it forgets after a hundred": ("w = 0.0 if better", "w = 0.0 if better or w > 100.0"),
    "a state is missing": ('{"b": b, "w": w}', '{"b": b}'),
    "the output is a state": ("return {", 'return {"s": s, '),
    "it fails": ("better = ", "better = 1 / 0 or "),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_one_slip_refutes(library, slip):
    old, new = SLIPS[slip]
    assert STOPPING.count(old) == 1, old
    verdict = judge_monitor(library["early_stopping"], stopping(STOPPING.replace(old, new)))
    assert not verdict.ok
    assert verdict.message


@pytest.mark.parametrize(
    ("initial", "where"),
    [
        ({"b": 1e308, "w": 0.0}, "b before the first observation"),
        ({"b": math.inf, "w": -1.0}, "w before the first observation"),
    ],
)
def test_a_wrong_start_is_refuted(library, initial, where):
    subject = stopping(initial=initial)
    assert judge_monitor(library["early_stopping"], subject).where == where


def test_a_counterexample_names_the_equation_the_step_and_all_numbers(library):
    old, new = SLIPS["patience is one too long"]
    verdict = judge_monitor(library["early_stopping"], stopping(STOPPING.replace(old, new)))
    assert verdict.where.startswith("early_stopping.stop, output, step ")
    for part in ("declared 1.0, kernel 0.0", "ell = ", "b = ", "w = ", "patience = ", "delta = "):
        assert part in verdict.message


def test_an_argument_that_the_monitor_does_not_know_is_refused_with_the_nearest(library):
    subject = MonitorSubject(None, ("ell", "pateince"), lambda: {"b": math.inf, "w": 0.0})
    with pytest.raises(UsageError) as error:
        judge_monitor(library["early_stopping"], subject)
    assert str(error.value) == (
        "the module of early_stopping takes pateince; did you mean patience?"
    )


# every mutant of the generated functions

ORDERS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
TURNED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And}


def lines(tree):
    """What computes in ``step``, the checks of arguments left out; guards against NaN too."""
    (step,) = (one for one in tree.body if getattr(one, "name", "") == "step")
    for line in step.body:
        checks = "_real(" in ast.unparse(line) or "_check_number(" in ast.unparse(line)
        if not checks and not isinstance(line, ast.Expr):
            yield from inside(line)


def inside(node):
    yield node
    for part in ast.iter_child_nodes(node):
        # the case of everything else asks once more for what has failed: only NaN can tell
        guard = isinstance(part, ast.IfExp) and ast.unparse(part.orelse) == "math.nan"
        yield from inside(part.body if guard else part)


def changes(node, names):
    """Attributes of a node and what they may be in its place."""
    match node:
        case ast.Compare(ops=[order]):
            yield from (("ops", [other()]) for other in ORDERS[type(order)])
        case ast.IfExp():
            yield "test", ast.Constant(True)
            yield "test", ast.Constant(False)
        case ast.BinOp(op=op) | ast.BoolOp(op=op):
            yield "op", TURNED[type(op)]()
        case ast.Constant(value=float(value)):
            yield "value", value + 1.0
        case ast.Name(id=name, ctx=ast.Load()) if name in names:
            yield "id", f"({name} + 1.0)"
            other = name.removesuffix("_now") if name.endswith("_now") else f"{name}_now"
            if other in names:
                yield "id", other


def mutants(text):
    tree = ast.parse(text)
    nodes = list(lines(tree))
    (step,) = (one for one in tree.body if getattr(one, "name", "") == "step")
    names = {one.arg for one in step.args.args}
    names |= {one.id for one in nodes if isinstance(one, ast.Name) and one.id not in dir(ast)}
    for node in nodes:
        for attribute, other in list(changes(node, names - {"math", "_value", "_largest"})):
            real = getattr(node, attribute)
            setattr(node, attribute, other)
            yield ast.unparse(node), ast.unparse(tree)
            setattr(node, attribute, real)


@pytest.mark.parametrize(
    ("name", "count"), every(2, [("early_stopping", 35), ("reduce_on_plateau", 80)])
)
def test_every_mutant_of_a_generated_step_is_refuted(library, name, count):
    declared, tried = library[name], 0
    for what, text in mutants(render_module(declared, Options())):
        module = types.ModuleType(name)
        exec(text, vars(module))
        assert not judge_monitor(declared, monitor_subject(declared, module)).ok, what
        tried += 1
    assert tried >= count


# the class

CLASS = {
    "a step that is not kept": ("self.states, self.value = step(", "_, self.value = step("),
    "an output that is not kept": ("self.states, self.value = step(", "self.states, _ = step("),
    "a hyperparameter that is not passed on": ('patience=self.hyperparameters["patience"],', ""),
    "a value that is not restored": (
        "self.hyperparameters, self.value = numbers, value",
        "self.hyperparameters = numbers",
    ),
    "hyperparameters that are not restored": (
        "self.hyperparameters, self.value = numbers, value",
        "self.value = value",
    ),
    "states that are not restored": (
        "self.states = {key: states[key] for key in self.states}",
        "pass",
    ),
    "states that are mixed up": (
        "self.states = {key: states[key] for key in self.states}",
        "self.states = dict(zip(self.states, reversed(states.values())))",
    ),
    "a fingerprint that is not looked at": ('saved.get("fingerprint") != ', '"" == '),
    "states that are not counted": ("if set(states) != set(self.states):", "if False:"),
    "NaN that is restored": ('else _real(key, saved)', 'else float(saved or 0)'),
    "infinities that are not spelt": (
        "number if number is None or math.isfinite(number) else str(number)",
        "number",
    ),
    "a value from the start": ("self.value: float | None = None", "self.value = 0.0"),
    "another start": ("self.states = initial_states()", 'self.states = {"b": 9.0, "w": 0.0}'),
    "a state dict that stays tied to the object": (
        '{key: _spelt(one) for key, one in self.states.items()}',
        "self.states",
    ),
    "no state dict": ("def state_dict(", "def states_dict("),
    "an object that cannot be made": ("self.value: float", "self.nothing += 1; self.value: float"),
}  # fmt: skip


@pytest.mark.parametrize("slip", CLASS)
def test_a_class_that_is_not_what_its_functions_are_is_refuted(library, slip):
    declared, (old, new) = library["early_stopping"], CLASS[slip]
    text = render_module(declared, Options())
    assert text.count(old) == 1, old
    module = types.ModuleType("mutant")
    exec(text.replace(old, new), vars(module))
    verdict = verify(declared, module=module)
    assert verdict.where.startswith("early_stopping, the class, "), verdict.message


def test_a_refusal_that_changes_the_object_is_refuted(library):
    declared = library["early_stopping"]
    text = render_module(declared, Options())
    module = types.ModuleType("mutant")
    kept = "        self.states, self.value = step("
    assert text.count(kept) == 1
    exec(text.replace(kept, f'        self.states["w"] += 1e-9\n{kept}'), vars(module))
    assert not verify(declared, module=module).ok
    late = text.replace(kept, f"        self.value = 0.0 if ell == ell else 7.0\n{kept}")
    exec(late, vars(module))
    verdict = verify(declared, module=module)
    assert verdict.where == "early_stopping, the class, after a refusal"
