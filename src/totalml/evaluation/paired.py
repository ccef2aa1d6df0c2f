"""The accuracy of two models on the same samples, and whether the difference can be told from chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

RESAMPLES = 10_000
SEED = 0  # the same two runs give the same interval
CONFIDENCE = 0.95
_COLUMNS = ["id", "label", "predicted"]


@dataclass(frozen=True)
class PairedAccuracy:
    """The accuracy of two models on the same samples.

    Args:
        difference: new - old, in -1..1; low and high bound it at 95 %.
        gained, lost: samples that only the new one, only the old one gets right.
        count: samples.
    """

    difference: float
    low: float
    high: float
    gained: int
    lost: int
    count: int

    def in_words(self) -> str:
        """`better by 2.1 points (0.4 to 3.9)`."""
        if not self.gained and not self.lost:
            return f"right on the same {self.count:,} test samples"
        bounds = f"{100 * self.low:+.1f} to {100 * self.high:+.1f} points"
        if self.low <= 0 <= self.high:
            return f"no clear difference in accuracy ({bounds})"
        low, high = sorted((100 * abs(self.low), 100 * abs(self.high)))
        word = "better" if self.difference > 0 else "worse"
        return f"{word} by {100 * abs(self.difference):.1f} points ({low:.1f} to {high:.1f})"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "in_words": self.in_words()}


def paired_accuracy(old: pyarrow.Table, new: pyarrow.Table) -> PairedAccuracy | None:
    """Bootstrap the difference over the samples that both predicted; None unless they are the same ones.

    Resampling samples with replacement is the same as drawing how many were gained, lost and neither.

    Args:
        old, new: predictions of two runs, with id, label and predicted.
    """
    import numpy as np
    import pyarrow.compute as pc

    before, after = (table.select(_COLUMNS).sort_by("id") for table in (old, new))
    if not len(before) or not before["id"].equals(after["id"]):
        return None
    was, is_ = (np.array(pc.equal(table["label"], table["predicted"]).to_pylist(), bool) for table in (before, after))
    gained, lost, count = int((is_ & ~was).sum()), int((was & ~is_).sum()), len(was)
    shares = np.array([gained, lost, count - gained - lost]) / count
    drawn = np.random.Generator(np.random.PCG64(SEED)).multinomial(count, shares, RESAMPLES)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / count, [tail, 100 - tail])
    return PairedAccuracy((gained - lost) / count, float(low), float(high), gained, lost, count)


def read_predictions(file: Path) -> pyarrow.Table | None:
    """The predictions of a run; None if they are not there or not readable."""
    import pyarrow as pa

    from totalml.data.snapshot import read_parquet

    try:
        return read_parquet(file.read_bytes())
    except (OSError, pa.ArrowException):
        return None
