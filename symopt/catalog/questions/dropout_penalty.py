from symopt.catalog.lecture.dropout import dropout
from symopt.declaration import NoiseAsPenalty, question


@question(source="slide 'Regularization: dropout'")
def dropout_penalty():
    """Why is dropout a regularization?"""
    return {"linear_model": NoiseAsPenalty(dropout)}
