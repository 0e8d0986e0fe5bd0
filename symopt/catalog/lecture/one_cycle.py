from sympy import Eq, Interval, Min, Piecewise, Rational, S, cos, oo, pi

from symopt.declaration import schedule
from symopt.notation import hyperparameter, sequence
from symopt.symbols import t

learning_rate = sequence("alpha", python="learning_rate")
alpha_min = hyperparameter("alpha_min", Interval(0, oo))
alpha_max = hyperparameter("alpha_max", Interval.open(0, oo))
w = hyperparameter("w", S.Naturals)
T = hyperparameter("T", S.Naturals)


@schedule(
    title="One cycle",
    source="slide on schedules",
    defaults={alpha_min: 0.0, alpha_max: 0.1, w: 300, T: 1000},
)
def one_cycle():
    """A straight rise over w steps, then half a cosine wave down to the end of T further steps."""
    rising = alpha_min + (alpha_max - alpha_min) * t / w
    falling = Rational(1, 2) * (alpha_max - alpha_min) * (1 + cos(pi * Min(t - w, T) / T))
    return Eq(
        learning_rate[t],
        Piecewise((rising, t <= w), (alpha_min + falling, True)),
    )
