"""The recipe: one experiment, whole, as strict pydantic models.

What is marked `Where` says where and how; all the rest is the *what* and counts for the config hash.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    InstanceOf,
    PlainValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from totalml.component import ForeignComponent, Items, Misfit, Section, Where, plain
from totalml.kinds import Augmentation, ImageBackbone, QualityCheck, Schedule, Source, TableBackbone
from totalml.url import checked

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^blake3:[0-9a-f]{64}$")]
Positive = Annotated[int, Field(gt=0, lt=2**53)]
Folder = Annotated[str, Field(min_length=1)]
Place = Annotated[str, Field(min_length=1), AfterValidator(checked)]  # a folder, or a URL such as s3://bucket/prefix
Share = Annotated[float, Field(ge=0, le=1)]
Edges = Annotated[list[float], Field(min_length=1)]
SweepMetric = Literal[
    "validation_loss",
    "validation_accuracy",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "auroc",
    "average_precision",
    "ece",
    "accuracy_against_gold",
]


def _under(prefix: str, kind: type[Section] = ForeignComponent) -> AfterValidator:
    """Accept a class of torch whose name starts with `prefix`, or a component of our own `kind`."""

    def check(component: Section) -> Section:
        if isinstance(component, ForeignComponent):
            fits, given = component.target.startswith(prefix), component.target
        else:
            fits, given = isinstance(component, kind), type(component).__name__
        if not fits:
            ours = "" if kind is ForeignComponent else f" or a component of kind {kind.__name__}"
            raise ValueError(f"expected a class under {prefix[:-1]}{ours}, got {given}")
        return component

    return AfterValidator(check)


Optimizer = Annotated[InstanceOf[ForeignComponent], _under("torch.optim.")]
Scheduler = Annotated[InstanceOf[Section], _under("torch.optim.lr_scheduler.", Schedule)]


def _devices(value: Any) -> int | Literal["auto"]:
    if value == "auto" or (type(value) is int and 0 < value < 2**16):
        return value
    raise ValueError(f"expected a number of processes from 1, or 'auto' for one per GPU, got {value!r}")


# One validator for both kinds, so that a mistake is told once.
Devices = Annotated[int | Literal["auto"], PlainValidator(_devices)]


class SplitRecipe(Section):
    """How samples are shared out to train, validation and test."""

    by: Literal["hash", "column", "time"] = "hash"
    train: Share = 0.7
    validation: Share = 0.15
    test: Share = 0.15
    column: str | None = None  # by: column; holds the words train, validation, test
    salt: str = ""  # by: hash; another salt gives another split

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, got {self.train + self.validation + self.test:g}")
        if (self.by == "column") != (self.column is not None):
            raise ValueError("'column' goes with 'by: column', and only with it")
        return self


class DataRecipe(Section):
    source: InstanceOf[Source]
    snapshot: Annotated[Digest | None, Where] = None  # the pin: the data hash that this recipe was written for
    labels: Items[str] | None = None  # None: every label in the snapshot, sorted
    on_bad_sample: Literal["fail", "skip"] = "fail"
    max_megapixels: Annotated[float, Field(gt=0)] = 100.0  # larger pictures are refused before decoding
    split: SplitRecipe = SplitRecipe()


class QualityRecipe(Section):
    checks: Items[InstanceOf[QualityCheck]] = ()


class ImageFeatures(Section):
    """Pixels, decoded once."""

    size: Annotated[int, Field(ge=8, le=1024)] = 128  # px, of the square that the model sees
    fit: Literal["crop", "pad", "stretch"] = "crop"


class TableFeatures(Section):
    """Metadata columns of the snapshot, by name."""

    numeric: Items[str] = ()
    categorical: Items[str] = ()

    @model_validator(mode="after")
    def _names_columns(self) -> Self:
        if not self.numeric and not self.categorical:
            raise ValueError("name at least one numeric or categorical column")
        return self


class FeaturesRecipe(Section):
    image: ImageFeatures | None = ImageFeatures()
    table: TableFeatures | None = None


class ModelRecipe(Section):
    """Backbones whose embeddings are joined before one linear head."""

    image: InstanceOf[ImageBackbone] | None = None
    table: InstanceOf[TableBackbone] | None = None
    freeze: bool = False  # keep the image backbone as it starts; its embeddings are computed once and kept
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _freezes_something(self) -> Self:
        if self.freeze and self.image is None:
            raise ValueError("'freeze' keeps the image backbone as it starts, and there is none; set 'image' too")
        return self


class EarlyStopping(Section):
    metric: Literal["loss", "accuracy"] = "loss"  # on validation
    patience: Positive = 10  # epochs without improvement


class TrainingRecipe(Section):
    epochs: Positive
    batch_size: Positive
    optimizer: Optimizer
    scheduler: Scheduler | None = None
    schedule_every: Literal["epoch", "step"] = "epoch"  # for a scheduler of torch; ours go by step
    augment: Items[InstanceOf[Augmentation]] = ()
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    balance_classes: bool = False  # weigh the loss by inverse class frequency
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    early_stopping: EarlyStopping | None = None


class SlicesRecipe(Section):
    """Groups of test samples to look at by themselves.

    `columns` and `search` name metadata columns, or `light`: dim, medium and bright pictures, a third each.
    """

    columns: Items[str] = ()  # every value of these, or bin of numbers, is a slice
    search: Items[str] | None = None  # find the worst pairs of values of these; None: of all that fit; []: no search
    edges: dict[str, Edges] = Field(default={})  # of bins of numbers; else quarters of the data
    min_support: Positive = 30  # samples; smaller slices are not looked at
    min_gap: Share = 0.02  # in accuracy, to all other samples; a smaller one is not told
    error_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05  # chance that anything is told of a model good everywhere

    @model_validator(mode="after")
    def _edges_ascend(self) -> Self:
        for name, edges in self.edges.items():
            if any(after <= before for before, after in pairwise(edges)):
                raise Misfit(f"the edges of bins must ascend, got {edges}", "edges", name)
        return self


class FairnessRecipe(Section):
    """Whether the model treats groups of people alike."""

    columns: Annotated[Items[str], Field(min_length=1)]  # metadata columns that name the groups
    tolerance: Share = 0.1  # of any rate, to all others; a gap counts if even its nearer bound is beyond
    min_support: Positive = 30  # samples that a rate is a share of, in the group and in the rest


class CalibrationRecipe(Section):
    """How far the confidence can be trusted; fits on validation, and changes no prediction."""

    tolerance: Share = 0.05  # between mean confidence and accuracy, by the nearer bound
    costs: dict[str, dict[str, float]] | None = None  # label -> what is said -> cost; for the operating threshold


class EvaluationRecipe(Section):
    positive: str | None = None  # the class that binary metrics look for; None: the last label
    gold_column: str | None = None  # metadata column with the true label, where the given labels are noisy
    calibration_bins: Annotated[int, Field(ge=2, le=100)] = 15
    bootstrap: Annotated[int, Field(ge=0, le=100_000)] = 1000  # resamples; 0: no intervals
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    slices: SlicesRecipe | None = SlicesRecipe()
    fairness: FairnessRecipe | None = None
    calibration: CalibrationRecipe | None = CalibrationRecipe()


class Tolerance(Section):
    """How far two runs of one recipe may differ on other machines; on machines of one type they are the same.

    Absolute differences: 0.02 of an accuracy are two points.
    """

    metrics: Share = 0.02  # of any metric; one sample of a test split of 50 moves the accuracy that far
    probabilities: Share = 0.02  # of any predicted probability


class SweepRecipe(Section):
    """What to vary and how to look for the best. Each job is a run of its own, so this is no part of what it computes.

    `parameters` maps a key of the recipe, or a group of conf/, to values in Hydra's grammar for sweeps: `1,2,3`,
    `choice(a, b)`, `range(1, 9, 2)`, and for optuna `interval(0.1, 0.9)` or `tag(log, interval(0.0001, 0.1))`.
    """

    sampler: Literal["grid", "optuna"] = "optuna"
    trials: Positive = 20  # jobs that optuna chooses; a grid has as many as it has points
    metric: SweepMetric = "validation_loss"  # validation_*: of the best epoch; the others are on the test split
    direction: Literal["minimize", "maximize"] | None = None  # None: as the metric is meant
    prune: bool = True  # optuna ends a job that after half of its epochs validates worse than half of the others
    parameters: Annotated[dict[str, str], Field(min_length=1)]


class TrackingRecipe(Section):
    """Where else a run is told of than in its folder; it is written there after the run, from what the folder holds.

    conf/tracking/ chooses `offline`, which needs no account, no network and about a second.
    """

    mode: Literal["offline", "wandb", "none"] = "none"  # offline: a W&B run in the folder; wandb: sent to a backend
    project: Annotated[str, Field(min_length=1)] | None = None  # None: the recipe's name
    entity: Annotated[str, Field(min_length=1)] | None = None  # None: the account's own
    group: Annotated[str, Field(min_length=1)] | None = None  # None: the sweep that the run is a job of
    tags: Items[str] = ()
    patience_s: Annotated[float, Field(gt=0, le=3600)] = 60.0  # how long the end of a run waits for a backend


class RuntimeRecipe(Section):
    """Where and how: changes nothing about what is computed, so it does not count for the config hash."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    threads: Positive | None = None  # CPU threads of torch, in each process; None: torch's own choice
    workers: Positive | None = None  # that decode pictures; None: 2 threads, or all cores that the backend has
    backend: Literal["threads", "loky", "ray"] = "threads"  # of the workers: threads, processes, or a Ray cluster
    strategy: Literal["single", "ddp"] = "single"  # ddp: several processes, each with a share of every batch
    devices: Devices = 1  # ddp: processes on each machine
    nodes: Positive = 1  # ddp: machines; above one, Slurm or torchrun starts the processes
    store: Place = ".totalml"  # of blobs, snapshots and feature sets
    runs: Place = "runs"  # of run folders
    cache: Folder = ".totalml/remote"  # folder of this machine that stands before a store or runs elsewhere
    progress: Literal["auto", "rich", "plain", "none"] = "auto"
    rerun: bool = False  # run again although the store holds the finished run

    @model_validator(mode="after")
    def _several_by_ddp(self) -> Self:
        if self.strategy == "single" and (self.devices != 1 or self.nodes != 1):
            raise ValueError("'devices' and 'nodes' go with 'strategy: ddp', e.g. runtime=ddp")
        return self


class Recipe(Section):
    name: Name
    question: Annotated[str, Where] = ""  # what the experiment asks, in one sentence for the report
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: DataRecipe
    quality: QualityRecipe = QualityRecipe()
    features: FeaturesRecipe = FeaturesRecipe()
    model: ModelRecipe
    training: TrainingRecipe
    evaluation: EvaluationRecipe = EvaluationRecipe()
    tolerance: Annotated[Tolerance, Where] = Tolerance()
    smoke: Annotated[bool, Where] = False  # small enough to be run by `totalml recipe check` and by the tests
    runtime: Annotated[RuntimeRecipe, Where] = RuntimeRecipe()
    tracking: Annotated[TrackingRecipe, Where] = TrackingRecipe()
    sweep: Annotated[SweepRecipe | None, Where] = None

    @field_validator("training")
    @classmethod
    def _embeddings_stay(cls, training: TrainingRecipe, info: ValidationInfo) -> TrainingRecipe:
        model = info.data.get("model")
        if model and model.freeze and training.augment:
            raise Misfit(
                "pictures cannot change from epoch to epoch where model.freeze computes their embeddings once; "
                "set training.augment=[] or training=head, or model.freeze=false",
                "augment",
            )
        return training

    @model_validator(mode="after")
    def _model_fits_features(self) -> Self:
        if self.model.image is None and self.model.table is None:
            raise ValueError("model needs 'image', 'table' or both")
        split = self.data.split
        if split.by != "column" and not (split.train and split.validation and split.test):
            raise ValueError("data.split: train, validation and test must each be more than 0")
        for kind in ("image", "table"):
            wanted, given = getattr(self.model, kind) is not None, getattr(self.features, kind) is not None
            if wanted and not given:
                raise ValueError(f"model.{kind} is set but features.{kind} is not")
            if given and not wanted:
                raise ValueError(f"features.{kind} is set but no model.{kind} uses it; set one or the other to null")
        return self


def what(recipe: Recipe) -> dict[str, Any]:
    """The part of a recipe that decides what is computed, as plain values: what the config hash is made of."""
    return dict(plain(recipe, where=False))
