"""Refuse what the evaluation could not do, before an hour of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.evaluation.columns import check_columns
from totalml.evaluation.suites.measure import check_suites

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
