"""Runs side by side, each against the first: what was asked differently, and what came of it on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from totalml.comparison.compared import attempt_metrics
from totalml.comparison.metrics import MetricChange, read_slices
from totalml.comparison.side import Side, run_side
from totalml.comparison.slices import SliceChanges, slice_changes
from totalml.evaluation.paired import PairedAccuracy, paired_accuracy, read_predictions
from totalml.runs.attempt import METRICS_FILE, PREDICTIONS_FILE, Attempt
from totalml.values.keys import KeyChange, key_changes

if TYPE_CHECKING:
    import pyarrow


COLUMNS = ["id", "label", "predicted", "confidence"]


@dataclass(frozen=True)
class Flip:
    """A test sample that two runs say different things of.

    Args:
        before, after: what the first run and the other one say.
        sure_before, sure_after: their confidence.
    """

    id: str
    label: str
    before: str
    after: str
    sure_before: float
    sure_after: float

    @property
    def gained(self) -> bool:
        return self.after == self.label

    @property
    def lost(self) -> bool:
        return self.before == self.label


@dataclass(frozen=True)
class ClassChange:
    """Args:
    accuracy: over the test samples of this class alone, which is its recall.
    """

    label: str
    accuracy: PairedAccuracy


@dataclass(frozen=True)
class SideBySide:
    """One run against the first of the page."""

    first: Attempt
    other: Attempt

    @cached_property
    def keys(self) -> list[KeyChange]:
        old, new = (run_side(each.facts["run_id"], each).recipe for each in self._both)
        return key_changes(old.values or {}, new.values or {}, old.what, new.what)

    @cached_property
    def metrics(self) -> list[MetricChange]:
        return attempt_metrics(*self._both)

    @cached_property
    def accuracy(self) -> PairedAccuracy | None:
        """None: they were not tested on the same samples."""
        return paired_accuracy(*self._predictions) if self._predictions else None

    @cached_property
    def classes(self) -> list[ClassChange]:
        """Every class, the most harmed one first; empty unless both were tested on the same samples."""
        if self._predictions is None:
            return []
        labels = sorted(set(self._predictions[0]["label"].to_pylist()))
        paired = {label: paired_accuracy(*(_of_class(table, label) for table in self._predictions)) for label in labels}
        found = [ClassChange(label, accuracy) for label, accuracy in paired.items() if accuracy]
        return sorted(found, key=lambda change: change.accuracy.difference)

    @cached_property
    def slices(self) -> SliceChanges | None:
        """Groups of test samples; None unless both were tested on the same samples and looked at some group."""
        if self._predictions is None:
            return None
        found = slice_changes(*self._predictions, [read_slices(each.folder / METRICS_FILE) for each in self._both])
        return found if found.all or found.apart else None

    @cached_property
    def flips(self) -> list[Flip]:
        """Lost samples first, then gained ones, then those that are wrong in another way; the surest first."""
        if self._predictions is None:
            return []
        before, after = (_rows(table) for table in self._predictions)
        both = (Flip(*_sides(old, new)) for old, new in zip(before, after, strict=True))
        flips = [flip for flip in both if flip.before != flip.after]
        return sorted(flips, key=lambda flip: (not flip.lost, not flip.gained, -flip.sure_after, flip.id))

    @cached_property
    def _predictions(self) -> tuple[pyarrow.Table, pyarrow.Table] | None:
        """In one order; None unless both were tested on the same samples with the same labels."""
        before, after = (read_predictions(each.folder / PREDICTIONS_FILE) for each in self._both)
        if before is None or after is None:
            return None
        before, after = (table.sort_by("id") for table in (before, after))
        return (before, after) if all(before[key].equals(after[key]) for key in ("id", "label")) else None

    @property
    def _both(self) -> tuple[Attempt, Attempt]:
        return self.first, self.other


def side_by_side(attempts: Sequence[Attempt]) -> list[SideBySide]:
    return [SideBySide(attempts[0], other) for other in attempts[1:]]


def titles(attempts: Sequence[Attempt]) -> list[str]:
    """A short name for each: letters, because ids are long."""
    return [chr(ord("A") + number) for number in range(len(attempts))]


def side_of(attempt: Attempt) -> Side:
    return run_side(attempt.facts["run_id"], attempt)


def _rows(table: pyarrow.Table) -> list[dict[str, Any]]:
    return list(table.select(COLUMNS).to_pylist())


def _sides(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, str, str, str, float, float]:
    return new["id"], new["label"], old["predicted"], new["predicted"], old["confidence"], new["confidence"]


def _of_class(table: pyarrow.Table, label: str) -> pyarrow.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table["label"], label))
