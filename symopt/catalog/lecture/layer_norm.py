from symopt.catalog.lecture.batch_norm import batch_norm, beta, epsilon, gamma
from symopt.declaration import layer


@layer(
    title="Layer normalization",
    source="slide 'Batch Normalization', Figure 2",
    over="C H W",
    per="element",
    defaults={epsilon: 1e-5},
    initial={gamma: 1, beta: 0},
)
def layer_norm():
    """Each example without its own mean and spread, then scaled and shifted element by element."""
    return {key: batch_norm[key] for key in ("mean", "variance", "normalize", "affine")}
