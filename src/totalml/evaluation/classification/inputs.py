"""Refuse what cannot be evaluated, with a message, before any metric sees it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Ints
from totalml.recipe import EvaluationRecipe
from totalml.target import closest

# Rows of bfloat16 probabilities add up to 1 within about this.
SUM_TOLERANCE = 0.02


def check_positive(evaluation: EvaluationRecipe, classes: Sequence[str]) -> int | None:
    """The index of the positive class, None for macro averages; cheap, so it can run before training.

    Raises: EvaluationError: `evaluation.positive` is not a class, or there are three classes and more.
    """
    name = evaluation.positive
    if name is not None and name not in classes:
        raise EvaluationError(f"evaluation.positive is {name!r}, which is no class. {_known(name, classes)}")
    if len(classes) < 2:
        raise EvaluationError(f"evaluation needs two classes or more, got {list(classes)}")
    if len(classes) == 2:
        return 1 if name is None else list(classes).index(name)
    if name is not None:
        raise EvaluationError(
            f"evaluation.positive is {name!r}, but with {len(classes)} classes metrics are macro averages. Remove it."
        )
    return None


def check_predictions(
    classes: Sequence[str], ids: Sequence[str], labels: Ints, probabilities: NDArray[np.floating[Any]]
) -> None:
    expected = (len(ids), len(classes))
    if len(ids) == 0:
        raise EvaluationError("there is nothing to evaluate: the test split is empty. Raise data.split.test.")
    if probabilities.shape != expected or len(labels) != len(ids):
        raise EvaluationError(
            f"expected a probability of each of the {len(classes)} classes, of shape {expected}, got "
            f"{probabilities.shape}; does a predict_step of your own answer about another number of classes?"
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        raise EvaluationError(f"labels must lie in 0..{len(classes) - 1}, got {labels.min()}..{labels.max()}")
    bad = ~np.isfinite(probabilities).all(axis=1)
    bad |= (probabilities < 0).any(axis=1) | (np.abs(probabilities.sum(axis=1) - 1) > SUM_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise EvaluationError(
            f"{bad.sum()} of {len(ids)} predictions are no probabilities, first that of sample {ids[row]!r}: "
            f"{probabilities[row].tolist()}. Did training diverge? A lower learning rate may help. "
            "Does a predict_step of your own forget the softmax?"
        )


def gold_indices(gold: Sequence[str | None], classes: Sequence[str], ids: Sequence[str]) -> Ints:
    if len(gold) != len(ids):
        raise EvaluationError(f"expected {len(ids)} gold labels, got {len(gold)}")
    index = {name: k for k, name in enumerate(classes)}
    for name, id_ in zip(gold, ids, strict=True):
        if name is not None and name not in index:
            raise EvaluationError(
                f"evaluation.gold_column holds {name!r} for sample {id_!r}, which is no class. "
                f"{_known(str(name), classes)}"
            )
    return np.array([-1 if name is None else index[name] for name in gold], np.int64)


def _known(name: str, classes: Sequence[str]) -> str:
    close = closest(name, classes)
    return f"Did you mean {close!r}?" if close else f"The classes are {list(classes)}."
