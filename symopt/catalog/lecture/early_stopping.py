from sympy import Eq, Interval, Piecewise, S, oo

from symopt.declaration import initially, monitor
from symopt.notation import given, hyperparameter, sequence
from symopt.symbols import t

ell = given("ell", latex=r"\ell", unicode="ℓ")
b, w, s = sequence("b"), sequence("w"), sequence("s")
delta = hyperparameter("delta", Interval(0, oo))
patience = hyperparameter("patience", S.Naturals, latex="p", unicode="p")


@monitor(
    title="Early stopping",
    source="slide 'Regularization'; Prechelt, 1998",
    defaults={patience: 10, delta: 0},
)
def early_stopping():
    """Training ends when the loss on validation data has not improved p times in a row."""
    improved = ell[t] < b[t - 1] - delta
    return {
        "best": Eq(b[t], Piecewise((ell[t], improved), (b[t - 1], True))),
        "waited": Eq(w[t], Piecewise((0, improved), (w[t - 1] + 1, True))),
        "stop": Eq(s[t], Piecewise((1, w[t] >= patience), (0, True))),
        "initial_best": initially(oo, b),
        "initial_wait": initially(0, w),
    }
