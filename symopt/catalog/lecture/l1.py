from sympy import Abs, Eq

from symopt.declaration import regularizer
from symopt.nodes import Sigma
from symopt.symbols import R, layer, theta


@regularizer(title="L1 regularization", source="slide 'Regularization'")
def l1():
    """The absolute values of every layer's parameters."""
    return Eq(R(theta), Sigma(Abs(theta[layer]), layer))
