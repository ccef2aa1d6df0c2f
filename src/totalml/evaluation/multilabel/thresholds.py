"""From which probability on a label is said: where that makes the best F1 on the validation split."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats
from totalml.evaluation.multilabel.scores import Flags

DEFAULT = 0.5
LEAST = 20  # validation samples with the label, and without it; fewer would set a threshold by chance


def best_thresholds(true: Flags, probabilities: NDArray[np.floating[Any]]) -> Floats:
    """(L,) in [0, 1] of the best F1 for each label, and 0.5 for those that too few samples have, or lack.

    Args: true, probabilities: (V, L), of the validation split.
    """
    columns = zip(true.T, np.asarray(probabilities, np.float64).T, strict=True)
    return np.array([_best(*column) if _enough(column[0]) else DEFAULT for column in columns])


def _enough(true: Flags) -> bool:
    return bool(LEAST <= true.sum() <= len(true) - LEAST)


def _best(true: Flags, probabilities: Floats) -> float:
    """Halfway between two probabilities; of several as good the one nearest to 0.5."""
    order = np.argsort(-probabilities, kind="stable")
    values, hits = probabilities[order], true[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(true) + 1) + hits[-1])
    ends = np.append(values[:-1] > values[1:], True)  # samples of one probability are said together
    thresholds = np.append((values[:-1] + values[1:]) / 2, values[-1] / 2)
    best = np.flatnonzero(ends & (f1 >= f1[ends].max() - 1e-12))
    return float(thresholds[best[np.abs(thresholds[best] - DEFAULT).argmin()]])
