"""What an evaluation found, whatever the task: plain values that go to `metrics.json` and to the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from totalml.evaluation.fairness.record import Fairness
from totalml.evaluation.interval import Interval, with_chance
from totalml.evaluation.slices.record import Slices
from totalml.evaluation.together import facts, in_groups
from totalml.runs.attempt import METRICS_FILE, PREDICTIONS_FILE
from totalml.store.atomic import write_atomically, write_json

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats, Ints
    from totalml.evaluation.truth import Truth

__all__ = ["Evaluation", "Interval"]

# What `metrics.json` calls a task -> its record. Named by no file: what lies on disk may not choose what is imported.
RECORDS = {
    "classification": "totalml.evaluation.classification.record:ClassificationEvaluation",
    "multilabel": "totalml.evaluation.multilabel.record:MultiLabelEvaluation",
    "regression": "totalml.evaluation.regression.record:RegressionEvaluation",
}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The part that every task has.

    Args:
        count: test samples.
        metrics: name -> value with interval, the one that the first sentence tells first.
        predictions: id, what is true, what was predicted, group:<column> ..., group where samples share any; rows in
            the order given.
        confidence: of the intervals, e.g. 0.95.
        slices, fairness: None where the recipe does not ask for them.
    """

    task: ClassVar[str]
    headline: ClassVar[str]  # the metric by which models are compared
    headline_is_share: ClassVar[bool] = True  # so that its differences are told in points
    lower_is_better: ClassVar[bool] = False  # of the headline
    given_columns: ClassVar[tuple[str, ...]]  # of the predictions: those that no model changes

    count: int
    metrics: dict[str, Interval]
    predictions: pyarrow.Table
    confidence: float
    resamples: int
    slices: Slices | None = None
    fairness: Fairness | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything but the predictions, as values that JSON knows."""
        return {
            "task": self.task,
            "count": self.count,
            "confidence": self.confidence,
            "resamples": self.resamples,
            "unit": self.unit,
            "metrics": {name: asdict(interval) for name, interval in self.metrics.items()},
            "slices": self.slices.as_json() if self.slices else None,
            "fairness": self.fairness.as_json() if self.fairness else None,
        }

    @classmethod
    def parts_from(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The fields of this record out of what `as_json` gave."""
        # An evaluation from before there was any such thing has none.
        slices, fairness, _ = (values.pop(name, None) for name in ("slices", "fairness", "unit"))
        return {
            **values,
            "metrics": {name: Interval(**parts) for name, parts in values.pop("metrics").items()},
            "slices": Slices.from_json(slices) if slices else None,
            "fairness": Fairness.from_json(fairness) if fairness else None,
        }

    @property
    def unit(self) -> str:
        """Of the metrics that have one; empty without."""
        return ""

    def unit_of(self, target: str) -> str:
        """Of the figures of one target; empty without."""
        return ""

    def figures(self) -> dict[str, Interval]:
        """All that was measured, by a dotted name: `accuracy`, `slices.dim light.gap`."""
        found = dict(self.metrics)
        found |= self.slices.figures() if self.slices else {}
        return found | (self.fairness.by_name() if self.fairness else {})

    def sample_scores(self) -> Floats:
        """(N,) how well each sample is answered, more is better: 1 or 0, or minus the error."""
        raise NotImplementedError

    def drawn_together(self) -> Ints | None:
        """(N,) numbers from 0 of groups, each of which is one fact; None: each sample is one."""
        return in_groups(self.predictions)

    def by_id(self) -> Ints:
        """(N,) rows of the predictions in the order of their ids, so that those of two runs stand beside each other."""
        import pyarrow.compute as pc

        return pc.sort_indices(self.predictions["id"]).to_numpy().astype("int64")

    @property
    def fact(self) -> str:
        """What is drawn: a sample, or samples together."""
        return "sample" if self.drawn_together() is None else "group"

    @property
    def facts(self) -> int:
        """How many of these there are."""
        return facts(self.drawn_together(), self.count)

    def scores_of(self, other: Evaluation) -> Floats:
        """The sample scores of another evaluation of the same task, in the unit of ours."""
        return other.sample_scores()

    def asks_the_same(self, other: Evaluation) -> bool:
        """Whether figures of both mean the same."""
        return self.task == other.task

    def paired_share(self, name: str, ours: pyarrow.Table, theirs: pyarrow.Table) -> Interval | None:
        """Ours minus theirs where the figure of that name is a share of samples, else None.

        Args: ours, theirs: predictions of the same samples in one order.
        """
        return None

    def paired_differences(self, other: Evaluation) -> dict[str, Interval]:
        """Ours minus theirs, by the names of `figures`, of all that predictions alone give; on the same samples."""
        raise NotImplementedError

    @staticmethod
    def truth(targets: Sequence[str]) -> Truth:
        """What a label that comes later may say, and what it says of an answer.

        Args: targets: names of what is predicted, as a release's signature holds them.
        """
        raise NotImplementedError

    def answers(self) -> Floats:
        """(N, P) the numbers that were predicted, in one order: what `outputs` in `run.json` is a digest of."""
        raise NotImplementedError

    def answer_columns(self, answers: NDArray[Any]) -> dict[str, Any]:
        """(N, A) answers about any samples, as the columns of `predictions` that say what was predicted."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        from totalml.data.snapshot import parquet_bytes

        write_json(folder / METRICS_FILE, self.as_json())
        write_atomically(folder / PREDICTIONS_FILE, parquet_bytes(self.predictions))

    @staticmethod
    def load(folder: Path) -> Evaluation:
        """What `save` wrote, as the record of its task."""
        from totalml.data.snapshot import read_parquet

        values = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        return Evaluation.of(values, read_parquet((folder / PREDICTIONS_FILE).read_bytes()))

    @staticmethod
    def of(values: Mapping[str, Any], predictions: pyarrow.Table) -> Evaluation:
        """What `as_json` gave, as the record of its task."""
        values = dict(values)
        kind = record_of(values.pop("task", "classification"))
        return kind(**kind.parts_from(values), predictions=predictions)


def record_of(task: str) -> type[Evaluation]:
    """Raises: KeyError: no task of that name is known."""
    module, _, name = RECORDS[task].partition(":")
    return cast("type[Evaluation]", getattr(import_module(module), name))


def shares_with_chance(metrics: Mapping[str, Interval], count: int, confidence: float) -> dict[str, Interval]:
    """Shares of `count` samples, with bounds even where all samples are alike."""
    return {name: with_chance(metric, count, confidence) for name, metric in metrics.items()}
