"""Correct NumPy losses written by hand, each a text of which a test may change a word."""

from dataclasses import replace

from handwritten_layers import subject

# what has to be refused of arguments, and how the losses of groups become one number
AROUND = """
def checked(z, labels, reduction):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.shape != z.shape[:1] + z.shape[2:]:
        raise ValueError("labels do not fit")
    if np.any(labels < 0) or np.any(labels >= z.shape[1]):
        raise ValueError("a label of no class")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError("no such reduction")
    return labels

def reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](loss)

def spread(dloss, z, reduction):
    shape = z.shape[:1] + z.shape[2:]
    if reduction == "none":
        if getattr(dloss, "shape", None) != shape or dloss.dtype != z.dtype:
            raise ValueError("dloss does not fit")
        return dloss
    if np.ndim(dloss):
        raise ValueError("dloss is no number")
    count = np.prod(shape) if reduction == "mean" else 1
    return np.full(shape, dloss / count, z.dtype)

def targets(z, labels, alpha):
    hit = (np.arange(z.shape[1]).reshape((1, -1) + (1,) * (z.ndim - 2)) == labels[:, None])
    hit, T = hit.astype(z.dtype), z.dtype.type
    with np.errstate(all="ignore"):  # of a single class there are no others
        other = np.float64(1 - alpha) / (z.shape[1] - 1)
        return T(alpha) * hit + T(other) * (1 - hit)
"""

# the statistics that the declaration names are kept
SHIFTED = (
    AROUND
    + """
def forward(z, labels, alpha, reduction):
    labels = checked(z, labels, reduction)
    M = z.max(axis=1)
    u = z - M[:, None]
    Z = np.exp(u).sum(axis=1)
    q = targets(z, labels, alpha)
    loss = -(q * (u - np.log(Z)[:, None])).sum(axis=1)
    return reduced(loss, reduction), M, Z

def backward(dloss, z, labels, M, Z, alpha, reduction):
    labels = checked(z, labels, reduction)
    dloss = spread(dloss, z, reduction)
    if M.shape != dloss.shape or Z.shape != M.shape or {M.dtype, Z.dtype} != {z.dtype}:
        raise ValueError("statistics do not fit")
    p = np.exp(z - M[:, None]) / Z[:, None]
    q = targets(z, labels, alpha)
    return dloss[:, None] * (p * q.sum(axis=1)[:, None] - q)
"""
)

# nothing is kept; the loss is the logarithm of the sum less the targets' mean of the logits
ALONE = (
    AROUND
    + """
def logarithms(z):
    u = z - z.max(axis=1, keepdims=True)
    return u - np.log(np.exp(u).sum(axis=1, keepdims=True))

def forward(z, labels, alpha, reduction):
    q = targets(z, checked(z, labels, reduction), alpha)
    M = z.max(axis=1)
    total = M + np.log(np.exp(z - M[:, None]).sum(axis=1))
    loss = (q.sum(axis=1) * total - (q * z).sum(axis=1)).astype(z.dtype)
    return reduced(loss, reduction)

def backward(dloss, z, labels, alpha, reduction):
    q = targets(z, checked(z, labels, reduction), alpha)
    inner = np.exp(logarithms(z)) * q.sum(axis=1, keepdims=True) - q
    return spread(dloss, z, reduction)[:, None] * inner
"""
)

# no kernel of reductions: a number for each group
SQUARED = """
def forward(x, target):
    axes = tuple(range(1, x.ndim))
    return ((x - target) ** 2).mean(axis=axes)

def backward(dloss, x, target):
    m = x.dtype.type(x[0].size)
    dx = 2 * dloss.reshape((-1,) + (1,) * (x.ndim - 1)) / m * (x - target)
    return dx, -dx
"""


def loss_subject(text, *statistics, by=("z",), checks=True):
    """The kernels of a text, which returns a loss and these statistics."""
    return replace(subject(text), results=("loss", *statistics), gradients=by, checks=checks)


KINDS = {
    "shifted": (SHIFTED, "softmax_cross_entropy", lambda text: loss_subject(text, "M", "Z")),
    "alone": (ALONE, "softmax_cross_entropy", loss_subject),
    "squared": (
        SQUARED,
        "squared_error",
        lambda text: loss_subject(text, by=("x", "target"), checks=False),
    ),
}


def slipped_loss(kind, old, new):
    """The loss's name and kernels, one word of them changed."""
    text, name, make = KINDS[kind]
    assert text.count(old) == 1, (old, text.count(old))
    return name, make(text.replace(old, new))
