"""Checkpoints: nested dicts of arrays, numbers and words in one file, whole or not there."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from symopt.errors import UsageError
from symopt.runtime.files import write_atomically

_TREE, _ARRAY = "tree", "array no."


def save(path: Path, state: dict[str, Any]) -> None:
    """The state in a file; the one that was there stays until the new one is whole.

    It may hold dicts with words as keys, lists, arrays, numbers (infinite ones too), words and
    nothing.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = json.dumps(_apart(state, arrays))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_TREE: np.array(tree)}, **arrays)
    write_atomically(path, buffer.getvalue())


def load(path: Path) -> dict[str, Any]:
    """What ``save`` wrote.

    Raises
    ------
    UsageError
        If there is no such file, it was cut short, or it is no checkpoint.
    """
    if not path.is_file():
        raise UsageError(f"there is no checkpoint {path}; name a file that training has left")
    try:
        with path.open("rb") as handle:
            arrays = arrays_of(handle)
        found = _together(json.loads(str(arrays.pop(_TREE)[()])), arrays)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"{path} is no whole checkpoint ({type(error).__name__}); name one that training has "
            "left, which is written whole or not at all"
        ) from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no state of a network; name a file that training has left")
    return found


def arrays_of(handle: BinaryIO) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; ValueError for another kind of file."""
    found = np.load(handle, allow_pickle=False)
    if isinstance(found, np.ndarray):
        raise ValueError("it holds a single array")
    with found as file:
        return {key: file[key] for key in file.files}


def check_place(path: Path) -> None:
    """UsageError where no checkpoint can be written."""
    folder = path.parent
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no ordinary file; name another for the checkpoint")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"no checkpoint can be written to {folder}; name another folder")


def _apart(state: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The state with names in the places of its arrays."""
    if isinstance(state, dict):
        return {key: _apart(one, arrays) for key, one in state.items()}
    if isinstance(state, list | tuple):
        return [_apart(one, arrays) for one in state]
    if isinstance(state, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = state
        return {_ARRAY: name}
    return state.item() if isinstance(state, np.generic) else state


def _together(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, dict):
        if set(tree) == {_ARRAY}:
            return arrays[tree[_ARRAY]]
        return {key: _together(one, arrays) for key, one in tree.items()}
    if isinstance(tree, list):
        return [_together(one, arrays) for one in tree]
    return tree
