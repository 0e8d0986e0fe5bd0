from sympy import Eq

from symopt.catalog.lecture.softmax_cross_entropy import (
    K,
    alpha,
    correct,
    i,
    q,
    softmax_cross_entropy,
)
from symopt.declaration import loss


@loss(
    title="Softmax cross-entropy, 1 − α shared by all classes",
    source="Szegedy et al., 2015, as PyTorch and Optax have it, with ε = 1 − α",
    over="C",
    defaults={alpha: 0.9},
)
def softmax_cross_entropy_all():
    """As libraries smooth: all classes share 1 − α, and the correct one has α more."""
    return {
        **{
            key: softmax_cross_entropy[key]
            for key in ("largest", "shifted", "total", "probability")
        },
        "target": Eq(q[i], alpha * correct + (1 - alpha) / K),
        "loss": softmax_cross_entropy["loss"],
    }
