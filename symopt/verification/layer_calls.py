"""One call of a layer's kernel: what it is handed, and the form of what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symopt.errors import UsageError, nearest
from symopt.verification.verdict import Tally

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """The arrays that a kernel returned and those it updated, or why it ``refused``."""

    arrays: Arrays
    refused: str = ""


@dataclass(frozen=True)
class Call:
    """A kernel, called ``what`` in sentences, and the names that it takes and returns.

    ``shapes`` are those of its results, in order; it may change the arrays in ``updated`` alone.
    """

    what: str
    kernel: Callable[..., Any]
    arguments: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    updated: tuple[str, ...] = ()

    def ask(self, known: Mapping[str, Any], tally: Tally) -> Answer | None:
        """What the kernel answers; None where its answer has not the right form.

        Raises
        ------
        UsageError
            If the kernel takes an argument that there is none of.
        """
        handed = self._handed(known, tally.name)
        where = f"{tally.name}, {self.what}"
        try:
            with np.errstate(all="ignore"):
                found = self.kernel(**handed)
        except ValueError as error:
            for name, value in handed.items():
                if not _same(value, known[name]):
                    message = f"{where}: the kernel refuses, but has changed {name}: {error}"
                    tally.refute(where, message)
                    return None
            return Answer({}, str(error) or "it raises ValueError")
        except (TypeError, ZeroDivisionError) as error:
            tally.refute(where, f"{where}: the kernel refuses its inputs: {error}")
            return None
        for name, value in handed.items():
            if name not in self.updated and not _same(value, known[name]):
                tally.refute(where, f"{where}: the kernel changes {name}, which it only reads")
                return None
        arrays = self._formed(found, tally, where)
        return None if arrays is None else Answer(arrays | {x: handed[x] for x in self.updated})

    def _handed(self, known: Mapping[str, Any], name: str) -> dict[str, Any]:
        for one in self.arguments:
            if one not in known:
                hint = nearest(one, known)
                raise UsageError(f"the {self.what} pass of {name} takes {one}; {hint}")
        copied = {one: known[one] for one in self.arguments}
        return {x: y.copy() if isinstance(y, np.ndarray) else y for x, y in copied.items()}

    def _formed(self, found: Any, tally: Tally, where: str) -> Arrays | None:
        results = found if isinstance(found, tuple) else (found,)
        names = ", ".join(self.shapes)
        if len(results) != len(self.shapes):
            words = f"the kernel returns {len(results)} results where {names} are declared"
            tally.refute(where, f"{where}: {words}")
            return None
        arrays = {}
        for (name, shape), result in zip(self.shapes.items(), results, strict=True):
            array = arrays[name] = np.asarray(result)
            dtypes = (tally.dtype,) if shape else (tally.dtype, "float64")  # a number of its own
            if array.shape != shape or array.dtype not in dtypes:
                tally.refute(
                    where,
                    f"{where}: {name} is of shape {array.shape} and {array.dtype}; "
                    f"declared is the shape {shape} and {tally.dtype}",
                )
                return None
        return arrays


def _same(new: Any, old: Any) -> bool:
    if not isinstance(new, np.ndarray):
        return True
    return new.shape == old.shape and new.tobytes() == old.tobytes()
