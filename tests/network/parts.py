"""Small networks that several tests share."""

from symopt import network, penalty
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.catalog.network.relu import relu


@network(inputs=(4,))
def normalized():
    """No affine layer at all: four numbers normalized twice are the scores of four classes."""
    return {
        "layers": [batch_norm, relu, batch_norm(epsilon=1e-3)],
        "loss": softmax_cross_entropy(alpha=0.9),
        "penalties": [penalty(l2, 1e-3, "gamma")],
        "rule": adam(alpha=0.01),
    }
