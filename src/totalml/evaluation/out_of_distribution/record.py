"""Which test pictures look little like those of training, and how well strangers are told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from totalml.evaluation.interval import Interval
from totalml.runs.attempt import OUT_OF_DISTRIBUTION_FILE, OUT_OF_DISTRIBUTION_SCORES
from totalml.store.atomic import write_atomically, write_json

if TYPE_CHECKING:
    import pyarrow

    from totalml.evaluation.out_of_distribution.detector import Detector


@dataclass(frozen=True)
class Histogram:
    """Args:
    edges: (B + 1,) of bins of the score; what lies beyond the last one counts to the last bin.
    counts: `test` or the kind of stranger -> (B,) samples.
    """

    edges: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class OutOfDistribution:
    """Args:
    fitted_on: training samples.
    threshold: of the score; undefined where validation is too small to set one.
    stated: share of false alarms that the recipe asks for.
    flagged: share of the test split.
    excess: that share minus the one of the validation split.
    accuracy: `flagged`, `rest` -> that of these test samples; `gap`: the former minus the latter.
    strangers: kind -> share that is flagged.
    scores: id, score, flagged of the test split, in its order.
    """

    fitted_on: int
    threshold: Interval
    stated: float
    flagged: Interval
    excess: Interval
    accuracy: dict[str, Interval]
    strangers: dict[str, Interval]
    histogram: Histogram
    confidence: float
    scores: pyarrow.Table

    @property
    def strange(self) -> bool:
        """Whether the test split is unlike training: even the nearer bound of the excess is beyond the stated share."""
        return (self.excess.low or 0.0) > self.stated

    def figures(self) -> dict[str, Interval]:
        """`out_of_distribution.false_alarms`, `.excess`, `.accuracy.flagged` and such, `.<stranger>.flagged`."""
        named = {"false_alarms": self.flagged, "excess": self.excess}
        named |= {f"accuracy.{name}": accuracy for name, accuracy in self.accuracy.items()}
        named |= {f"{kind}.flagged": share for kind, share in self.strangers.items()}
        return {f"out_of_distribution.{name}": value for name, value in named.items()}

    def as_json(self) -> dict[str, Any]:
        """Everything but the scores."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "scores"}
        intervals = {
            name: {key: asdict(one) for key, one in fields[name].items()} for name in ("accuracy", "strangers")
        }
        single = {name: asdict(fields[name]) for name in ("threshold", "flagged", "excess", "histogram")}
        return fields | intervals | single

    def save(self, folder: Path, detector: Detector) -> None:
        from totalml.data.snapshot import parquet_bytes

        write_json(folder / OUT_OF_DISTRIBUTION_FILE, self.as_json())
        write_atomically(folder / OUT_OF_DISTRIBUTION_SCORES, parquet_bytes(self.scores))
        detector.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        from totalml.data.snapshot import read_parquet

        values = json.loads((folder / OUT_OF_DISTRIBUTION_FILE).read_text(encoding="utf-8"))
        intervals = {
            name: {key: Interval(**one) for key, one in values[name].items()} for name in ("accuracy", "strangers")
        }
        single = {name: Interval(**values[name]) for name in ("threshold", "flagged", "excess")}
        counts = {name: tuple(each) for name, each in values["histogram"]["counts"].items()}
        histogram = Histogram(tuple(values["histogram"]["edges"]), counts)
        scores = read_parquet((folder / OUT_OF_DISTRIBUTION_SCORES).read_bytes())
        return cls(**{**values, **intervals, **single, "histogram": histogram, "scores": scores})
