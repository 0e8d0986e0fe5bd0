from symopt.catalog.lecture.adam import adam
from symopt.declaration import Drift, question


@question(source="slide 'Adam', bias correction")
def bias():
    """What does dividing by 1 − βᵗ mend, and what is left where the gradient's mean drifts?"""
    return {"remainder": Drift(adam)}
