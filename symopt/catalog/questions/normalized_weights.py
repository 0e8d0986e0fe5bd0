from symopt.catalog.lecture.batch_norm import batch_norm
from symopt.declaration import ScaledWeights, question


@question(source="slide 'Batch Normalization', it allows larger learning rates")
def normalized_weights():
    """Why does batch normalization let learning rates be larger?"""
    return {"scale": ScaledWeights(batch_norm)}
