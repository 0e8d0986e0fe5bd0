"""The symbols of optimization papers, ready to import, each with the range it is used in.

A rule needs no others than these in most cases; further ones are made by
:func:`symopt.notation.hyperparameter` and :func:`symopt.notation.sequence`.
"""

from sympy import Interval, oo

from symopt.notation import count, function, given, hyperparameter, index, sequence

_positive = Interval.open(0, oo)
_nonnegative = Interval(0, oo)
_fraction = Interval.Ropen(0, 1)

alpha = hyperparameter("alpha", _positive)
beta = hyperparameter("beta", _fraction)
beta_1 = hyperparameter("beta_1", _fraction)
beta_2 = hyperparameter("beta_2", _fraction)
gamma = hyperparameter("gamma", _fraction)
epsilon = hyperparameter("epsilon", _nonnegative)
lambda_ = hyperparameter("lambda", _nonnegative)
kappa = hyperparameter("kappa", _nonnegative)

theta = sequence("theta")
v = sequence("v")
G = sequence("G")
u = sequence("u")
c = sequence("c")

g = given("g")
x = given("x")
y = given("y")

t = index("t", "step")
tau = index("tau", "bound")
i = index("i", "component")
example = index("i", "example")
layer = index("l", "layer")

n = count("n")
m = count("m")

L = function("L")
f = function("f")
R = function("R")
