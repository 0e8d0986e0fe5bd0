"""The backward passes of several layers, derived once."""

import pytest
from own_layers import OWN, made

from symopt.derivation.layer import derive_layer


@pytest.fixture(scope="session")
def derived(library):
    """By name: layers of tests and those of the catalogue."""
    found = {name: derive_layer(made(lambda one=one: one)) for name, one in OWN.items()}
    names = ("batch_norm", "layer_norm", "instance_norm", "group_norm", "rms_norm")
    return {**found, **{name: derive_layer(library[name]) for name in names}}
