from symopt.catalog.lecture.minibatch import minibatch
from symopt.declaration import MiniBatch, question


@question(source="slide 'Stochastic Gradient Descent', the gradient may be noisy")
def batch_gradient():
    """How noisy is the gradient of a batch, and is it right on average?"""
    return {"batch": MiniBatch(minibatch)}
