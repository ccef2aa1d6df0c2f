"""The difference between a figure of this run and the same one of what is in production.

On the same test samples both models meet the same easy and hard ones, so their difference is surer than either figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TotalmlError
from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation
from totalml.gates.figures import figures_of
from totalml.gates.record import How

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Difference:
    """Ours minus theirs. Args: remark: why there is none, or how it was found where that is not the usual way."""

    value: Interval
    ours: Interval
    theirs: Interval | None = None
    how: How | None = None
    remark: str = ""


@dataclass(frozen=True)
class Against:
    """Args:
    evaluation, figures: of this run.
    folder: of the attempt in production.
    """

    evaluation: Evaluation
    figures: dict[str, Interval]
    folder: Path

    def difference(self, name: str) -> Difference:
        ours = self.figures[name]
        if isinstance(self._theirs, str):
            return Difference(Interval(None), ours, remark=self._theirs)
        theirs = self._theirs[1].get(name)
        if theirs is None or theirs.value is None or ours.value is None:
            which = "here" if ours.value is None else "in production"
            return Difference(Interval(None), ours, theirs, remark=f"{name} is not measured {which}")
        if self._same_model:
            remark = "the very model that is in production"
            return Difference(Interval(ours.value - theirs.value), ours, theirs, "value", remark)
        if (paired := self._paired(name)) is not None:
            return Difference(paired, ours, theirs, "paired")
        if None in (ours.low, ours.high, theirs.low, theirs.high):
            return Difference(Interval(ours.value - theirs.value), ours, theirs, "value")
        why = "as if of different test samples" if self._same_samples else "the test samples are not the same"
        return Difference(apart(ours, theirs), ours, theirs, "apart", f"{why}, so both intervals count")

    @cached_property
    def _theirs(self) -> tuple[Evaluation, dict[str, Interval]] | str:
        """What production reached, or why that is not known."""
        try:
            evaluation = Evaluation.load(self.folder)
            return evaluation, figures_of(self.folder, evaluation)
        except (OSError, ValueError, KeyError, TypeError, TotalmlError) as error:
            return f"the results of production in {self.folder} cannot be read ({type(error).__name__})"

    @cached_property
    def _tables(self) -> tuple[pyarrow.Table, pyarrow.Table] | None:
        """Predictions of both in one order; None unless on the same samples with the same truth."""
        if isinstance(self._theirs, str):
            return None
        other = self._theirs[0]
        ours, theirs = (each.predictions.sort_by("id") for each in (self.evaluation, other))
        if ours.column_names != theirs.column_names or not self.evaluation.asks_the_same(other):
            return None
        given = [name for name in self.evaluation.given_columns if name in ours.column_names]
        return (ours, theirs) if all(ours[name].equals(theirs[name]) for name in given) else None

    @property
    def _same_samples(self) -> bool:
        return self._tables is not None

    @cached_property
    def _same_model(self) -> bool:
        return self._tables is not None and self._tables[0].equals(self._tables[1])

    def _paired(self, name: str) -> Interval | None:
        """None where the predictions alone do not give the figure."""
        if self._tables is None:
            return None
        return self.evaluation.paired_share(name, *self._tables) or self._resampled.get(name)

    @cached_property
    def _resampled(self) -> dict[str, Interval]:
        return {} if isinstance(self._theirs, str) else self.evaluation.paired_differences(self._theirs[0])


def apart(ours: Interval, theirs: Interval) -> Interval:
    """The difference of two figures that know nothing of each other.

    Source: Zou and Donner 2008; Newcombe 1998, method 10, for shares.
    """
    value, low, high = ours.value or 0.0, ours.low or 0.0, ours.high or 0.0
    other, other_low, other_high = theirs.value or 0.0, theirs.low or 0.0, theirs.high or 0.0
    gap = value - other
    return Interval(gap, gap - hypot(value - low, other_high - other), gap + hypot(high - value, other - other_low))
