"""What is predicted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from totalml.component import Component

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from totalml.data.snapshot import Snapshot
    from totalml.evaluation.predicted import Predicted
    from totalml.evaluation.record import Evaluation
    from totalml.features.targets import Targets
    from totalml.training.objective import Objective


Direction = Literal["minimize", "maximize"]  # of a figure: which way is better
Reach = Literal["constant", "proportional"]  # of an interval beyond what a model puts out: the same, or by its size


class Task(Component):
    """What is predicted: where the truth stands, what is minimised, and how good an answer is.

    The rest of the house knows targets, outputs, answers and an evaluation, and asks the task what they mean. What is
    called `data`, `training` and `evaluation` here is the part of the recipe of that name, which knows kinds itself.
    """

    name: ClassVar[str]  # of its evaluation's record and of its parts of the report
    metrics: ClassVar[Mapping[str, Direction]]  # figures of the whole test split
    families: ClassVar[Mapping[str, tuple[str, ...] | None]] = {}  # further figures by the first part of their names
    score: ClassVar[str]  # the figure of validation that is watched beside the loss
    score_is_share: ClassVar[bool] = True
    lower_is_better: ClassVar[bool] = False  # of the score
    parts: ClassVar[frozenset[str]] = frozenset()  # of the evaluation, beyond its metrics, that know this task
    labelled: ClassVar[bool] = True  # whether training.label_smoothing and .balance_classes mean anything

    def columns(self) -> tuple[str, ...]:
        """Metadata columns that hold the truth: no features may be made of them, and no slices searched in them."""
        return ()

    def direction(self, figure: str) -> Direction | None:
        """Of a metric, `validation_loss` or `validation_<score>`; None if there is no such figure."""
        if figure == "validation_loss" or (figure == f"validation_{self.score}" and self.lower_is_better):
            return "minimize"
        return "maximize" if figure == f"validation_{self.score}" else self.metrics.get(figure)

    @abstractmethod
    def read_targets(self, snapshot: Snapshot, data: Any) -> Targets:
        """The truth of every sample.

        Raises: FeatureError: it is missing, or is not of the kind that the task needs; all samples at once.
        """

    @abstractmethod
    def require_learnable(self, targets: Targets, train: NDArray[np.int64]) -> None:
        """Raises: TrainingError: the training rows leave nothing to learn."""

    def outputs(self, names: Sequence[str]) -> int:
        """How many numbers the network gives for a sample."""
        return len(names)

    def head(self, width: int, names: Sequence[str]) -> nn.Module:
        """(B, width) embeddings -> (B, outputs): the last layer, whose weights training finds."""
        from torch import nn

        return nn.Linear(width, self.outputs(names))

    def fit_head(self, head: nn.Module, targets: NDArray[Any]) -> None:
        """Look at the training rows' targets before training starts."""

    @abstractmethod
    def objective(self, targets: Targets, train: NDArray[np.int64], training: Any) -> Objective:
        """What training minimises and validation is judged by."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """(B, P) outputs of the network -> (B, A) what is predicted, float32: probabilities, values."""

    def right(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        """(B,) bool, whether each sample is answered rightly; None where answers are only near or far."""
        return None

    def alike(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """(N,) numbers of groups whose samples resemble each other, for what knows strangers by their distance."""
        import numpy as np

        return np.zeros(len(targets), np.int64)

    @abstractmethod
    def check(self, evaluation: Any, names: Sequence[str]) -> None:
        """Refuse, before an hour of training, what cannot be evaluated.

        Raises: EvaluationError: names the key and the value.
        """

    @abstractmethod
    def evaluate(self, evaluation: Any, predicted: Predicted) -> Evaluation:
        """Compare what was predicted of the test split with the truth."""
