"""A network is a value: its parts are checked as it is declared, and tell it from others."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from parts import normalized
from sympy import Eq

from symopt import flatten, given, layer, network, penalty, sequence
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.group_norm import group_norm
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.catalog.network.leaky_relu import leaky_relu
from symopt.catalog.network.relu import relu
from symopt.cli.commands.verify import _in_parts
from symopt.errors import DeclarationError, UsageError
from symopt.symbols import example as i


def declared(**parts):
    """A network with some parts in place of its own."""

    def example():
        own = {"layers": [relu], "loss": softmax_cross_entropy, "rule": adam}
        return {key: one for key, one in {**own, **parts}.items() if one is not None}

    return network(inputs=(3,))(example)


def test_layers_of_one_kind_are_told_apart_by_a_number():
    assert normalized.names == ("batch_norm", "relu", "batch_norm_2")


def test_a_name_that_a_number_makes_is_not_given_twice():
    @layer
    def relu_2():
        x, y = given("x"), sequence("y")
        return {"output": Eq(y[i], 2 * x[i])}

    assert declared(layers=[relu, relu, relu_2]).names == ("relu", "relu_2", "relu_2_2")
    assert declared(layers=[relu_2, relu, relu]).names == ("relu_2", "relu", "relu_3")


def test_a_network_is_frozen_and_its_fingerprint_changes_with_every_part():
    with pytest.raises(FrozenInstanceError):
        normalized.inputs = (5,)
    others = [
        replace(normalized, inputs=(5,)),
        replace(normalized, layers=normalized.layers[:2]),
        replace(normalized, layers=(*normalized.layers[:2], batch_norm(epsilon=2e-3))),
        replace(normalized, loss=softmax_cross_entropy(alpha=0.8)),
        replace(normalized, rule=adam(alpha=0.02)),
        replace(normalized, penalties=()),
        replace(normalized, penalties=(penalty(l2, 2e-3, "gamma"),)),
        replace(normalized, penalties=(penalty(l2, 1e-3),)),
        replace(normalized, layers=(flatten, *normalized.layers)),
    ]
    prints = [one.fingerprint for one in (normalized, *others)]
    assert len(set(prints)) == len(prints)
    assert replace(normalized, doc="else").fingerprint == normalized.fingerprint


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"layers": None},
            "example has no layers; write a list, such as [affine(K=10)]",
        ),
        ({"layers": []}, "example has no layers; write a list, such as [affine(K=10)]"),
        ({"layers": [relu, 3]}, "layer 2 of example is 3; write a layer, such as relu"),
        (
            {"layers": [softmax_cross_entropy]},
            "layer 1 of example is softmax_cross_entropy, a loss; write a layer, such as relu",
        ),
        ({"loss": None}, "the loss of example is None; give it a loss"),
        ({"loss": relu}, "the loss of example is relu, a layer; give it a loss"),
        ({"rule": None}, "the rule of example is None; give it an update rule"),
        (
            {"schedule": adam},
            "the schedule of example is adam, an update rule; give it a schedule or a monitor",
        ),
        (
            {"stopping": relu},
            "the stopping of example is relu, a layer; give it a monitor",
        ),
        (
            {"penalties": [l2]},
            "example has the penalty l2, a regularizer; write penalty(l2, 1e-4), a regularizer "
            "and its λ",
        ),
        ({"losses": relu}, "example has no part 'losses'; did you mean loss?"),
    ],
)
def test_a_part_that_is_missing_or_of_the_wrong_kind_is_refused(parts, message):
    with pytest.raises(DeclarationError) as caught:
        declared(**parts)
    assert str(caught.value) == message


@pytest.mark.parametrize("inputs", [(), 3, (0,), (2.0,), (True,), [3]])
def test_inputs_are_the_shape_of_one_example(inputs):
    with pytest.raises(DeclarationError) as caught:
        network(inputs=inputs)(lambda: {"layers": [relu]})
    assert str(caught.value) == (
        f"<lambda> has inputs={inputs!r}; write the shape of one example, such as (64,)"
    )


@pytest.mark.parametrize("strength", [-1, math.nan, math.inf, "1", None, True])
def test_a_penalty_has_a_strength_from_0_on(strength):
    with pytest.raises(DeclarationError) as caught:
        penalty(l2, strength)
    assert str(caught.value) == (
        f"the penalty l2 has the strength {strength!r}; write a number λ from 0 on"
    )
    with pytest.raises(DeclarationError) as caught:
        penalty(relu, 1.0)
    assert str(caught.value) == (
        "penalty was given relu, a layer, but takes a regularizer; write penalty(l2, 1e-4)"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: adam(alhpa=1.0), "adam has no alhpa to set; did you mean alpha?"),
        (
            lambda: leaky_relu(slope=1.0),
            "leaky_relu has a = 1.0, outside of its range Interval.Ropen(0, 1); choose a value "
            "inside",
        ),
        (
            lambda: leaky_relu(slope=math.nan),
            "leaky_relu has a = nan, outside of its range Interval.Ropen(0, 1); choose a value "
            "inside",
        ),
        (
            lambda: group_norm(groups=0),
            "group_norm has groups = 0; a size is a whole number from 1 on",
        ),
        (lambda: batch_norm(m=3), "batch_norm has no m to set; known are epsilon, alpha"),
    ],
)
def test_settings_are_checked_where_they_are_written(wrong, message):
    with pytest.raises(UsageError) as caught:
        wrong()
    assert str(caught.value) == message


def test_a_network_is_verified_by_verifying_each_of_its_parts_once():
    assert [one.name for one in _in_parts([normalized, adam])] == [
        "batch_norm",
        "relu",
        "softmax_cross_entropy",
        "l2",
        "adam",
    ]
