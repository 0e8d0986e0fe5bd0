from symopt.catalog.lecture.nesterov import nesterov
from symopt.declaration import OnQuadratic, question


@question(source="slide 'Nesterov Momentum'")
def nesterov_friction():
    """What does it change to take the gradient where the velocity is about to lead?"""
    return {"quadratic": OnQuadratic(nesterov)}
