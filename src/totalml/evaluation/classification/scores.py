"""Predictions of one model on one set of samples."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from totalml.evaluation.arrays import Floats, Ints

OVERALL = ("accuracy", "balanced_accuracy", "f1", "auroc", "average_precision", "ece")
PER_CLASS = ("precision", "recall", "f1", "auroc", "average_precision")


@dataclass(frozen=True)
class Scores:
    """Args:
    labels: (N,) in 0..K-1.
    probabilities: (N, K), rows add up to 1.
    positive: index of the class that binary metrics look for; None: macro over classes.
    bins: of the calibration error.
    gold: (N,) index of the true class, -1 where unknown; None: no gold labels at all.
    """

    labels: Ints
    probabilities: Floats
    positive: int | None
    bins: int
    gold: Ints | None = None

    @cached_property
    def predicted(self) -> Ints:
        predicted: Ints = self.probabilities.argmax(axis=1).astype(np.int64)
        return predicted

    @cached_property
    def confidence(self) -> Floats:
        """(N,) top-class probability."""
        confidence: Floats = self.probabilities.max(axis=1)
        return confidence

    @cached_property
    def bin_of(self) -> Ints:
        """(N,) calibration bin of the confidence; 1.0 falls in the last."""
        # torch's float32 edges, as in torchmetrics: numpy's differ in the last bit, and 0.6 is an edge of 15.
        inner = torch.linspace(0, 1, self.bins + 1)[1:-1]
        bins: Ints = torch.bucketize(torch.from_numpy(self.confidence).float(), inner, right=True).numpy()
        return bins

    @property
    def classes(self) -> int:
        return int(self.probabilities.shape[1])
