from sympy import Eq, Interval, Min, Rational, S, cos, oo, pi

from symopt.declaration import schedule
from symopt.notation import hyperparameter, sequence
from symopt.symbols import t

learning_rate = sequence("alpha", python="learning_rate")
alpha_min = hyperparameter("alpha_min", Interval(0, oo))
alpha_max = hyperparameter("alpha_max", Interval.open(0, oo))
T = hyperparameter("T", S.Naturals)


@schedule(
    title="Cosine", source="slide on schedules", defaults={alpha_min: 0.0, alpha_max: 0.1, T: 1000}
)
def cosine():
    """Half a cosine wave from the largest learning rate to the smallest, which then stays."""
    falling = Rational(1, 2) * (alpha_max - alpha_min) * (1 + cos(pi * Min(t - 1, T) / T))
    return Eq(learning_rate[t], alpha_min + falling)
