"""Which pictures are shown: right answers of each class, evenly, and the mistakes that the model was surest of."""

from __future__ import annotations

from itertools import chain, zip_longest

import numpy as np

from totalml.evaluation.arrays import Floats, Ints

SHOWN = 12
MISTAKES = 4


def chosen(labels: Ints, predicted: Ints, confidence: Floats) -> Ints:
    """Up to SHOWN places among the test samples, the right answers first.

    Args: (N,) each; classes as numbers.
    """
    wrong = np.flatnonzero(labels != predicted)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    right = _evenly(labels, np.flatnonzero(labels == predicted), SHOWN - min(MISTAKES, len(surest)))
    return np.concatenate([right, surest[: SHOWN - len(right)]]).astype(np.int64)


def _evenly(labels: Ints, rows: Ints, count: int) -> Ints:
    """Rows of each class in turn, those of a class spread over all of it."""
    classes = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    quota = -(-count // max(len(classes), 1))
    spread = [
        part[((np.arange(min(quota, len(part))) + 0.5) * len(part) / min(quota, len(part))).astype(int)]
        for part in classes
    ]
    in_turn = [row for row in chain.from_iterable(zip_longest(*spread)) if row is not None]
    return np.sort(np.array(in_turn[:count], np.int64))
