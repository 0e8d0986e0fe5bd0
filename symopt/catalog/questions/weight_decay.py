from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.l2 import l2
from symopt.catalog.lecture.momentum import momentum
from symopt.catalog.lecture.sgd import sgd
from symopt.declaration import DecayInLoss, question


@question(source="slide 'Regularization', L2 regularization (weight decay)")
def weight_decay():
    """Is L2 regularization the same as weight decay, as the slide calls it?"""
    return {
        "sgd": DecayInLoss(sgd, l2),
        "momentum": DecayInLoss(momentum, l2),
        "adam": DecayInLoss(adam, l2),
    }
