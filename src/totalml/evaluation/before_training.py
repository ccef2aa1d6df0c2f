"""Refuse what the evaluation could not do, before an hour of training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.suites.measure import check_suites
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.kinds import Task
    from totalml.recipe import EvaluationRecipe


def check_before_training(
    evaluation: EvaluationRecipe, task: Task, names: Sequence[str], metadata: pa.Table, *, pictures: bool
) -> None:
    """Args:
        names: of the targets.
        metadata: of the snapshot; `pictures`: whether there are any.
    Raises:
        EvaluationError: names the key and the value.
        MissingExtraError: deepchecks is not installed, and may stop the run.
    """
    task.check(evaluation, names)
    check_columns(evaluation, metadata, pictures=pictures)
    if evaluation.deepchecks:
        check_suites(evaluation.deepchecks)


def check_columns(evaluation: EvaluationRecipe, metadata: pa.Table, *, pictures: bool) -> None:
    """Refuse columns that are not there; cheap, so it can run before training.

    Raises: EvaluationError: names the key, the column and the nearest one.
    """
    slices, fairness = evaluation.slices, evaluation.fairness
    asked: dict[str, Iterable[str]] = {}
    if slices:
        asked = {"slices.columns": slices.columns, "slices.search": slices.search or (), "slices.edges": slices.edges}
    if fairness:
        asked["fairness.columns"] = fairness.columns
    known = SampleContext(metadata, np.zeros(0, np.int64), np.zeros(0) if pictures else None).names()
    for key, names in asked.items():
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"; there are: {', '.join(known) or 'none'}"
                raise EvaluationError(f"evaluation.{key}: no metadata column {name!r} to make groups of{hint}")
