"""What computes the network: PyTorch, or a faster program that it is exported to, chosen by measurement and proven."""

from .base import BACKENDS, Backend, HazardLogits
from .choosing import Question, Settled, candidates, require_possible, settle

__all__ = ["BACKENDS", "Backend", "HazardLogits", "Question", "Settled", "candidates", "require_possible", "settle"]
