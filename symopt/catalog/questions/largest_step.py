from symopt.catalog.lecture.adagrad import adagrad
from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.adam_uncorrected import adam_uncorrected
from symopt.catalog.lecture.rmsprop import rmsprop
from symopt.declaration import LargestStep, question


@question(source="slides 'AdaGrad', 'RMSProp', 'Adam'")
def largest_step():
    """How far can one step lead, whatever the gradients are?"""
    return {
        "adagrad": LargestStep(adagrad),
        "rmsprop": LargestStep(rmsprop),
        "without_correction": LargestStep(adam_uncorrected),
        "with_correction": LargestStep(adam),
    }
