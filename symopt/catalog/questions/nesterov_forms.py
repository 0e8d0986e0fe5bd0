from sympy import Eq

from symopt.catalog.lecture.nesterov import nesterov
from symopt.declaration import SameTrajectory, question, update_rule
from symopt.nodes import d
from symopt.notation import sequence
from symopt.symbols import L, alpha, gamma, t

phi, b = sequence("phi"), sequence("b")


@question(source="slide 'Nesterov Momentum'")
def nesterov_forms():
    """Libraries take the gradient at the parameters themselves: is that the slide's rule?"""

    @update_rule(title="Nesterov momentum of libraries", initial={b: 0})
    def in_libraries():
        return {
            "velocity": Eq(b[t], gamma * b[t - 1] + d(L(phi), phi)),
            "step": Eq(phi[t + 1], phi[t] - alpha * (d(L(phi), phi) + gamma * b[t])),
        }

    return {"forms": SameTrajectory(nesterov, in_libraries)}
