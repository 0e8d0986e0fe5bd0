"""The lecture "Deep learning: optimization, training of neural networks" by Mikhail Lazarev.

``CONTENTS`` is the order of its slides; a declaration that is not in it comes after, by name.
"""

CONTENTS = (
    "gd_objective",
    "gd",
    "gd_full",
    "sgd_objective",
    "sgd",
    "minibatch",
    "constant",
    "step_decay",
    "exponential_decay",
    "inverse_time",
    "cosine",
    "linear_warmup",
    "one_cycle",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adam_naive",
    "adam_uncorrected",
    "adam",
    "regularized_objective",
    "l2",
    "l1",
    "elastic_net",
    "softmax_cross_entropy",
    "dropout",
    "batch_norm",
    "batch_norm_debiased",
    "layer_norm",
    "instance_norm",
    "group_norm",
    "rms_norm",
)
