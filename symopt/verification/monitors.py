"""A monitor's module beside its declaration, in many runs.

Every number is evaluated at 50 digits from the module's own states before the step; what is
computed exactly in double precision has to be exact.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from symopt.declaration import Monitor
from symopt.verification.anatomy import Anatomy, anatomy
from symopt.verification.cases import admits
from symopt.verification.definitions import entries
from symopt.verification.monitor_run import Court
from symopt.verification.monitor_subject import MonitorSubject
from symopt.verification.observations import (
    Observer,
    dyadic_setting,
    dyadic_settings,
    long_plan,
    plans,
)
from symopt.verification.quantity import FLOAT64
from symopt.verification.ties import Ties
from symopt.verification.verdict import Tally, Verdict

_TRIES = 5  # of hyperparameters with which a comparison is met exactly
_LEADS = 3
_SOON = 24  # observations after which none is looked for


def judge_monitor(monitor: Monitor, subject: MonitorSubject, seed: int = 0) -> Verdict:
    """Whether each step of the module is what the equations say, and its class what ``step`` is.

    A module has to raise ``ValueError`` where NaN is observed and where an equation has no value,
    such as ∞ − ∞, and nowhere else.

    Raises
    ------
    DeclarationError
        If an equation has no meaning for the judge.
    UsageError
        If the module takes an argument that the monitor does not know.
    """
    taken = anatomy(monitor)
    tally = Tally(monitor.name, "float64", FLOAT64)
    random = np.random.default_rng([seed, zlib.crc32(monitor.name.encode())])
    ties = Ties(taken)
    court = Court(taken, subject, tally, Observer(_observed(taken), ties, random))
    tried = dyadic_settings(taken.hyperparameters, monitor.default_values, random)
    for number, setting in enumerate(tried):
        long = [long_plan(random)] if setting in (tried[0], tried[-1]) else []
        for plan in (*plans(setting, random), *long):
            if not tally.refuted:
                court.run(setting).go(plan, other=tried[number - 1])
    for _ in range(_TRIES):
        if ties.unmet and not tally.refuted:
            _meet(court, random)
    tally.note = ties.words
    return tally.verdict()


def _meet(court: Court, random: np.random.Generator) -> None:
    """Meet a comparison exactly by a choice of hyperparameters, on observations seen before."""
    setting = dyadic_setting(court.anatomy.hyperparameters, random)
    found = list(court.run(setting).leads(next(plans(setting, random))[:_SOON]))
    for k in random.permutation(len(found))[:_LEADS]:
        observations, parameter, tie = found[int(k)]
        for value in (tie, math.nextafter(tie, -math.inf), math.nextafter(tie, math.inf)):
            if admits(parameter.domain, value):
                court.run(setting.exchanged(parameter, value)).repeat(observations)


def _observed(taken: Anatomy) -> tuple[str, ...]:
    """The letters that no equation defines, by name, in the order in which they are read."""
    read = (x.base for one in taken.definitions.values() for x in entries(one.right))
    names = (str(x.spelling.python) for x in read if x not in taken.definitions)
    return tuple(dict.fromkeys(names))
