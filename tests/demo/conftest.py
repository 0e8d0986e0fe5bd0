"""The lecture's schedules, by name."""

from __future__ import annotations

import pytest

from symopt.declaration import Declaration, Schedule


@pytest.fixture(scope="session")
def schedules(library: dict[str, Declaration]) -> dict[str, Schedule]:
    return {name: one for name, one in library.items() if isinstance(one, Schedule)}
