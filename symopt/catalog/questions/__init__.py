"""The questions that the lecture asks, or leaves to its listener; each is answered by derivation.

``CONTENTS`` is the order of the slides that they come from.
"""

CONTENTS = (
    "learning_rate",
    "batch_gradient",
    "velocity",
    "friction",
    "nesterov_friction",
    "nesterov_forms",
    "fading",
    "first_steps",
    "bias",
    "largest_step",
    "weight_decay",
    "shrinkage",
    "smoothed_logits",
    "dropout_penalty",
    "normalized_weights",
)
