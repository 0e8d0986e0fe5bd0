from sympy import Eq, Interval, Max, Or, Piecewise, S, cos, oo, pi

from symopt import Sigma, debias, given, hat, hyperparameter, initially, monitor, sequence
from symopt.symbols import alpha, beta, gamma, t, tau

ell = given("ell", latex=r"\ell", unicode="ℓ")
train = given("train", latex="r", unicode="r")
b, k, m, s, w = (sequence(letter) for letter in "bkmsw")
rate = sequence("alpha", python="rate")
patience = hyperparameter("patience", S.Naturals, latex="p", unicode="p")
delta = hyperparameter("delta", Interval.open(0, oo))
T = hyperparameter("T", S.Naturals)


@monitor(defaults={beta: 0.5, patience: 2})
def smoothed():
    """Stops when the moving average of the loss has not improved."""
    improved = hat(m)[t] < b[t - 1]
    return {
        "average": Eq(m[t], beta * m[t - 1] + (1 - beta) * ell[t]),
        "corrected": debias(m),
        "best": Eq(b[t], Piecewise((hat(m)[t], improved), (b[t - 1], True))),
        "wait": Eq(w[t], Piecewise((0, improved), (w[t - 1] + 1, True))),
        "stop": Eq(s[t], Piecewise((1, w[t] >= patience), (0, True))),
        "initial": initially(0, m, w),
        "initial_best": initially(oo, b),
    }


@monitor(defaults={patience: 3, T: 8})
def warm_restart():
    """Half a cosine wave that starts anew, the best loss forgotten, once the loss is stuck."""
    improved, stuck = ell[t] < b[t - 1], w[t] >= patience
    return {
        "wait": Eq(w[t], Piecewise((0, Or(improved, w[t - 1] >= patience)), (w[t - 1] + 1, True))),
        "best": Eq(b[t], Piecewise((oo, stuck), (ell[t], improved), (b[t - 1], True))),
        "phase": Eq(k[t], Piecewise((0, stuck), (k[t - 1] + 1, True))),
        "rate": Eq(rate[t], Piecewise((alpha * (1 + cos(pi * k[t] / T)) / 2, k[t] < T), (0, True))),
        "initial": initially(0, w, k),
        "initial_best": initially(oo, b),
    }


@monitor(defaults={delta: 0.5})
def overfitting():
    """How many times the mean distance from training to validation exceeds delta, at its worst."""
    return {
        "mean": Eq(m[t], Sigma(ell[tau] - train[tau], (tau, 1, t)) / t),
        "worst": Eq(b[t], Max(b[t - 1], m[t])),
        "times": Eq(s[t], b[t] / delta),
        "initial": initially(-oo, b),
    }


@monitor(defaults={gamma: 0.5})
def next_rate():
    """The rate of the next epoch, which falls when this one's loss has not."""
    return {
        "loss": Eq(k[t], ell[t]),
        "rate": Eq(rate[t + 1], Piecewise((rate[t], k[t] < k[t - 1]), (gamma * rate[t], True))),
        "initial": initially(oo, k),
        "first": initially(alpha, rate),
    }
