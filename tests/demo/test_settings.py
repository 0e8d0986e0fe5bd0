"""Settings: a schedule of its own for each rule, and all of the lecture's schedules in use."""

from __future__ import annotations

from sympy import Eq

from symopt.declaration import update_rule
from symopt.demo.settings import SETTINGS, Setting, schedule_numbers, setting
from symopt.symbols import alpha, g, t, theta


def test_every_schedule_of_the_lecture_is_used(schedules):
    assert {one.schedule for one in SETTINGS.values()} == set(schedules)


def test_an_unknown_rule_keeps_the_alpha_it_declares():
    def stated():
        return {"step": Eq(theta[t + 1], theta[t] - alpha * g[t])}

    assert setting(update_rule(defaults={alpha: 0.25})(stated)) == Setting("constant", 0.25, 32, 20)
    assert setting(update_rule()(stated)).alpha == 0.01


def test_the_numbers_of_a_schedule_span_the_run():
    assert schedule_numbers("cosine", 0.1, 900) == {"alpha_max": 0.1, "T": 900}
    assert schedule_numbers("step_decay", 0.1, 900) == {"alpha_0": 0.1, "gamma": 0.5, "s": 225}
    assert schedule_numbers("linear_warmup", 0.1, 1) == {"alpha_max": 0.1, "w": 1}
