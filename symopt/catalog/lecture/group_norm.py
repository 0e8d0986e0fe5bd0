from symopt.catalog.lecture.batch_norm import batch_norm, beta, epsilon, gamma
from symopt.declaration import layer


@layer(
    title="Group normalization",
    source="slide 'Batch Normalization', Figure 2",
    over="C/G H W",
    defaults={epsilon: 1e-5},
    initial={gamma: 1, beta: 0},
)
def group_norm():
    """Each group of an example's channels without its mean and spread, then scaled and shifted."""
    return {key: batch_norm[key] for key in ("mean", "variance", "normalize", "affine")}
