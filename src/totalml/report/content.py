"""Everything a report shows, as plain records; the page itself computes no result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeVar

from totalml.evaluation.explanation.record import Explanation
from totalml.evaluation.out_of_distribution.record import OutOfDistribution
from totalml.evaluation.record import Evaluation
from totalml.evaluation.robustness.record import Robustness
from totalml.evaluation.suites.record import ModelSuites
from totalml.gates.record import Verdict
from totalml.plan.record import Plan
from totalml.quality.report import QualityReport

E = TypeVar("E", bound=Evaluation, default=Evaluation)
Pictures = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


class Epoch(Protocol):
    """What the learning curves need of one epoch of training."""

    @property
    def epoch(self) -> int: ...
    @property
    def train_loss(self) -> float: ...
    @property
    def validation_loss(self) -> float: ...
    @property
    def validation_score(self) -> float: ...


@dataclass(frozen=True)
class ReportContent(Generic[E]):
    """Args:
    name: of the recipe.
    description: what the recipe asks; its first line is the page's title, the rest stands below. May be empty.
    command: the command line that makes this run again.
    recipe_yaml: the composed recipe.
    environment: name -> value, e.g. versions and device, in the order to show.
    seconds: stage -> wall time, in lifecycle order.
    split_counts: label -> split -> samples; empty where samples have no labels.
    split_sizes: split -> samples.
    skipped: samples that the snapshot leaves out, id -> reason.
    score: what `Epoch.validation_score` is, such as accuracy.
    best_epoch: value of `Epoch.epoch` whose weights were kept.
    verdict: of the gates; None: none were judged.
    rows: (N,) rows to ask `pictures` for, one for each row of `evaluation.predictions`.
    finding_rows: id -> row, of the samples that a finding names.
    explanation: what the model looked at; None if the recipe does not ask for it or there are no pictures.
    suites: what deepchecks said of the predictions; None if the recipe does not ask for it.
    pictures: (n,) rows -> (n, S, S, 3) uint8; None if the features hold no images.
    smoke: its figures mean nothing.
    robustness, out_of_distribution, plan: None where the recipe does not ask for them.
    """

    name: str
    description: str
    run_id: str
    config_hash: str
    data_hash: str
    command: str
    recipe_yaml: str
    environment: Mapping[str, str]
    seconds: Mapping[str, float]
    split_counts: Mapping[str, Mapping[str, int]]
    split_sizes: Mapping[str, int]
    quality: QualityReport
    history: Sequence[Epoch]
    best_epoch: int
    evaluation: E
    rows: NDArray[np.int64]
    score: str = "accuracy"
    verdict: Verdict | None = None
    pictures: Pictures | None = None
    explanation: Explanation | None = None
    suites: ModelSuites | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    finding_rows: Mapping[str, int] = field(default_factory=dict)
    robustness: Robustness | None = None
    out_of_distribution: OutOfDistribution | None = None
    plan: Plan | None = None
    smoke: bool = False

    @property
    def noun(self) -> str:
        """What one sample is called on the page."""
        return "sample" if self.pictures is None else "picture"
