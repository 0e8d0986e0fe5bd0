"""Correct NumPy kernels of the lecture, each written from the slide by hand, and nothing shared.

A kernel works in the dtype of its arrays: ``T`` rounds a number to it once.
"""

import math

import numpy as np

from symopt.verification import Subject


def zeros(*names):
    return lambda theta: {name: np.zeros_like(theta) for name in names}


def subject(step, arguments, *states, **more):
    return Subject(step, tuple(arguments.split()), zeros(*states), **more)


def gd(theta, g, alpha):
    theta -= theta.dtype.type(alpha) * g


def mean(theta, g, alpha):
    theta -= theta.dtype.type(alpha / len(g)) * g.sum(axis=0)


def momentum(theta, g, v, alpha, gamma):
    T = theta.dtype.type
    v[:] = T(gamma) * v + T(alpha) * g
    theta -= v


def ahead(theta, v, gamma):
    return theta - theta.dtype.type(gamma) * v


def adagrad(theta, g, G, alpha, epsilon):
    T = theta.dtype.type
    G += g * g
    theta -= T(alpha) / np.sqrt(G + T(epsilon)) * g


def rmsprop(theta, g, G, alpha, beta, epsilon):
    T = theta.dtype.type
    G[:] = T(beta) * G + T(1 - beta) * g**2
    theta -= T(alpha) / np.sqrt(G + T(epsilon)) * g


def rmsprop_by_difference(theta, g, G, alpha, beta, epsilon):
    T = theta.dtype.type
    G += T(1 - beta) * (g**2 - G)
    theta -= T(alpha) * g / np.sqrt(G + T(epsilon))


def adam_naive(theta, g, v, G, alpha, beta, gamma, epsilon):
    T = theta.dtype.type
    v[:] = T(gamma) * v + T(alpha) * g
    G[:] = T(beta) * G + T(1 - beta) * g**2
    theta -= T(alpha) / np.sqrt(G + T(epsilon)) * v


def adam_uncorrected(theta, g, v, G, alpha, beta_1, beta_2, epsilon):
    T = theta.dtype.type
    v += T(1 - beta_1) * (g - v)
    G += T(1 - beta_2) * (g * g - G)
    theta -= T(alpha) / np.sqrt(G + T(epsilon)) * v


def adam(theta, g, v, G, t, alpha, beta_1, beta_2, epsilon):
    T = theta.dtype.type
    v += T(1 - beta_1) * (g - v)
    G += T(1 - beta_2) * (g * g - G)
    v_hat = v * T(1 / (1 - beta_1**t))
    G_hat = G * T(1 / (1 - beta_2**t))
    theta -= T(alpha) / np.sqrt(G_hat + T(epsilon)) * v_hat


def adam_by_products(theta, g, v, G, t, alpha, beta_1, beta_2, epsilon):
    T = theta.dtype.type
    v[:] = T(beta_1) * v + T(1 - beta_1) * g
    G[:] = T(beta_2) * G + T(1 - beta_2) * (g * g)
    v_hat = v / T(1 - beta_1**t)
    G_hat = G / T(1 - beta_2**t)
    theta -= T(alpha) * v_hat / np.sqrt(G_hat + T(epsilon))


ADAM = "theta g v G t alpha beta_1 beta_2 epsilon"
NESTEROV = {"gradient_point": ahead, "point_arguments": ("theta", "v", "gamma")}
RULES = {
    "gd": subject(gd, "theta g alpha"),
    "gd_full": subject(mean, "theta g alpha"),
    "sgd": subject(gd, "theta g alpha"),
    "minibatch": subject(mean, "theta g alpha"),
    "momentum": subject(momentum, "theta g v alpha gamma", "v"),
    "nesterov": subject(momentum, "theta g v alpha gamma", "v", **NESTEROV),
    "adagrad": subject(adagrad, "theta g G alpha epsilon", "G"),
    "rmsprop": subject(rmsprop, "theta g G alpha beta epsilon", "G"),
    "adam_naive": subject(adam_naive, "theta g v G alpha beta gamma epsilon", "v", "G"),
    "adam_uncorrected": subject(
        adam_uncorrected, "theta g v G alpha beta_1 beta_2 epsilon", "v", "G"
    ),
    "adam": subject(adam, ADAM, "v", "G"),
}


def wave(phase):
    return 0.5 * (1 + math.cos(math.pi * phase))


def one_cycle(t, alpha_min, alpha_max, w, T):
    if t <= w:
        return alpha_min + (alpha_max - alpha_min) * t / w
    return alpha_min + (alpha_max - alpha_min) * wave(min(t - w, T) / T)


def constant(t, alpha):  # noqa: ARG001  # a schedule is a function of t, this one in name
    return alpha


SCHEDULES = {
    "constant": constant,
    "step_decay": lambda t, alpha_0, gamma, s: alpha_0 * gamma ** ((t - 1) // s),
    "exponential_decay": lambda t, alpha_0, gamma: alpha_0 * gamma ** (t - 1),
    "inverse_time": lambda t, alpha_0, k: alpha_0 / (1 + k * (t - 1)),
    "cosine": lambda t, alpha_min, alpha_max, T: (
        alpha_min + (alpha_max - alpha_min) * wave(min(t - 1, T) / T)
    ),
    "linear_warmup": lambda t, alpha_max, w: alpha_max * min(1, t / w),
    "one_cycle": one_cycle,
}


def added(slope):
    def gradient(theta, g, lambda_):
        g += g.dtype.type(lambda_) * slope(theta)

    return gradient


PENALTIES = {
    "l1": (lambda theta: float(np.abs(theta).sum()), added(np.sign)),
    "l2": (lambda theta: float((theta * theta).sum()), added(lambda theta: 2 * theta)),
    "elastic_net": (
        lambda theta: float((np.abs(theta) + theta * theta).sum()),
        added(lambda theta: np.sign(theta) + 2 * theta),
    ),
}
