from symopt.catalog.lecture.adam import adam
from symopt.catalog.lecture.adam_uncorrected import adam_uncorrected
from symopt.declaration import FirstSteps, question
from symopt.symbols import epsilon


@question(source="slide 'Adam': which will be the first steps?")
def first_steps():
    """What are Adam's first steps, without bias correction and with it?"""
    return {
        "without_correction": FirstSteps(adam_uncorrected, small=epsilon),
        "with_correction": FirstSteps(adam, small=epsilon),
    }
