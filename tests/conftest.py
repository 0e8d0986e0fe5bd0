"""What several test files need: the catalogue, and rules made from a few equations."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from types import ModuleType

import pytest

from symopt import update_rule
from symopt.cli.library import catalogue
from symopt.declaration import Declaration, UpdateRule

# kernels compiled by tests go to a folder of their own, kept for the whole run
os.environ.setdefault("XDG_CACHE_HOME", tempfile.mkdtemp(prefix="symopt-tests-"))
# what tests ask for is derived anew, for some of them change how
os.environ["SYMOPT_CACHE"] = "off"


@pytest.fixture(scope="session")
def library() -> dict[str, Declaration]:
    """Every declaration of the catalogue, by name."""
    return {one.name: one for one in catalogue()}


@pytest.fixture(scope="session")
def rules(library) -> tuple[UpdateRule, ...]:
    """The update rules of the catalogue, in the order of the lecture."""
    return tuple(one for one in library.values() if isinstance(one, UpdateRule))


@pytest.fixture(scope="session")
def load(tmp_path_factory):
    """A generated file as a module of its own, compiled anew and leaving no cache beside it."""

    def make(path) -> ModuleType:
        folder = tmp_path_factory.mktemp("module")
        name = f"{path.stem}_{folder.name}"
        copy = shutil.copy(path, folder / f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, copy)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return make


@pytest.fixture
def declare():
    """A rule from a function that returns its statements."""

    def make(body, name: str = "rule", **options) -> UpdateRule:
        def stated():
            return body()

        stated.__name__ = name
        return update_rule(**options)(stated)

    return make
