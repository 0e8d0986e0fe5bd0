from symopt.catalog.lecture.l1 import l1
from symopt.catalog.lecture.l2 import l2
from symopt.declaration import Shrinkage, question


@question(source="slide 'Regularization'")
def shrinkage():
    """What do L1 and L2 regularization do to the minimum, and which of them makes zeros?"""
    return {"l2": Shrinkage(l2), "l1": Shrinkage(l1)}
