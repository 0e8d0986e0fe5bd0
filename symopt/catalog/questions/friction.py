from symopt.catalog.lecture.momentum import momentum
from symopt.declaration import OnQuadratic, question


@question(source="slide 'Stochastic Gradient Descent + Momentum'")
def friction():
    """Which learning rate and which γ let momentum converge, and which do so fastest?"""
    return {"quadratic": OnQuadratic(momentum)}
