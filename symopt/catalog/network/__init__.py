"""What a network takes beside the lecture's layers: activations, losses, a schedule that reacts.

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
    "reduce_on_plateau",
    "perceptron",
)
