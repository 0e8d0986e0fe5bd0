from sympy import And, Eq, Interval, Max, Or, Piecewise, S, oo

from symopt.catalog.lecture.early_stopping import b, delta, ell, w
from symopt.declaration import initially, monitor
from symopt.notation import hyperparameter, sequence
from symopt.symbols import alpha, epsilon, gamma, t

learning_rate = sequence("alpha", python="learning_rate")
a, c, n, z = sequence("a"), sequence("c"), sequence("n"), sequence("z")
alpha_min = hyperparameter("alpha_min", Interval(0, oo))
rho = hyperparameter("rho", Interval.Ropen(0, 1))
patience = hyperparameter("patience", S.Naturals0, latex="p", unicode="p")
cooldown = hyperparameter("cooldown", S.Naturals0, latex="C", unicode="C")


@monitor(
    title="Reduction on a plateau",
    source="ReduceLROnPlateau of PyTorch, and its defaults",
    defaults={
        gamma: 0.1,
        patience: 10,
        cooldown: 0,
        rho: 1e-4,
        delta: 0,
        alpha_min: 0,
        epsilon: 1e-8,
    },
)
def reduce_on_plateau():
    """The learning rate falls by the factor gamma when the loss has not improved for a while."""
    lost = n[t] > patience
    return {
        "threshold": Eq(z[t], (1 - rho) * b[t - 1] - delta),
        "best": Eq(b[t], Piecewise((ell[t], ell[t] < z[t]), (b[t - 1], True))),
        "waited": Eq(n[t], Piecewise((0, Or(ell[t] < z[t], c[t - 1] > 0)), (w[t - 1] + 1, True))),
        "wait": Eq(w[t], Piecewise((0, lost), (n[t], True))),
        "cooldown": Eq(c[t], Piecewise((cooldown, lost), (Max(c[t - 1] - 1, 0), True))),
        "lowered": Eq(a[t], Max(gamma * learning_rate[t - 1], alpha_min)),
        "rate": Eq(
            learning_rate[t],
            Piecewise(
                (a[t], And(lost, learning_rate[t - 1] - a[t] > epsilon)),
                (learning_rate[t - 1], True),
            ),
        ),
        "initial_best": initially(oo, b),
        "initial_wait": initially(0, w, c),
        "initial_rate": initially(alpha, learning_rate),
    }
