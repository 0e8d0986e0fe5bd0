from sympy import Eq

from symopt.declaration import regularizer
from symopt.nodes import Norm, Sigma
from symopt.symbols import R, layer, theta


@regularizer(title="L2 regularization", source="slide 'Regularization'")
def l2():
    """The squared length of every layer's parameters, also called weight decay."""
    return Eq(R(theta), Sigma(Norm(theta[layer]) ** 2, layer))
