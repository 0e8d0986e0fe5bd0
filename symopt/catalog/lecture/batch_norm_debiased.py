from sympy import Eq

from symopt.catalog.lecture.batch_norm import (
    alpha,
    batch_norm,
    beta,
    epsilon,
    gamma,
    mu,
    mu_B,
    sigma2,
    sigma2_B,
)
from symopt.declaration import debias, layer


@layer(
    title="Batch normalization with corrected running statistics",
    source="slide 'Batch Normalization' with the bias correction of slide 'Adam'",
    defaults={alpha: 0.1, epsilon: 1e-5},
    initial={gamma: 1, beta: 0, mu: 0, sigma2: 1},
)
def batch_norm_debiased():
    """Batch normalization whose running averages forget what they started from."""
    return {
        **{key: batch_norm[key] for key in ("mean", "variance", "normalize", "affine")},
        "running_mean": Eq(mu, alpha * mu_B + (1 - alpha) * mu),
        "running_variance": Eq(sigma2, alpha * sigma2_B + (1 - alpha) * sigma2),
        "bias_correction": debias(mu, sigma2),
        "inference": batch_norm["inference"],
    }
