"""Modules of monitors as a person would write them, for the judge."""

import math

from symopt.verification import MonitorSubject

STOPPING = """
def step(ell, b, w, delta, patience):
    if math.isnan(ell):
        raise ValueError("NaN")
    better = ell < b - delta
    old = w
    b = ell if better else b
    w = 0.0 if better else w + 1.0
    s = 1.0 if w >= patience else 0.0
    return {"b": b, "w": w}, s
"""


def stopping(text=STOPPING, initial=None):
    names: dict = {"math": math}
    exec(text, names)
    start = initial or {"b": math.inf, "w": 0.0}
    arguments = ("ell", "b", "w", "delta", "patience")
    return MonitorSubject(names["step"], arguments, lambda: dict(start))


def plateau():
    """As PyTorch's own code has it: what has happened is changed bit by bit."""

    def step(ell, b, w, c, learning_rate, **numbers):
        if math.isnan(ell):
            raise ValueError("NaN")
        if ell < b * (1 - numbers["rho"]) - numbers["delta"]:
            b, w = ell, 0.0
        else:
            w += 1.0
        if c > 0:
            c -= 1.0
            w = 0.0
        if w > numbers["patience"]:
            lower = max(learning_rate * numbers["gamma"], numbers["alpha_min"])
            if learning_rate - lower > numbers["epsilon"]:
                learning_rate = lower
            c, w = float(numbers["cooldown"]), 0.0
        return {"b": b, "w": w, "c": c, "learning_rate": learning_rate}, learning_rate

    numbers = ("gamma", "patience", "cooldown", "rho", "delta", "alpha_min", "epsilon")
    return MonitorSubject(
        step,
        ("ell", "b", "w", "c", "learning_rate", *numbers),
        lambda alpha: {"b": math.inf, "w": 0.0, "c": 0.0, "learning_rate": float(alpha)},
        ("alpha",),
    )
