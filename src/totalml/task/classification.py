"""One of several classes for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import InstanceOf

from totalml.errors import FeatureError, TrainingError
from totalml.kinds import Direction, Loss, Task
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from totalml.data.snapshot import Snapshot
    from totalml.evaluation.classification.record import ClassificationEvaluation
    from totalml.evaluation.predicted import Predicted
    from totalml.features.targets import Targets
    from totalml.recipe import DataRecipe, EvaluationRecipe, TrainingRecipe
    from totalml.training.objective import Objective


class Classification(Task):
    """The truth is each sample's label; the answer a probability of each class."""

    name: ClassVar[str] = "classification"
    metrics: ClassVar[Mapping[str, Direction]] = {
        "accuracy": "maximize",
        "balanced_accuracy": "maximize",
        "f1": "maximize",
        "auroc": "maximize",
        "average_precision": "maximize",
        "ece": "minimize",
        "accuracy_against_gold": "maximize",
        "best_possible_accuracy": "maximize",
    }
    families: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "per_class": ("precision", "recall", "f1", "auroc", "average_precision"),
        "slices": ("accuracy", "gap"),
        "fairness": ("selection_rate", "true_positive_rate", "false_positive_rate", "calibration", "gap"),
        "calibration": ("sureness", "temperature", "ece_scaled", "saving"),
    }
    score: ClassVar[str] = "accuracy"
    parts: ClassVar[frozenset[str]] = frozenset({"explanation", "robustness", "out_of_distribution", "deepchecks"})

    loss: InstanceOf[Loss] | None = None  # None: cross-entropy, with the smoothing and weights of `training`

    def read_targets(self, snapshot: Snapshot, data: DataRecipe) -> Targets:
        import pyarrow as pa
        import pyarrow.compute as pc

        from totalml.features.targets import Targets

        labels = snapshot.samples["label"].combine_chunks()
        if labels.null_count == len(labels):
            columns = snapshot.metadata.column_names
            hint = did_you_mean("label", columns) or f"; its columns are {columns}"
            raise FeatureError(
                f"no sample has a label; name the column that holds it in data.source.label_column{hint}"
            )
        if labels.null_count:
            ids = snapshot.samples.filter(labels.is_null())["id"].to_pylist()
            count = "1 sample has" if len(ids) == 1 else f"{len(ids)} samples have"
            raise FeatureError(f"{count} no label: {', '.join(map(repr, ids[:10]))}. Label them or remove them.")
        present = sorted(pc.unique(labels).to_pylist())
        classes = data.classes or tuple(present)
        if unknown := [label for label in present if label not in classes]:
            raise FeatureError(
                f"the snapshot has labels that data.labels does not list: {unknown[:10]}; it lists {list(classes)}. "
                "Add them to data.labels or correct the source."
            )
        return Targets(classes, pc.index_in(labels, pa.array(classes)).to_numpy(zero_copy_only=False).astype("int64"))

    def require_learnable(self, targets: Targets, train: NDArray[np.int64]) -> None:
        present = {targets.names[label] for label in set(targets.values[train].tolist())}
        if len(present) < 2:
            raise TrainingError(
                f"all training samples have the label {present.pop()!r}; there is nothing to tell apart. "
                "Add samples of another label."
            )

    def objective(self, targets: Targets, train: NDArray[np.int64], training: TrainingRecipe) -> Objective:
        from totalml.training.loss import CrossEntropy, class_weights

        balanced = training.balance_classes
        weights = class_weights(targets.values[train], len(targets.names)) if balanced else None
        return CrossEntropy(weights, training.label_smoothing, self.loss)

    def answers(self, outputs: Tensor) -> Tensor:
        return outputs.double().softmax(dim=1).float()

    def right(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.argmax(dim=1) == targets

    def alike(self, targets: NDArray[np.int64]) -> NDArray[np.int64]:
        return targets

    def check(self, evaluation: EvaluationRecipe, names: Sequence[str]) -> None:
        from totalml.evaluation.calibration.threshold import check_costs
        from totalml.evaluation.classification.inputs import check_positive

        check_positive(evaluation, names)
        if evaluation.calibration:
            check_costs(evaluation.calibration.costs, names)

    def evaluate(self, evaluation: EvaluationRecipe, predicted: Predicted) -> ClassificationEvaluation:
        from totalml.evaluation.classification.measure import evaluate

        return evaluate(
            evaluation,
            predicted.names,
            predicted.ids,
            predicted.truth,
            predicted.answers,
            predicted.gold,
            predicted.seed,
            predicted.context,
            predicted.validation,
            predicted.groups,
        )
