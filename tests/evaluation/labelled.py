"""Predictions of labels drawn at random, with a model that knows something of them."""

from typing import Any

import numpy as np

from totalml.evaluation import Predicted
from totalml.evaluation.multilabel.measure import evaluate
from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.evaluation.multilabel.scores import LabelScores
from totalml.recipe import EvaluationRecipe

NAMES = ("thin", "short", "spill")


def drawn(seed: int, samples: int = 60, labels: int = 3, levels: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N, L) and probabilities of few levels, so that ties are common."""
    chance = np.random.default_rng(seed)
    true = chance.random((samples, labels)) < chance.uniform(0.1, 0.6, labels)
    probabilities = (chance.integers(0, levels, true.shape) + 2 * true) / (levels + 2)
    return true, probabilities.astype(np.float32)


def scores(seed: int, threshold: float = 0.5, bins: int = 5, **size: int) -> LabelScores:
    true, probabilities = drawn(seed, **size)
    return LabelScores(true, probabilities >= threshold, probabilities.astype(np.float64), bins)


def evaluated(
    true: Any, probabilities: Any, names: tuple[str, ...] = NAMES, fit_thresholds: bool = False, **given: Any
) -> MultiLabelEvaluation:
    """Args: given: of `Predicted`, or of the recipe's evaluation."""
    fields = {name: given.pop(name) for name in ("validation", "context", "ids", "seed", "groups") if name in given}
    asked = EvaluationRecipe(**({"bootstrap": 50} | given))
    ids = [f"s{row}" for row in range(len(true))]
    truth, answers = np.array(true, np.float32), np.array(probabilities, np.float32)
    predicted = Predicted(**{"names": names, "ids": ids, "truth": truth, "answers": answers, "seed": 0} | fields)
    return evaluate(asked, predicted, fit_thresholds=fit_thresholds)
