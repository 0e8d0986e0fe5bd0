from symopt.catalog.lecture.softmax_cross_entropy import softmax_cross_entropy
from symopt.declaration import BestInputs, question


@question(source="slide 'Regularization: label smoothing'")
def smoothed_logits():
    """How far do logits grow with label smoothing?"""
    return {"smallest": BestInputs(softmax_cross_entropy)}
