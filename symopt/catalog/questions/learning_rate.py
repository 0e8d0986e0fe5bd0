from symopt.catalog.lecture.gd import gd
from symopt.declaration import OnQuadratic, question


@question(source="slide 'Stochastic Gradient Descent', high and low learning rate")
def learning_rate():
    """Which learning rates are too high, which too low, and which is best?"""
    return {"quadratic": OnQuadratic(gd)}
