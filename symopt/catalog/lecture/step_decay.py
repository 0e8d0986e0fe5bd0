from sympy import Eq, Interval, S, floor, oo

from symopt.declaration import schedule
from symopt.notation import hyperparameter, sequence
from symopt.symbols import t

learning_rate = sequence("alpha", python="learning_rate")
alpha_0 = hyperparameter("alpha_0", Interval.open(0, oo))
gamma = hyperparameter("gamma", Interval.Lopen(0, 1))
s = hyperparameter("s", S.Naturals)


@schedule(
    title="Step decay", source="slide on schedules", defaults={alpha_0: 0.1, gamma: 0.5, s: 100}
)
def step_decay():
    """A learning rate that falls by the factor gamma after every s steps."""
    return Eq(learning_rate[t], alpha_0 * gamma ** floor((t - 1) / s))
