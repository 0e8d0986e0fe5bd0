"""Correct gradients of the lecture's steps in NumPy, as texts of which a test changes a word."""

from dataclasses import replace

import numpy as np
from handwritten import RULES

from symopt.verification import Vjp

MEAN = """
def step_vjp(theta, g, alpha, dtheta):
    T = theta.dtype.type
    dg = np.tile(-T(alpha / len(g)) * dtheta, (len(g), 1))
    dalpha = -float((g.sum(axis=0) * dtheta).sum(dtype=float) / len(g))
    return {"theta": dtheta.copy(), "g": dg, "alpha": dalpha}
"""

MOMENTUM = """
def step_vjp(theta, g, v, alpha, gamma, dtheta, dv):
    T = theta.dtype.type
    own = dv - dtheta
    return {
        "theta": dtheta.copy(),
        "g": T(alpha) * own,
        "v": T(gamma) * own,
        "alpha": float((g * own).sum(dtype=float)),
        "gamma": float((v * own).sum(dtype=float)),
    }
"""

AHEAD = """
def point_vjp(theta, v, gamma, dpoint):
    T = theta.dtype.type
    dgamma = -float((v * dpoint).sum(dtype=float))
    return {"theta": dpoint.copy(), "v": -T(gamma) * dpoint, "gamma": dgamma}
"""

# from the slide's equations; 1 - β^t as it is written, averages as products
ADAM = """
def step_vjp(theta, g, v, G, t, alpha, beta_1, beta_2, epsilon, dtheta, dv, dG):
    T = theta.dtype.type
    v_new = T(beta_1) * v + T(1 - beta_1) * g
    G_new = T(beta_2) * G + T(1 - beta_2) * g * g
    whole_1, whole_2 = 1 - beta_1**t, 1 - beta_2**t
    v_hat, G_hat = v_new / T(whole_1), G_new / T(whole_2)
    root = np.sqrt(G_hat + T(epsilon))
    dv_hat = -T(alpha) / root * dtheta
    dG_hat = T(alpha / 2) * v_hat * dtheta / (root * (G_hat + T(epsilon)))
    own_v = dv + dv_hat / T(whole_1)
    own_G = dG + dG_hat / T(whole_2)
    power_1 = t * beta_1 ** (t - 1) / whole_1
    power_2 = t * beta_2 ** (t - 1) / whole_2
    dbeta_1 = (v - g) * own_v + T(power_1) * v_hat * dv_hat
    dbeta_2 = (G - g * g) * own_G + T(power_2) * G_hat * dG_hat
    return {
        "theta": dtheta.copy(),
        "g": T(1 - beta_1) * own_v + T(2 * (1 - beta_2)) * g * own_G,
        "v": T(beta_1) * own_v,
        "G": T(beta_2) * own_G,
        "alpha": -float((v_hat / root * dtheta).sum(dtype=float)),
        "beta_1": float(dbeta_1.sum(dtype=float)),
        "beta_2": float(dbeta_2.sum(dtype=float)),
        "epsilon": float(dG_hat.sum(dtype=float)),
    }
"""

TEXTS = {
    "minibatch": MEAN,
    "gd_full": MEAN,
    "momentum": MOMENTUM,
    "nesterov": MOMENTUM + AHEAD,
    "adam": ADAM,
}


def vjps(text):
    """The gradients in a text; what they take is read off their signatures."""
    names: dict = {"np": np}
    exec(text, names)
    return {
        key: Vjp(names[key], names[key].__code__.co_varnames[: names[key].__code__.co_argcount])
        for key in ("step_vjp", "point_vjp")
        if key in names
    }


def with_vjps(name, old="", new=""):
    """The kernels of a rule with their gradients, one word of these changed."""
    text = TEXTS[name]
    assert not old or text.count(old) == 1, (old, text.count(old))
    return replace(RULES[name], **vjps(text.replace(old, new) if old else text))
