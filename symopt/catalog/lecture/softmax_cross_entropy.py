from sympy import Eq, Interval, KroneckerDelta, exp, log

from symopt.declaration import loss, value
from symopt.nodes import Largest, Sigma
from symopt.notation import count, given, hyperparameter, label, sequence, statistic
from symopt.symbols import example as i

z, u, p, q = given("z"), sequence("u"), sequence("p"), sequence("q")
K = count("K")
labels = label("l", python="labels")
alpha = hyperparameter("alpha", Interval(0, 1))
M, Z = statistic("M"), statistic("Z", positive=True)
total = statistic("loss", latex=r"\ell", unicode="ℓ")
correct = KroneckerDelta(i, labels)


@loss(
    title="Softmax cross-entropy with label smoothing",
    source="slide 'Regularization: label smoothing', 1 − α shared by the other classes",
    family="label_smoothing",
    over="C",
    defaults={alpha: 0.9},
)
def softmax_cross_entropy():
    """How unlikely the targets are; the correct class has α of them, the others share the rest."""
    return {
        "largest": Eq(M, Largest(z[i], (i, 1, K))),
        "shifted": Eq(u[i], z[i] - M),
        "total": Eq(Z, Sigma(exp(u[i]), (i, 1, K))),
        "probability": Eq(p[i], exp(u[i]) / Z),
        "target": Eq(q[i], alpha * correct + (1 - alpha) / (K - 1) * (1 - correct)),
        "correct": value(Eq(q[labels], alpha)),
        "others": value(Eq(Sigma(q[i] * (1 - correct), (i, 1, K)), 1 - alpha)),
        "loss": Eq(total, -Sigma(q[i] * (u[i] - log(Z)), (i, 1, K))),
    }
