"""The questions that the lecture asks, or leaves to its listener; each is answered by derivation.

``CONTENTS`` is the order of the slides that they come from.
"""

CONTENTS = (
    "learning_rate",
    "friction",
    "nesterov_friction",
    "first_steps",
)
