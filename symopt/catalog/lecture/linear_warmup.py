from sympy import Eq, Interval, Min, S, oo

from symopt.declaration import schedule
from symopt.notation import hyperparameter, sequence
from symopt.symbols import t

learning_rate = sequence("alpha", python="learning_rate")
alpha_max = hyperparameter("alpha_max", Interval.open(0, oo))
w = hyperparameter("w", S.Naturals)


@schedule(title="Linear warm-up", source="slide on schedules", defaults={alpha_max: 0.1, w: 100})
def linear_warmup():
    """A learning rate that grows in proportion to the step for w steps, and then stays."""
    return Eq(learning_rate[t], alpha_max * Min(1, t / w))
