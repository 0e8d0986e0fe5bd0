from symopt.catalog.lecture.adagrad import adagrad
from symopt.catalog.lecture.rmsprop import rmsprop
from symopt.declaration import Fading, question


@question(source="slide 'AdaGrad', 'may become ~ 0', and slide 'RMSProp'")
def fading():
    """Do the steps of AdaGrad go to zero, and those of RMSProp not?"""
    return {"sum": Fading(adagrad), "average": Fading(rmsprop)}
