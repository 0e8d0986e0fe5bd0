"""Training on real data: each rule's generated kernel beside the same rule straight in NumPy."""

from symopt.demo.outcome import Outcome
from symopt.demo.table import table
from symopt.demo.training import train

__all__ = ["Outcome", "table", "train"]
