"""Tell Weights & Biases of a run, from what its folder holds; by a process beside it, so that no fault there is its own."""

from totalml.tracking.tracked import tracked

__all__ = ["tracked"]
