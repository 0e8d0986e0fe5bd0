from sympy import Eq, Interval

from symopt.declaration import drawn, inference, layer, unbias
from symopt.nodes import Bernoulli, Expectation
from symopt.notation import given, hyperparameter, random, sequence, unknown
from symopt.symbols import example as i

x, y = given("x"), sequence("y")
r, s = random("r"), unknown("s")
p = hyperparameter("p", Interval.Ropen(0, 1))


@layer(title="Dropout", source="slide 'Regularization: dropout'", defaults={p: 0.5})
def dropout():
    """Each element is left out with probability p, the others grow so that the mean stays."""
    return {
        "mask": drawn(r[i], Bernoulli(1 - p)),
        "output": Eq(y[i], s * r[i] * x[i]),
        "scale": unbias(s, Eq(Expectation(y[i]), x[i])),
        "inference": inference(Eq(y[i], x[i])),
    }
