from sympy import Eq, Interval, sqrt

from symopt.declaration import inference, layer
from symopt.nodes import Sigma
from symopt.notation import given, hat, hyperparameter, parameter, sequence, statistic
from symopt.symbols import epsilon, example, m

x, y = given("x"), sequence("y")
gamma, beta = parameter("gamma"), parameter("beta")
alpha = hyperparameter("alpha", Interval.Lopen(0, 1))
mu_B = statistic("mu_B")
sigma2_B = statistic(
    "sigma2_B", nonnegative=True, latex=r"\sigma_B^2", unicode="σ²_B", python="sigma2_B"
)
# averages over batches, and what inference takes them for
mu = statistic("mu")
sigma2 = statistic("sigma2", nonnegative=True, latex=r"\sigma^2", unicode="σ²")
mu_hat, sigma2_hat = hat(mu), hat(sigma2)


@layer(
    title="Batch normalization",
    source="slide 'Batch Normalization'",
    over="N H W",
    defaults={alpha: 0.1, epsilon: 1e-5},
    initial={gamma: 1, beta: 0, mu_hat: 0, sigma2_hat: 1},
)
def batch_norm():
    """Each feature without the mean and the spread of its batch, then scaled and shifted."""
    centred = x[example] - mu_B
    return {
        "mean": Eq(mu_B, 1 / m * Sigma(x[example], (example, 1, m))),
        "variance": Eq(sigma2_B, 1 / m * Sigma(centred**2, (example, 1, m))),
        "normalize": Eq(hat(x)[example], centred / sqrt(sigma2_B + epsilon)),
        "affine": Eq(y[example], gamma * hat(x)[example] + beta),
        "running_mean": Eq(mu_hat, alpha * mu_B + (1 - alpha) * mu_hat),
        "running_variance": Eq(sigma2_hat, alpha * sigma2_B + (1 - alpha) * sigma2_hat),
        "inference": inference(
            Eq(hat(x)[example], (x[example] - mu_hat) / sqrt(sigma2_hat + epsilon))
        ),
    }
