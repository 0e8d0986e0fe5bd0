"""The table of works against the catalogue, and works of what it does not name."""

import math

import pytest

from symopt.bench.works import each_once, parameter_shapes, small, table, works, works_of
from symopt.declaration import UpdateRule
from symopt.errors import UsageError


def test_every_row_of_the_table_is_a_work_of_the_catalogue(library):
    rows = [
        (name, size)
        for row in table()["work"]
        for name in row["of"]
        for size in row.get("shapes", row.get("parameters"))
        if name != "adamw"  # of benchmarks/adamw.py
    ]
    found = works(library.values())
    assert len(found) == len(rows)
    assert len({one.name for one in found}) == len(found)


def test_every_layer_of_the_table_has_a_kind_that_peers_know(library):
    from symopt.bench import torch_layers

    layers = {one.declared.name for one in works(library.values()) if one.size.count("x")}
    kinds = table()["layers"]
    assert layers - set(kinds) <= {"adam"}  # 1000x1000 tensors
    for kind in kinds.values():
        assert kind in torch_layers.KINDS
    assert set(kinds) <= set(library)


def test_every_rule_of_the_lecture_with_a_row_names_its_own_hyperparameters(rules):
    known = {one.name: {letter.spelling.python for letter in one.default_values} for one in rules}
    for library_rows in (table()["torch"], table()["optax"]):
        for name, row in library_rows.items():
            values = [*row["arguments"].values()]
            letters = {
                part
                for value in values
                for part in (value if isinstance(value, list) else [value])
                if isinstance(part, str)
            }
            assert name not in known or letters <= known[name], name


def test_resnet_50_learns_25_557_032_numbers():
    shapes = parameter_shapes("resnet50")  # He et al., 2015; torchvision says the same
    assert (len(shapes), sum(map(math.prod, shapes))) == (161, 25_557_032)


def test_what_the_table_does_not_name_has_works_of_usual_sizes(library, declare):
    from sympy import Eq

    from symopt.symbols import alpha, g, t, theta

    rule = declare(
        lambda: {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}, defaults={alpha: 0.1}
    )
    assert [one.name for one in works_of(rule)] == [
        "rule/1e3",
        "rule/1e5",
        "rule/1e6",
        "rule/1e7",
    ]
    assert [one.does for one in works_of(library["gelu"])] == ["forward", "backward"]
    with pytest.raises(UsageError) as refused:
        works_of(library["cosine"])
    assert str(refused.value) == (
        "cosine is a schedule, of which there is nothing to time; name an update rule, a layer "
        "over groups of elements or a loss"
    )


def test_small_works_are_small_and_each_is_there_once(library):
    several = each_once(works(library.values()))
    assert len(several) < len(works(library.values()))
    for one in several:
        few = small(one)
        assert few.elements <= 1200
        assert isinstance(one.declared, UpdateRule) or few.elements <= 256
