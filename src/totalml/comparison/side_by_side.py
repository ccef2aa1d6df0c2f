"""Runs side by side, each against the first: what was asked differently, and what came of it on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from totalml.comparison.compared import attempt_metrics
from totalml.comparison.metrics import MetricChange
from totalml.comparison.side import Side, run_side
from totalml.comparison.slices import SliceChanges, slice_changes
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.paired import Paired, paired, paired_shares, read_evaluation
from totalml.evaluation.record import Evaluation
from totalml.evaluation.together import taken
from totalml.report.task_parts import Answer, answer_of
from totalml.runs.attempt import Attempt
from totalml.values.keys import KeyChange, key_changes


@dataclass(frozen=True)
class Flip:
    """A test sample that two runs say different things of.

    Args:
        before, after: what the first run and the other one say.
        step: by how much the other one answers better; below 0 worse.
    """

    before: Answer
    after: Answer
    step: float

    @property
    def id(self) -> str:
        return self.after.id

    def place(self) -> tuple[bool, bool, float, float, str]:
        """Of the page: lost samples first, then gained ones; the widest steps and the surest answers first."""
        return not self.lost, not self.gained, -abs(self.step), self.after.order, self.id

    @property
    def gained(self) -> bool:
        return self.step > 0

    @property
    def lost(self) -> bool:
        return self.step < 0


@dataclass(frozen=True)
class ClassChange:
    """Args:
    paired: over the test samples of this class alone, which is its recall.
    """

    label: str
    paired: Paired


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
    def paired(self) -> Paired | None:
        """None: they were not tested on the same samples."""
        return paired(*self._evaluations) if self._evaluations else None

    @cached_property
    def classes(self) -> list[ClassChange]:
        """Every class, the most harmed one first; empty unless both told classes apart on the same samples."""
        import numpy as np

        if self._evaluations is None or not isinstance(self._evaluations[0], ClassificationEvaluation):
            return []
        was, now = (each.sample_scores() == 1 for each in self._evaluations)
        labels = np.array(self._evaluations[0].predictions["label"].to_pylist(), object)
        of_class = {label: labels == label for label in sorted(set(labels))}
        together = self._evaluations[0].drawn_together()
        found = [
            ClassChange(label, paired_shares(was[rows], now[rows], together=taken(together, rows)))
            for label, rows in of_class.items()
        ]
        return sorted(found, key=lambda change: change.paired.difference)

    @cached_property
    def slices(self) -> SliceChanges | None:
        """Groups of test samples; None unless both were tested on the same samples and looked at some group."""
        if self._evaluations is None:
            return None
        found = slice_changes(*self._evaluations)
        return found if found.all or found.apart or found.small else None

    @cached_property
    def flips(self) -> list[Flip]:
        """Lost samples first, then gained ones, then those that are wrong in another way; the widest steps first."""
        if self._evaluations is None:
            return []
        before, after = self._evaluations
        steps = (after.sample_scores() - after.scores_of(before)).tolist()
        answers = ([answer_of(each, row) for row in each.predictions.to_pylist()] for each in (before, after))
        both = (Flip(old, new, step) for old, new, step in zip(*answers, steps, strict=True))
        flips = [flip for flip in both if flip.before.said != flip.after.said]
        return sorted(flips, key=Flip.place)

    @cached_property
    def _evaluations(self) -> tuple[Evaluation, Evaluation] | None:
        """Predictions in one order; None unless both were tested on the same samples with the same truth."""
        found = [read_evaluation(each.folder) for each in self._both]
        before, after = (each and replace(each, predictions=each.predictions.sort_by("id")) for each in found)
        if before is None or after is None or not after.asks_the_same(before):
            return None
        given = [name for name in after.given_columns if name in before.predictions.column_names]
        same = all(
            name in after.predictions.column_names and before.predictions[name].equals(after.predictions[name])
            for name in given
        )
        return (before, after) if same else None

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
