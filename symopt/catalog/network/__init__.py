"""What stands between the lecture's layers in a network: activations, linear maps, losses.

``CONTENTS`` is the order in which they are shown; what is not in it comes after, by name.
"""

CONTENTS = ("relu", "leaky_relu", "sigmoid", "hyperbolic_tangent", "gelu", "softmax")
