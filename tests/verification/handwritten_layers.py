"""Correct NumPy kernels of the lecture's layers, written by hand; ``slipped`` makes wrong ones.

They are texts, not functions, so that a test may change a word of them.
"""

import numpy as np

from symopt.verification import LayerSubject

# BatchNorm over all axes but channels
BATCH = """
def axes_of(x):
    return tuple(k for k in range(x.ndim) if k != 1)

def wide(v, x):
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))

def forward(x, gamma, beta, mu_hat, sigma2_hat, alpha, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    mu = x.mean(axis=axes)
    centred = x - wide(mu, x)
    sigma2 = (centred * centred).mean(axis=axes)
    x_hat = centred / np.sqrt(wide(sigma2, x) + T(epsilon))
    y = wide(gamma, x) * x_hat + wide(beta, x)
    mu_hat[:] = T(alpha) * mu + T(1 - alpha) * mu_hat
    sigma2_hat += T(alpha) * (sigma2 - sigma2_hat)
    return y, mu, sigma2

def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    m = T(x.size // x.shape[1])
    centred = x - wide(mu_B, x)
    root = np.sqrt(wide(sigma2_B, x) + T(epsilon))
    x_hat = centred / root
    dbeta = dy.sum(axis=axes)
    dgamma = (dy * x_hat).sum(axis=axes)
    inner = m * dy - wide(dbeta, x) - x_hat * wide(dgamma, x)
    dx = wide(gamma, x) / (m * root) * inner
    return dx, dgamma, dbeta

def inference(x, gamma, beta, mu_hat, sigma2_hat, epsilon):
    T = x.dtype.type
    x_hat = (x - wide(mu_hat, x)) / np.sqrt(wide(sigma2_hat, x) + T(epsilon))
    return wide(gamma, x) * x_hat + wide(beta, x)
"""

# the same gradient by the chain rule, as the BatchNorm paper has it
CHAIN = """
def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    m = T(x.size // x.shape[1])
    centred = x - wide(mu_B, x)
    s = wide(sigma2_B, x) + T(epsilon)
    dx_hat = dy * wide(gamma, x)
    dsigma2 = (dx_hat * centred).sum(axis=axes) * T(-0.5) * (1 / (s * np.sqrt(s))).reshape(-1)
    through_root = -(dx_hat / np.sqrt(s)).sum(axis=axes)
    dmu = through_root + dsigma2 * T(-2) * centred.mean(axis=axes)
    dx = dx_hat / np.sqrt(s) + wide(dsigma2, x) * 2 * centred / m + wide(dmu, x) / m
    return dx, (dy * (centred / np.sqrt(s))).sum(axis=axes), dy.sum(axis=axes)
"""

# each entry of the Jacobian γ/√s·(δ_ij − 1/m − x̂_i x̂_j/m), and its products with dy
JACOBIAN = """
def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    flat = np.moveaxis(x, 1, 0).reshape(len(gamma), -1)
    outer = np.moveaxis(dy, 1, 0).reshape(len(gamma), -1)
    m = T(flat.shape[1])
    root = np.sqrt(sigma2_B + T(epsilon))[:, None]
    x_hat = (flat - mu_B[:, None]) / root
    pairs = x_hat[:, :, None] * x_hat[:, None, :] * (1 / m)
    slopes = (np.eye(int(m), dtype=x.dtype) - 1 / m - pairs) * (gamma[:, None] / root)[:, :, None]
    dx = (slopes * outer[:, None, :]).sum(axis=2).astype(x.dtype)
    dx = np.moveaxis(dx.reshape((len(gamma), len(x)) + x.shape[2:]), 0, 1)
    return dx, (outer * x_hat).sum(axis=1), outer.sum(axis=1)
"""

# reciprocals in place of quotients, and factors drawn into sums
DIVIDED = """
def forward(x, gamma, beta, mu_hat, sigma2_hat, alpha, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    share = T(1 / (x.size // x.shape[1]))
    mu = (x * share).sum(axis=axes)
    sigma2 = (share * (x - wide(mu, x)) ** 2).sum(axis=axes)
    scale = gamma * (1 / np.sqrt(sigma2 + T(epsilon)))
    mu_hat += T(alpha) * (mu - mu_hat)
    sigma2_hat[:] = T(1 - alpha) * sigma2_hat + T(alpha) * sigma2
    return (x - wide(mu, x)) * wide(scale, x) + wide(beta, x), mu, sigma2

def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x)
    share = T(1 / (x.size // x.shape[1]))
    one = 1 / np.sqrt(sigma2_B + T(epsilon))
    scale = gamma * one
    x_hat = (x - wide(mu_B, x)) * wide(one, x)
    mean = (dy * wide(share * scale, x)).sum(axis=axes)
    slope = (dy * wide(share * scale, x) * x_hat).sum(axis=axes)
    dx = wide(scale, x) * dy - wide(mean, x) - wide(slope, x) * x_hat
    return dx, (dy * (x - wide(mu_B, x))).sum(axis=axes) * one, dy.sum(axis=axes)

def inference(x, gamma, beta, mu_hat, sigma2_hat, epsilon):
    scale = gamma / np.sqrt(sigma2_hat + x.dtype.type(epsilon))
    return (x - wide(mu_hat, x)) * wide(scale, x) + wide(beta, x)
"""

# the elements of each channel in reverse, one at a time
BACKWARDS = """
def forward(x, gamma, beta, mu_hat, sigma2_hat, alpha, epsilon):
    T = x.dtype.type
    rows = np.moveaxis(x, 1, 0).reshape(len(gamma), -1)[:, ::-1]
    mu, sigma2 = np.zeros_like(gamma), np.zeros_like(gamma)
    for column in rows.T:
        mu += column
    mu /= T(rows.shape[1])
    for column in rows.T:
        sigma2 += (column - mu) ** 2
    sigma2 /= T(rows.shape[1])
    mu_hat[:] = T(alpha) * mu + T(1 - alpha) * mu_hat
    sigma2_hat[:] = T(alpha) * sigma2 + T(1 - alpha) * sigma2_hat
    root = np.sqrt(wide(sigma2, x) + T(epsilon))
    return wide(gamma, x) * (x - wide(mu, x)) / root + wide(beta, x), mu, sigma2
"""

# as generated kernels do, rather than to divide zero by zero
REFUSING = """
plain_forward, plain_inference = forward, inference

def forward(x, gamma, beta, mu_hat, sigma2_hat, alpha, epsilon):
    if np.any(x.var(axis=axes_of(x)) + epsilon == 0):
        raise ValueError("no spread")
    return plain_forward(x, gamma, beta, mu_hat, sigma2_hat, alpha, epsilon)

def inference(x, gamma, beta, mu_hat, sigma2_hat, epsilon):
    if np.any(sigma2_hat + epsilon == 0):
        raise ValueError("no spread")
    return plain_inference(x, gamma, beta, mu_hat, sigma2_hat, epsilon)
"""

# the averages under plain names, which the statistics of the batch have in BATCH
RAW = """
def forward(x, gamma, beta, mu, sigma2, alpha, epsilon):
    return batch_forward(x, gamma, beta, mu, sigma2, alpha, epsilon)
"""

DEBIASED = """
def inference(x, gamma, beta, mu, sigma2, t, alpha, epsilon):
    T = x.dtype.type
    kept = (1 - alpha) ** t
    mu_hat = mu * T(1 / (1 - kept))
    sigma2_hat = (sigma2 - T(kept)) / T(1 - kept)
    x_hat = (x - wide(mu_hat, x)) / np.sqrt(wide(sigma2_hat, x) + T(epsilon))
    return wide(gamma, x) * x_hat + wide(beta, x)
"""

# the trailing axes, those of the parameters, are averaged over
ELEMENTS = """
def axes_of(x, gamma):
    return tuple(range(x.ndim - gamma.ndim, x.ndim))

def wide(v, x):
    return v.reshape(v.shape + (1,) * (x.ndim - v.ndim))

def forward(x, gamma, beta, epsilon):
    T, axes = x.dtype.type, axes_of(x, gamma)
    mu = x.mean(axis=axes)
    centred = x - wide(mu, x)
    sigma2 = (centred * centred).mean(axis=axes)
    return gamma * (centred / np.sqrt(wide(sigma2, x) + T(epsilon))) + beta, mu, sigma2

def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x, gamma)
    before = tuple(range(x.ndim - gamma.ndim))
    root = np.sqrt(wide(sigma2_B, x) + T(epsilon))
    x_hat = (x - wide(mu_B, x)) / root
    dx_hat = dy * gamma
    mean = wide(dx_hat.mean(axis=axes), x)
    slope = wide((dx_hat * x_hat).mean(axis=axes), x)
    dx = (dx_hat - mean - x_hat * slope) / root
    return dx, (dy * x_hat).sum(axis=before), dy.sum(axis=before)
"""

ROOT_MEAN_SQUARE = """
def forward(x, gamma, epsilon):
    T, axes = x.dtype.type, axes_of(x, gamma)
    sigma2 = (x * x).mean(axis=axes)
    return gamma * (x / np.sqrt(wide(sigma2, x) + T(epsilon))), sigma2

def backward(dy, x, gamma, sigma2_B, epsilon):
    T, axes = x.dtype.type, axes_of(x, gamma)
    before = tuple(range(x.ndim - gamma.ndim))
    root = np.sqrt(wide(sigma2_B, x) + T(epsilon))
    x_hat = x / root
    dx_hat = dy * gamma
    slope = wide((dx_hat * x_hat).mean(axis=axes), x)
    return (dx_hat - x_hat * slope) / root, (dy * x_hat).sum(axis=before)
"""

# rows are the groups of consecutive channels of each example
GROUPS = """
def rows(x, groups):
    return x.reshape(x.shape[0], groups, -1)

def wide(v, x):
    return v.reshape((1, -1) + (1,) * (x.ndim - 2))

def forward(x, gamma, beta, groups, epsilon):
    T, r = x.dtype.type, rows(x, groups)
    mu = r.mean(axis=2)
    centred = r - mu[:, :, None]
    sigma2 = (centred * centred).mean(axis=2)
    x_hat = (centred / np.sqrt(sigma2 + T(epsilon))[:, :, None]).reshape(x.shape)
    return wide(gamma, x) * x_hat + wide(beta, x), mu, sigma2

def backward(dy, x, gamma, mu_B, sigma2_B, groups, epsilon):
    T, r = x.dtype.type, rows(x, groups)
    axes = tuple(k for k in range(x.ndim) if k != 1)
    root = np.sqrt(sigma2_B + T(epsilon))[:, :, None]
    x_hat = (r - mu_B[:, :, None]) / root
    dx_hat = rows(dy * wide(gamma, x), groups)
    slope = (dx_hat * x_hat).mean(axis=2, keepdims=True)
    dx = (dx_hat - dx_hat.mean(axis=2, keepdims=True) - x_hat * slope) / root
    dgamma = (dy * x_hat.reshape(x.shape)).sum(axis=axes)
    return dx.reshape(x.shape), dgamma, dy.sum(axis=axes)
"""

# every channel a group of its own
INSTANCES = """
def forward(x, gamma, beta, epsilon):
    y, mu, sigma2 = grouped_forward(x, gamma, beta, x.shape[1], epsilon)
    return y, mu, sigma2

def backward(dy, x, gamma, mu_B, sigma2_B, epsilon):
    return grouped_backward(dy, x, gamma, mu_B, sigma2_B, x.shape[1], epsilon)
"""
_RENAMED = GROUPS.replace("def forward", "def grouped_forward").replace(
    "def backward", "def grouped_backward"
)

TEXTS = {
    "batch_norm": BATCH,
    "batch_norm_debiased": BATCH.replace("def forward", "def batch_forward") + RAW + DEBIASED,
    "layer_norm": ELEMENTS,
    "rms_norm": ELEMENTS + ROOT_MEAN_SQUARE,
    "group_norm": GROUPS,
    "instance_norm": _RENAMED + INSTANCES,
}


def subject(text, **changed):
    """The kernels of a text; what they take is read off their signatures."""
    names: dict = {"np": np}
    exec(text, names)
    kernels = {**{k: names.get(k) for k in ("forward", "backward", "inference")}, **changed}
    arguments = {f"{k}_arguments": _arguments(f) for k, f in kernels.items()}
    centred = "mu_B" in arguments["backward_arguments"]
    shifted = "beta" in arguments["forward_arguments"]
    return LayerSubject(
        results=("y", "mu_B", "sigma2_B") if centred else ("y", "sigma2_B"),
        gradients=("x", "gamma", "beta") if shifted else ("x", "gamma"),
        **kernels,
        **arguments,
    )


def _arguments(function):
    if function is None:
        return ()
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def slipped(name, old, new):
    """The kernels of a layer with one word changed."""
    text = TEXTS[name]
    assert text.count(old) == 1, (old, text.count(old))
    return subject(text.replace(old, new))
