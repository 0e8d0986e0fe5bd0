"""Which cases of a long list are run each time, and which in the slow suite alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def every(step: int, cases: Iterable[Any]) -> Sequence[Any]:
    """The first case and each ``step``-th after it as they are, the others marked slow.

    A case that is a tuple holds several arguments, as for ``pytest.mark.parametrize``.

    >>> [bool(one.marks) for one in every(3, "abcd")]
    [False, True, True, False]
    """
    found = []
    for k, case in enumerate(cases):
        arguments = case if isinstance(case, tuple) else (case,)
        found.append(pytest.param(*arguments, marks=pytest.mark.slow if k % step else ()))
    return found
