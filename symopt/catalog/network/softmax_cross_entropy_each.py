from sympy import Eq

from symopt.catalog.lecture.softmax_cross_entropy import alpha, correct, i, q, softmax_cross_entropy
from symopt.declaration import loss


@loss(
    title="Softmax cross-entropy, each other class at 1 − α",
    source="slide 'Regularization: label smoothing', 1 − α for each of the others",
    over="C",
    defaults={alpha: 0.9},
)
def softmax_cross_entropy_each():
    """The slide's other reading: every class but the correct one has 1 − α; they add up to more."""
    return {
        **{
            key: softmax_cross_entropy[key]
            for key in ("largest", "shifted", "total", "probability")
        },
        "target": Eq(q[i], alpha * correct + (1 - alpha) * (1 - correct)),
        "loss": softmax_cross_entropy["loss"],
    }
