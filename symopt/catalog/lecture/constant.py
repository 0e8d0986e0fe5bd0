from sympy import Eq

from symopt.declaration import schedule
from symopt.notation import sequence
from symopt.symbols import alpha, t

learning_rate = sequence("alpha", python="learning_rate")


@schedule(
    title="Constant learning rate",
    source="slide 'Stochastic Gradient Descent', learning rate",
    defaults={alpha: 0.01},
)
def constant():
    """The same learning rate at every step."""
    return Eq(learning_rate[t], alpha)
