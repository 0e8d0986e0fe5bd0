from sympy import Abs, Eq

from symopt.declaration import regularizer, slip
from symopt.nodes import Norm, Sigma
from symopt.symbols import R, layer, theta


@regularizer(title="Elastic Net", source="slide 'Regularization'")
def elastic_net():
    """Absolute values and squared length together."""
    absolute, squared = Abs(theta[layer]), Norm(theta[layer]) ** 2
    return slip(
        shown=Eq(R(theta), Sigma(absolute, layer) + squared),
        meant=Eq(R(theta), Sigma(absolute + squared, layer)),
        note="The slide has no bracket; the sum is meant over both terms.",
    )
