"""Predicted numbers, and what an evaluation makes of them."""

from typing import Any

import numpy as np

from totalml.evaluation import Known, Predicted
from totalml.evaluation.regression.measure import evaluate
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.recipe import EvaluationRecipe


def regressed(truth: Any, answers: Any, asked: EvaluationRecipe | None = None, **given: Any) -> RegressionEvaluation:
    """Args: truth: (N, T), answers: (N, T) or (N, T * 3); given: of the task, and fields of `Predicted`."""
    truth, answers = (np.asarray(part, np.float64) for part in (truth, answers))
    names = tuple(f"t{t}" for t in range(truth.shape[1]))
    defaults = {"coverage": 0.9, "reach": "constant", "season": 1, "series": None, "units": {}}
    measured_by = {key: given.pop(key, default) for key, default in defaults.items()}
    fields = {"names": names, "ids": [f"s{row:05d}" for row in range(len(truth))], "seed": 0, **given}
    predicted = Predicted(truth=truth, answers=answers, **fields)
    return evaluate(asked or EvaluationRecipe(bootstrap=0, slices=None), predicted, **measured_by)


def after(learnt: Any, test: Any, times: Any = None) -> Known:
    """Training samples and then those of the test split. Args: times: of the ones and the others."""
    learnt, test = (np.asarray(part, np.float64) for part in (learnt, test))
    train = np.arange(len(learnt))
    return Known(np.concatenate([learnt, test]), train, len(learnt) + np.arange(len(test)), times)
