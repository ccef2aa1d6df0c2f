"""The distance of what enters the head from what entered it in training, and from where on a picture is a stranger.

Of the methods tried on a real stranger (docs/robustness.md) the oldest was best by far: Mahalanobis' distance to the
nearest class (Lee et al. 2018), with one covariance for all classes, shrunk so that it can be inverted however few
samples there are (Ledoit and Wolf 2004).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats, Ints
from totalml.runs.attempt import OUT_OF_DISTRIBUTION_FIT
from totalml.store.atomic import write_atomically

METADATA = "totalml out of distribution v1"  # one key only: the format writes several in any order
LEAST_VARIANCE = 1e-12  # of a network whose embeddings are all alike

Embeddings = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Detector:
    """Args:
    whitening: (D, D) float32; distances of embeddings times it are Mahalanobis' distances, divided by sqrt(D).
    centres: (K, D) float32, the classes' mean embeddings times it.
    threshold: a score above it is a stranger's; None where validation is too small to set one.
    """

    whitening: NDArray[np.float32]
    centres: NDArray[np.float32]
    threshold: float | None = None

    def score(self, embeddings: Embeddings) -> Floats:
        """(N, D) -> (N,) distance to the nearest class; about 1 for a sample like those of training."""
        whitening, centres = self._wide
        white = embeddings.astype(np.float64) @ whitening
        distances = [np.linalg.norm(white - centre, axis=1) for centre in centres]
        nearest: Floats = np.min(distances, axis=0)
        return nearest

    @cached_property
    def _wide(self) -> tuple[Floats, Floats]:
        """Both as float64; made once, since a service asks for each picture."""
        return self.whitening.astype(np.float64), self.centres.astype(np.float64)

    def flagged(self, scores: Floats) -> NDArray[np.bool_]:
        if self.threshold is None:
            return np.zeros(len(scores), np.bool_)
        return scores > self.threshold

    def with_threshold(self, validation: Floats, false_alarms: float) -> Self:
        """The threshold that a new sample like those of validation passes at most so often, on average.

        Args: validation: (V,) scores.
        Source: Vovk et al. 2005, inductive conformal prediction.
        """
        place = math.ceil((len(validation) + 1) * (1 - false_alarms) - 1e-9)
        if place > len(validation):
            return self
        return replace(self, threshold=float(np.sort(validation)[place - 1]))

    def save(self, folder: Path) -> None:
        tensors = {"whitening": self.whitening, "centres": self.centres}
        metadata = {METADATA: json.dumps({"threshold": self.threshold})}
        write_atomically(folder / OUT_OF_DISTRIBUTION_FIT, save(tensors, metadata))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises: EvaluationError: the file is missing, damaged or another one."""
        path = folder / OUT_OF_DISTRIBUTION_FIT
        try:
            with safe_open(path, "np") as file:
                values = json.loads(file.metadata()[METADATA])
                return cls(file.get_tensor("whitening"), file.get_tensor("centres"), values["threshold"])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(f"{path} cannot be read: {error}. Run the recipe again.") from error


def fit(embeddings: Embeddings, labels: Ints) -> Detector:
    """Args:
    embeddings: (N, D) of training samples; labels: (N,) of any classes.
    """
    values = embeddings.astype(np.float64)
    classes = np.unique(labels)
    means = np.stack([values[labels == k].mean(axis=0) for k in classes])
    covariance = shrunk_covariance(values - means[np.searchsorted(classes, labels)])
    # The inverse is whitening @ whitening.T.
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T / math.sqrt(values.shape[1])
    # Row by row in memory: safetensors writes it as it lies there.
    return Detector(np.ascontiguousarray(whitening, np.float32), np.ascontiguousarray(means @ whitening, np.float32))


def shrunk_covariance(centred: Floats) -> Floats:
    """(N, D) of mean 0 -> (D, D), drawn towards equal variances as far as N is small for D.

    Source: Ledoit and Wolf 2004.
    """
    count, width = centred.shape
    sample = centred.T @ centred / count
    target = np.trace(sample) / width * np.eye(width)
    distance = ((sample - target) ** 2).sum()
    squares = centred**2
    error = ((squares.T @ squares / count - sample**2).sum()) / count
    weight = min(1.0, error / distance) if distance > 0 else 1.0
    shrunk: Floats = (1 - weight) * sample + weight * target + LEAST_VARIANCE * np.eye(width)
    return shrunk
