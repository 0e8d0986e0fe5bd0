from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.adam_naive import adam_naive
from symopt.declaration import update_rule
from symopt.symbols import alpha, epsilon


@update_rule(
    title="Adam before bias correction",
    source="slide 'Adam', before bias correction",
    defaults={alpha: 1e-3, epsilon: 1e-8},
)
def adam_uncorrected():
    """Adam with both averages as they come, biased towards zero in the first steps."""
    return {
        "first_moment": adam["first_moment"],
        "second_moment": adam["second_moment"],
        "beta_1": adam["beta_1"],
        "beta_2": adam["beta_2"],
        "initial": adam["initial"],
        "step": adam_naive["step"],
    }
