"""Any number of labels for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import Items
from totalml.errors import TrainingError
from totalml.kinds import Direction, Loss, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from totalml.data.snapshot import Snapshot
    from totalml.evaluation.multilabel.record import MultiLabelEvaluation
    from totalml.evaluation.predicted import Predicted
    from totalml.features.targets import Targets
    from totalml.recipe import DataRecipe, EvaluationRecipe, TrainingRecipe
    from totalml.training.objective import Objective

HALF = 0.5
Column = Annotated[str, Field(min_length=1)]


class MultiLabel(Task):
    """The truth says of each label whether a sample has it; the answer is a probability of each.

    It stands in a column of true and false (or 1 and 0) for each label, or in one column of text that joins them.
    """

    name: ClassVar[str] = "multilabel"
    metrics: ClassVar[Mapping[str, Direction]] = {
        "exact_match": "maximize",
        "hamming_accuracy": "maximize",
        "f1_macro": "maximize",
        "f1_micro": "maximize",
        "auroc_macro": "maximize",
        "average_precision_macro": "maximize",
        "ece": "minimize",
    }
    families: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "per_label": ("precision", "recall", "f1", "auroc", "average_precision"),
        "slices": ("accuracy", "gap"),
        "fairness": ("selection_rate", "true_positive_rate", "false_positive_rate", "calibration", "gap"),
        "calibration": ("sureness", "temperature", "ece_scaled"),
    }
    score: ClassVar[str] = "hamming_accuracy"  # with every threshold at 0.5, since better ones are fitted afterwards

    parts: ClassVar[frozenset[str]] = frozenset({"robustness", "out_of_distribution"})

    labels: Items[Column] = ()  # metadata columns, one a label
    column: Column | None = None  # or the one that joins them; data.labels may list those that there are
    separator: Column = ";"  # of `column`
    missing: Literal["fail", "no_labels"] = "fail"  # what an empty cell of `column` means
    thresholds: Literal["f1", "half"] = "f1"  # of each label: of the best F1 on validation, or 0.5
    loss: InstanceOf[Loss] | None = None  # None: binary cross-entropy, with the smoothing and weights of `training`

    @model_validator(mode="after")
    def _names_the_truth(self) -> Self:
        if bool(self.labels) == (self.column is not None):
            given = "has both" if self.labels else "has neither"
            raise ValueError(
                f"MultiLabel takes either 'labels', a metadata column each, or 'column', which joins them; it {given}"
            )
        if double := sorted({name for name in self.labels if self.labels.count(name) > 1}):
            raise ValueError(f"'labels' names {double} more than once")
        if self.labels and self.missing != "fail":
            raise ValueError("'missing' goes with 'column': a column of true and false has a value for no")
        return self

    def columns(self) -> tuple[str, ...]:
        return self.labels or (self.column or "",)

    def read_targets(self, snapshot: Snapshot, data: DataRecipe) -> Targets:
        from totalml.features.label_columns import read_flags, read_joined

        ids = snapshot.samples["id"]
        if self.column is None:
            return read_flags(snapshot.metadata, ids, self.labels)
        empty = self.missing == "no_labels"
        return read_joined(snapshot.metadata, ids, self.column, self.separator, data.classes, empty_is_none=empty)

    def require_learnable(self, targets: Targets, train: NDArray[np.int64]) -> None:
        shares = targets.values[train].mean(axis=0)
        alike = {0.0: "no", 1.0: "every"}
        found = [f"{alike[share]} training sample has {name!r}" for name, share in _alike(targets.names, shares)]
        if found:
            raise TrainingError(
                f"there is nothing to tell apart: {', '.join(found)}. Add samples of the other kind, set another "
                f"data.split.salt, or leave these labels out of {'task.labels' if self.labels else 'the data'}."
            )

    def objective(self, targets: Targets, train: NDArray[np.int64], training: TrainingRecipe) -> Objective:
        from totalml.training.label_loss import BinaryCrossEntropy, positive_weights

        if training.balance_classes and self.loss is not None:
            raise TrainingError(
                "training.balance_classes weighs binary cross-entropy, and task.loss takes its place; weigh the labels "
                "in task.loss and set training.balance_classes: false."
            )
        weights = positive_weights(targets.values[train]) if training.balance_classes else None
        return BinaryCrossEntropy(weights, training.label_smoothing, self.loss)

    def answers(self, outputs: Tensor) -> Tensor:
        return outputs.double().sigmoid().float()

    def right(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Every label, with every threshold at 0.5: fitted ones are not known of worse pictures."""
        return ((outputs > 0) == (targets > HALF)).all(dim=1)

    def check(self, evaluation: EvaluationRecipe, names: Sequence[str]) -> None:
        from totalml.evaluation.multilabel.inputs import check_recipe

        check_recipe(evaluation)

    def evaluate(self, evaluation: EvaluationRecipe, predicted: Predicted) -> MultiLabelEvaluation:
        from totalml.evaluation.multilabel.measure import evaluate

        return evaluate(evaluation, predicted, fit_thresholds=self.thresholds == "f1")


def _alike(names: Sequence[str], shares: NDArray[np.float32]) -> list[tuple[str, float]]:
    """The labels that all training samples have, or none."""
    return [(name, share) for name, share in zip(names, shares.tolist(), strict=True) if share in (0.0, 1.0)]
