"""What stands between the lecture's layers in a network: activations and losses.

``CONTENTS`` is the order in which they are shown; what is not in it comes after, by name.
"""

CONTENTS = (
    "affine",
    "convolution",
    "relu",
    "leaky_relu",
    "sigmoid",
    "hyperbolic_tangent",
    "gelu",
    "softmax",
    "softmax_cross_entropy_each",
    "softmax_cross_entropy_all",
    "squared_error",
)
