from sympy import Eq, Interval, oo

from symopt.declaration import schedule
from symopt.notation import hyperparameter, sequence
from symopt.symbols import t

learning_rate = sequence("alpha", python="learning_rate")
alpha_0 = hyperparameter("alpha_0", Interval.open(0, oo))
k = hyperparameter("k", Interval(0, oo))


@schedule(title="Decay like 1/t", source="slide on schedules", defaults={alpha_0: 0.1, k: 0.01})
def inverse_time():
    """A learning rate that falls like 1/t."""
    return Eq(learning_rate[t], alpha_0 / (1 + k * (t - 1)))
