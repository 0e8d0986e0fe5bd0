from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.catalog.lecture.cosine import cosine
from symopt.catalog.lecture.dropout import dropout
from symopt.catalog.lecture.early_stopping import early_stopping
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.catalog.network.affine import affine
from symopt.catalog.network.relu import relu
from symopt.declaration import network, penalty


@network(
    inputs=(64,),
    title="Perceptron with one hidden layer",
    source="slides 'Regularization' and 'Batch Normalization', all in one network",
)
def perceptron():
    """Normalization between the affine layer and its nonlinearity, and dropout after it."""
    return {
        "layers": [affine(K=64), batch_norm, relu, dropout(p=0.2), affine(K=10)],
        "loss": softmax_cross_entropy(alpha=0.9),
        "penalties": [penalty(l2, 1e-4, "W")],
        "rule": adam(alpha=0.01),
        "schedule": cosine(alpha_max=0.01, T=690),
        "stopping": early_stopping(patience=8),
    }
