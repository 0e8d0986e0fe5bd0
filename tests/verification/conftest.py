"""Generated modules with a word changed."""

import importlib.util
import inspect
import sys

import pytest

from symopt.runtime.compiling import compile
from symopt.targets.numba import render_module
from symopt.targets.target import Options


@pytest.fixture
def mutant(library, tmp_path, request):
    """The module of a declaration with each of the old words replaced."""

    def make(name, old, new, count=-1):
        text = render_module(library[name], Options()).replace("cache=True, ", "")
        changed = text.replace(old, new, count)
        assert changed != text, old
        path = tmp_path / f"{name}_mutant.py"
        path.write_text(changed, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"{name}_mutant_{tmp_path.name}", path)
        module = importlib.util.module_from_spec(spec)
        request.addfinalizer(lambda: sys.modules.pop(spec.name, None))
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        plain = compile(library[name])
        kernels = {x: y for x, y in vars(plain).items() if hasattr(y, "py_func")}
        if all(_source(plain, one) == _source(module, one) for one in kernels):
            vars(module).update(kernels)  # none has changed, so none is compiled anew
        return library[name], module

    return make


def _source(module, name):
    return inspect.getsource(getattr(module, name).py_func).replace("cache=True, ", "")
