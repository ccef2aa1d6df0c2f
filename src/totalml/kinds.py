"""The kinds of component that a recipe can name: the sockets of the house.

They stand below every room, so that the recipe can say which kind goes where without importing a room.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import Component, Items, Where
from totalml.duration import Duration

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.evaluation.predicted import Predicted
    from totalml.evaluation.record import Evaluation
    from totalml.features.image_rows import ImageRows
    from totalml.features.targets import Targets
    from totalml.quality.pictures import Pictures
    from totalml.quality.report import Finding
    from totalml.quality.suites.record import Suite
    from totalml.training.objective import Objective

    Rows = NDArray[np.int64]


Direction = Literal["minimize", "maximize"]  # of a figure: which way is better


class Source(Component):
    """Where samples come from."""

    @abstractmethod
    def samples(self) -> Iterator[Sample | BadSample | Ignored]:
        """Yield every sample once, in a stable order; what cannot become one is yielded as `BadSample`."""

    def fingerprint(self) -> str | None:
        """A text that changes whenever `samples()` would yield something else; None if only a look can tell.

        Arguments, `files()` and a recipe's own code count besides it.
        """
        return None

    def watched(self) -> list[Path] | None:
        """Folders of which the states of files, with arguments and code, decide the fingerprint alone.

        None: something else may move it, such as a file elsewhere, a server or the time.
        """
        return None

    def standing(self) -> str | None:
        """The data hash of a snapshot that stands in the store, taken as it is; `samples` is not asked then."""
        return None

    def folder(self) -> Path | None:
        """Where the files lie, if in one place: hashes of unchanged files are remembered per folder."""
        return None


class Perturbation(Component):
    """What may happen to samples on their way to the model, for a drill to send such ones."""

    @abstractmethod
    def change(self, sample: Sample) -> Sample:
        """The sample as it would come then: decided by the sample and the arguments alone."""


class QualityCheck(Component):
    """One question about the data, asked before training; one of the three kinds below."""


class Check(QualityCheck):
    """A question about the snapshot's tables."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class PictureCheck(QualityCheck):
    """A question about the pictures as the model sees them; it is not asked where the features hold none."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class SampleCheck(QualityCheck):
    """A question about samples by what is known of them: the tables, and pictures where the features hold any."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures | None) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class Feature(Component):
    """Numbers that are made of what is known of each sample: further columns of the table."""

    @abstractmethod
    def columns(self, snapshot: Snapshot, images: ImageRows | None) -> Mapping[str, NDArray[Any]]:
        """Column name -> (N,) numbers in the order of the snapshot, NaN where missing.

        Args: images: the pictures as the model sees them, gathered by rows; None without features.image.
        """


class SharedFeature(Component):
    """Numbers that recipes use by name, defined once in conf/shared/<team>/<name>.yaml.

    Owner, description and unit are for people: what is computed does not depend on them.
    """

    owner: Annotated[str, Field(min_length=1), Where]  # who answers for it
    description: Annotated[str, Where] = ""
    unit: Annotated[str, Where] = ""
    source: InstanceOf[Source] | None = None  # None: the rows of the snapshot that a recipe has
    entity: Items[str] = ()  # columns that tell series apart; none: all rows are one series
    event_time: str | None = None  # column: when it happened; None: the sample's timestamp
    known_time: str | None = None  # column: since when it could be known; None: since it happened
    ttl: Duration | None = None  # how long after its event time a value may still be used; None: for ever

    @model_validator(mode="after")
    def _lasts_where_it_is_looked_up(self) -> Self:
        if self.ttl is not None and self.source is None and self.event_time is None and self.known_time is None:
            raise ValueError("'ttl' means nothing here: each row has a value of its own, at its own time; leave it out")
        return self

    @abstractmethod
    def columns(self, rows: pa.Table) -> pa.Table:
        """Numbers at each row, in the order of the rows; null where missing. One column for each part.

        They are made of this row and of rows of the same entity that happened, and were known, no later.

        Args: rows: columns of the metadata, with `id` and `timestamp` of the samples.
        """

    def pictures_px(self) -> int | None:
        """Side of the square in which it wants each row's picture, as a column `picture`; None: it looks at none.

        Such a column holds lists of size * size * 3 uint8, null where there is no picture. Rows then come some at a
        time, so that a value can be made of its own row alone.
        """
        return None

    def reads_now(self) -> tuple[str, ...]:
        """Columns whose value at a row goes into the numbers at that very row."""
        return ()

    def reads(self) -> tuple[str, ...] | None:
        """Columns of numbers that it is made of, besides entity and times; None: services are given it ready-made."""
        return None

    def looks_back_us(self) -> int:
        """How much time before a row, in microseconds, the rows of its entity go into its numbers; 0: none do."""
        return 0


class Augmentation(Component):
    """A random change of a whole training batch, keyed by sample so that batching and workers do not matter."""

    @abstractmethod
    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        """Change a batch.

        Args:
            images: (B, C, H, W) uint8, or float in 0..255 after an earlier augmentation; on any device.
            keys: (B,) int64, one well-mixed number per sample, epoch, seed and place in the list.
        Returns: (B, C, H, W), H and W unchanged.
        """


class ImageBackbone(Component):
    """Turns images into embeddings."""

    @abstractmethod
    def build(self, channels: int) -> tuple[nn.Module, int]:
        """The module, (B, C, H, W) float normalised -> (B, D), and its D."""

    def untrained(self) -> Self:
        """The same shape without pretrained weights, for a network whose weights are loaded anyway."""
        return self


class TableBackbone(Component):
    """Turns prepared table columns into embeddings."""

    @abstractmethod
    def build(self, columns: int) -> tuple[nn.Module, int]:
        """The module, (B, columns) float -> (B, D), and its D."""


class Loss(Component):
    """What is minimised, sample by sample."""

    @abstractmethod
    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(B,) losses.

        Args:
            outputs: (B, P) of the network.
            targets: (B,) int64 or (B, T) float, as the task gives them.
        """


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
    def require_learnable(self, targets: Targets, train: Rows) -> None:
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
    def objective(self, targets: Targets, train: Rows, training: Any) -> Objective:
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


class Schedule(Component):
    """How the learning rate changes over the whole of a training, whatever its length."""

    @abstractmethod
    def factor(self, share: float) -> float:
        """What the optimizer's learning rate is multiplied by when this share of all steps, 0..1, is done."""


class PlanTruth(Component):
    """What would come of any plan: known where the data is drawn by a rule, for a drill of the advice."""

    @abstractmethod
    def outcome(self, rows: pa.Table, factors: Mapping[str, float]) -> NDArray[Any]:
        """(N,) the expected target of each sample, if each lever had always stood at so many times what it was.

        Args:
            rows: (N,) the planned samples: their metadata, with `id` and `timestamp`.
            factors: lever -> times what it was; all levers of the recipe.
        """
