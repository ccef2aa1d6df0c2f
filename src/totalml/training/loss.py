"""Class weights of the loss."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def class_weights(labels: NDArray[np.int64], classes: int) -> Tensor:
    """(K,) N / (K' * count), so that every class present weighs the same; 0 for a class without samples.

    Args:
        labels: (N,) of the training rows.
        classes: K; K' of them are present.
    """
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    weights = np.where(counts > 0, len(labels) / (present * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights).float()
