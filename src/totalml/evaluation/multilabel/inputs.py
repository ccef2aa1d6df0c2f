"""Refuse what cannot be evaluated, with a message, before any metric sees it."""

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.predicted import Predicted
from totalml.recipe import EvaluationRecipe


def check_recipe(evaluation: EvaluationRecipe) -> None:
    """Cheap, so it can run before training.

    Raises: EvaluationError: the recipe asks for what only classes have; all such keys at once.
    """
    costs = evaluation.calibration and evaluation.calibration.costs
    asked = {"positive": evaluation.positive, "gold_column": evaluation.gold_column, "calibration.costs": costs}
    if wrong := [f"evaluation.{key}" for key, value in asked.items() if value is not None]:
        raise EvaluationError(
            f"{' and '.join(wrong)} {'asks' if len(wrong) == 1 else 'ask'} of one class, and a sample may have any "
            "number of labels. Set to null; thresholds are what task.thresholds says."
        )


def check_predictions(predicted: Predicted) -> None:
    expected = (len(predicted.ids), len(predicted.names))
    if not predicted.ids:
        raise EvaluationError("there is nothing to evaluate: the test split is empty. Raise data.split.test.")
    for kind, values in (("labels", predicted.truth), ("probabilities", predicted.answers)):
        if values.shape != expected:
            raise EvaluationError(f"expected {kind} of shape {expected}, got {values.shape}")
    bad = ~((predicted.answers >= 0) & (predicted.answers <= 1)).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise EvaluationError(
            f"{bad.sum()} of {len(bad)} predictions are no probabilities, first that of sample "
            f"{predicted.ids[row]!r}: {predicted.answers[row].tolist()}. Did training diverge? A lower learning rate "
            "may help."
        )
