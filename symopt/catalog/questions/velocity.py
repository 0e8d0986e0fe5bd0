from symopt.catalog.lecture.momentum import momentum
from symopt.declaration import Unrolled, question


@question(source="slide 'Stochastic Gradient Descent + Momentum'")
def velocity():
    """How much of which gradient is in the velocity, and how large is a step in the end?"""
    return {"sum": Unrolled(momentum)}
