"""Whether a model errs more for some, chooses them more or less often, or is surer of them than it should be.

Each slice of the window is held to the same slice of the reference, so what was unequal before is not told again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.evaluation.shares import chance_of_as_many, holm, mean_variance
from totalml.monitoring.answers import Answers, answers_of
from totalml.monitoring.observations import Observations, observe
from totalml.monitoring.populations import Population, Populations
from totalml.quality.groups import upper_tail
from totalml.values.shown import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.populations import Edges

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

ALL = "all"


@dataclass(frozen=True)
class SliceFigure:
    """One figure of one slice.

    Args:
        slice: such as `camera tablet`; `all`.
        figure: `error`, `selection rate` or `calibration gap`, which is confidence minus accuracy; of one of several
            labels `error of <label>`.
        value, reference: of the window, of the same slice of the reference; -1..1.
        p: that a slice like the reference's moves as far; of `error` upwards, of the others either way. Corrected for
            all figures of all slices.
        count, known: rows of the window, of the reference.
    """

    slice: str
    figure: str
    value: float
    reference: float
    p: float
    count: int
    known: int

    @property
    def words(self) -> str:
        shown = f"{self.figure} of {self.slice}: {self.value:.3g} of {counted(self.count, 'row')}"
        return f"{shown}, {self.reference:.3g} of {self.known} in the reference (p = {self.p:.2g})"


@dataclass(frozen=True)
class SlicesResult:
    """Args:
    figures: all that were asked, the likeliest to have moved first.
    level: up to which a `p` is a finding.
    """

    figures: tuple[SliceFigure, ...]
    level: float

    @property
    def findings(self) -> tuple[SliceFigure, ...]:
        return tuple(each for each in self.figures if each.p <= self.level)

    @property
    def p(self) -> float:
        return min((each.p for each in self.figures), default=1.0)


class LiveSlices:
    """See `fit`."""

    def __init__(
        self,
        answers: Mapping[str, Answers],
        parts: Mapping[tuple[str, str], Mask],
        populations: Populations,
        truth: str | None,
        positive: str | None,
        least: int,
        level: float,
    ) -> None:
        self._answers, self._parts, self._populations = answers, parts, populations
        self._truth, self._positive, self._least, self._level = truth, positive, least, level

    @classmethod
    def fit(
        cls,
        reference: pa.Table,
        by: Sequence[str],
        *,
        truth: str | None = None,
        positive: str | None = None,
        edges: Edges | None = None,
        least: int = 30,
        level: float = 0.01,
    ) -> Self:
        """Args:
            reference: answers as the log has them.
            by: columns of which every value, or bin of numbers, is a slice; all rows together are one too.
            truth: as of `answers_of`; where labels are missing neither errors nor calibration are asked for, and the
                latter is not where answers have no confidence.
            positive: the class of which the share is the selection rate; None: that is not asked for. Of a label, that
                it holds.
            edges: of bins of numbers, by column; else quarters of the reference.
            least: rows of a slice, in the window and in the reference, that it is looked at with.
            level: chance that anything is told of a window like the reference.
        Raises: DataError: there are no answers, or a column is not there.
        """
        answers = {each.label: each for each in answers_of(reference, truth)}
        if not answers:
            raise DataError("the reference has no column answer:predicted, so slices have no figures")
        seen = observe(reference)
        populations = Populations.fit(seen, by, edges)
        parts = {(each.column, each.value): each.rows for each in _slices(populations, seen, least)}
        return cls(answers, parts, populations, truth, positive, least, level)

    def test(self, window: pa.Table) -> SlicesResult:
        found: list[SliceFigure] = []
        # A window may have no labels yet, under whatever name.
        truth = self._truth if self._truth in window.column_names else None
        for now in answers_of(window, truth):
            if (before := self._answers.get(now.label)) is None:
                continue
            for each in _slices(self._populations, observe(window), self._least):
                if (rows := self._parts.get((each.column, each.value))) is not None:
                    found += self._figures(each, now, before, rows)
        chances = holm(np.array([each.p for each in found]))
        found = [replace(each, p=float(p)) for each, p in zip(found, chances, strict=True)]
        return SlicesResult(tuple(sorted(found, key=lambda each: each.p)), self._level)

    def _figures(self, part: Population, now: Answers, before: Answers, rows: Mask) -> Iterator[SliceFigure]:
        of = f" of {now.label}" if now.label else ""
        own, known = part.rows & ~np.isnan(now.right), rows & ~np.isnan(before.right)
        if min(own.sum(), known.sum()) >= self._least:
            errors, others = now.right[own] == 0, before.right[known] == 0
            yield _share(part, f"error{of}", errors, others, p=_more(errors, others))
        own, known = own & ~np.isnan(now.confidence), known & ~np.isnan(before.confidence)
        if min(own.sum(), known.sum()) >= self._least:
            yield _gap(part, f"calibration gap{of}", now, before, own, known)
        positive = "yes" if now.label else self._positive
        own, known = part.rows & (now.said != None), rows & (before.said != None)  # noqa: E711 - of each element
        if positive is not None and min(own.sum(), known.sum()) >= self._least:
            chosen, usually = now.said[own] == positive, before.said[known] == positive
            either = min(1.0, 2 * min(_more(chosen, usually), _more(~chosen, ~usually)))
            yield _share(part, f"selection rate{of}", chosen, usually, p=either)


def _slices(populations: Populations, seen: Observations, least: int) -> Iterator[Population]:
    yield Population(ALL, "", np.ones(seen.count, np.bool_))
    yield from populations.of(seen, least)


def _share(part: Population, figure: str, now: Mask, before: Mask, p: float) -> SliceFigure:
    return SliceFigure(part.words.strip(), figure, float(now.mean()), float(before.mean()), p, len(now), len(before))


def _gap(part: Population, figure: str, now: Answers, before: Answers, own: Mask, known: Mask) -> SliceFigure:
    (value, variance), (usual, other) = _gap_of(now, own), _gap_of(before, known)
    spread = (variance + other) ** 0.5
    p = 2 * upper_tail(abs(value - usual) / spread) if spread else float(value == usual)
    return SliceFigure(part.words.strip(), figure, value, usual, min(1.0, p), int(own.sum()), int(known.sum()))


def _gap_of(answers: Answers, rows: Mask) -> tuple[float, float]:
    """Mean of confidence minus right, and its variance."""
    confidence = answers.confidence[rows]
    terms = confidence - answers.right[rows]
    sums = (len(terms), terms.sum(), (terms**2).sum(), (confidence * (1 - confidence)).sum())
    return float(terms.mean()), float(mean_variance(*(np.array([each]) for each in sums))[0])


def _more(now: Mask, before: Mask) -> float:
    """The chance of so many or more (Fisher)."""
    hits, others = int(now.sum()), int(before.sum())
    counts = (hits, len(now), hits + others, len(now) + len(before))
    return float(chance_of_as_many(*(np.array([each]) for each in counts))[0])
