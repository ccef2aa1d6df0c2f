"""The answer that needs no model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from totalml.evaluation.classification.record import ClassificationEvaluation


@dataclass(frozen=True)
class Baseline:
    """What always answering the most frequent class of the test split would reach."""

    label: str
    accuracy: float

    @classmethod
    def of(cls, evaluation: ClassificationEvaluation) -> Self:
        support = [sum(row) for row in evaluation.confusion]
        most = int(np.argmax(support))
        return cls(evaluation.classes[most], support[most] / evaluation.count)
