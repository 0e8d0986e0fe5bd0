"""C: the kernels of a declaration compiled ahead of time, and a Python module that calls them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from symopt.declaration import Declaration, Layer, Regularizer, UpdateRule
from symopt.derivation.drawn import draws
from symopt.derivation.layer import derive_layer
from symopt.errors import UsageError
from symopt.program.sweeps import BLOCK
from symopt.targets.c_kernels import CKernel, elementwise_kernel, group_kernel, sources
from symopt.targets.c_printer import REALS
from symopt.targets.layer_functions import layer_kernels, outer_and_labels
from symopt.targets.numba_layer import layer_words
from symopt.targets.numba_penalty import regularizer_kernels, regularizer_words
from symopt.targets.numba_rule import rule_kernels, rule_words
from symopt.targets.target import Options, Target
from symopt.targets.templates import render

# what has to be C is here; checks, classes and docstrings are those of the other target
FOLDERS = ("c", "numba")


def compiled_ahead(declared: Declaration) -> bool:
    """Whether a declaration has kernels in C: a layer that draws at random has none yet."""
    if isinstance(declared, Layer):
        return not draws(declared)
    return isinstance(declared, UpdateRule | Regularizer)


def render_source(declared: Declaration, options: Options) -> str | None:
    """The C file, of declarations that have kernels over elements; others compute plain numbers."""
    return _source(_words(declared, options)) if compiled_ahead(declared) else None


def render_modules(declared: Declaration, options: Options) -> dict[str, str]:
    """The Python files beside it: the module that a user imports, and the one that compiles."""
    if not compiled_ahead(declared):
        return {}
    words = _words(declared, options)
    return {
        f"{declared.name}.py": render(FOLDERS, words["c_template"], **words),
        f"build_{declared.name}.py": render(FOLDERS, "build.py.jinja", **words),
    }


C = Target("c", ".c", render_source, index=lambda _collection, _declared: {}, beside=render_modules)


@lru_cache(maxsize=64)  # three files are made of them
def _words(declared: Declaration, options: Options) -> dict[str, Any]:
    if options.states:
        raise UsageError(
            f"{declared.name}: C has no states in {options.states} yet; leave states out, or --aot"
        )
    kernels, template, words = _made(declared, options)
    reals = [REALS[one] for one in options.dtypes]
    rows, functions, needed = sources(declared.name, kernels, reals)
    words |= {
        "c_template": f"{template}.py.jinja",
        "block": BLOCK,
        "reals": reals,
        "all_reals": list(REALS.values()),
        "c_rows": rows,
        "c_functions": functions,
        "helpers": [f"{one}.c.jinja" for one in sorted(needed)],
        "c_kernels": [one.called(declared.name, reals) for one in kernels],
        "comment": [_in_comment(line) for line in (words["summary"], *words["notes"])],
        "digest": "",
    }
    return {**words, "digest": hashlib.sha256(_source(words).encode()).hexdigest()[:16]}


def _made(declared: Declaration, options: Options) -> tuple[Sequence[CKernel], str, dict[str, Any]]:
    """The kernels, the template of the module that calls them, and what else that lays out."""
    match declared:
        case UpdateRule():
            kernels = rule_kernels(declared)
            template, words = "update_rule", rule_words(declared, options)
        case Regularizer():
            kernels = regularizer_kernels(declared)
            template, words = "regularizer", regularizer_words(declared, options)
        case Layer():
            # C has no form yet of loops that have changed places
            declared = replace(declared, in_order=True)
            made = layer_kernels(declared, derive_layer(declared))
            several = [one for one in made if one is not None]
            groups = [
                group_kernel(one, made.averages, outer_and_labels(declared, one.statistics)[1])
                for one in several
            ]
            return groups, "layer", layer_words(declared, options)
    return [elementwise_kernel(one) for one in kernels], template, words


def _source(words: dict[str, Any]) -> str:
    return render(FOLDERS, "source.c.jinja", **words)


def _in_comment(line: str) -> str:
    """A line that does not end the comment it stands in."""
    return line.replace("*/", "* /")
