from symopt.catalog.lecture.batch_norm import batch_norm, beta, epsilon, gamma, mu_B
from symopt.declaration import layer, leave_out


@layer(
    title="Root mean square normalization",
    source="Zhang and Sennrich, Root Mean Square Layer Normalization, 2019; with the slide's ε",
    over="C H W",
    per="element",
    defaults={epsilon: 1e-5},
    initial={gamma: 1},
)
def rms_norm():
    """Layer normalization without the mean: each example over its root mean square, then scaled."""
    return {
        "mean_square": leave_out(batch_norm["variance"], mu_B),
        "normalize": leave_out(batch_norm["normalize"], mu_B),
        "scale": leave_out(batch_norm["affine"], beta),
    }
