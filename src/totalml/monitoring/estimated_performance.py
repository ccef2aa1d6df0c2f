"""How often a model is right by its own confidence, before any label has come; and what it cannot see by that.

Confidence is corrected by what it was worth on the reference, whose labels are known, and the interval holds both: the
luck of the window's samples, and how little the reference tells of each level of confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.evaluation.shares import holm, z_of
from totalml.monitoring.answers import answers_of, widths_of, without_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.int64]

BLIND = (
    "It is made of what the model says of itself, so it cannot see that the same samples are judged otherwise now "
    "(a changed P(y|x)); only labels can."
)
MOST_BINS, LEAST_IN_BIN = 10, 30  # of the reference, by confidence
DRAWS = 2000
PARTS = 50


@dataclass(frozen=True)
class Estimate:
    """One figure of a window.

    Args:
        name: `accuracy`, `accuracy of <label>`, or `width of <target>`.
        value: 0..1; of widths their mean, in the target's unit.
        low, high: bounds; of accuracy of what the labels of this very window will show.
        reference: what it was on the reference; of accuracy by its labels.
        p: that a window like the reference looks at least so bad; corrected for how many figures there are.
        count: rows with an answer.
    """

    name: str
    value: float
    low: float
    high: float
    reference: float
    p: float
    count: int

    @property
    def words(self) -> str:
        shown = f"{self.name}: estimated {self.value:.3g} ({self.low:.3g} to {self.high:.3g})"
        return f"{shown}, {self.reference:.3g} on the reference (p = {self.p:.2g}). {BLIND}"


@dataclass(frozen=True)
class EstimatedResult:
    """Args: estimates: the likeliest to have got worse first; none where no row has an answer."""

    estimates: tuple[Estimate, ...]

    @property
    def p(self) -> float:
        return min((each.p for each in self.estimates), default=1.0)


class EstimatedPerformance:
    """See `fit`."""

    def __init__(
        self, accuracies: Mapping[str, CalibratedAccuracy], widths: Mapping[str, Numbers], confidence: float, seed: int
    ) -> None:
        self._accuracies, self._widths, self._confidence, self._seed = accuracies, widths, confidence, seed

    @classmethod
    def fit(cls, reference: pa.Table, *, truth: str | None = None, confidence: float = 0.95, seed: int = 0) -> Self:
        """Args:
            reference: answers as the log has them, with what was right; of numbers with the bounds of each.
            truth: as of `answers_of`.
            confidence: of the intervals.
        Raises: DataError: it has no answers, or nobody knows of any whether it was right.
        """
        accuracies = {}
        for each in answers_of(reference, truth):
            if np.isnan(each.confidence).all():
                continue
            known = ~np.isnan(each.confidence) & ~np.isnan(each.right)
            if not known.any():
                raise DataError(
                    "the reference has no row with an answer and its label, from which it is learnt what confidence is "
                    "worth; give rows with labels, or name their column as truth"
                )
            accuracies[each.label] = CalibratedAccuracy.fit(each.confidence[known], each.right[known])
        widths = {name: found for name, values in widths_of(reference).items() if len(found := _known(values))}
        if not accuracies and not widths:
            raise DataError(
                "the reference has neither answer:predicted with a confidence nor answer:lower and answer:upper, so "
                f"nothing can be estimated; its columns are {', '.join(reference.column_names) or 'none'}"
            )
        return cls(accuracies, widths, confidence, seed)

    def test(self, window: pa.Table) -> EstimatedResult:
        """Rows without an answer are left out. Labels, if it has any, are not looked at."""
        rng = np.random.default_rng(self._seed)
        found = []
        for each in answers_of(without_truth(window)):
            known, values = self._accuracies.get(each.label), _known(each.confidence)
            if known is not None and len(values):
                found.append(known.estimate(each.label, values, self._confidence, rng))
        for name, values in widths_of(window).items():
            if name in self._widths and len(values := _known(values)):
                found.append(_width(name, self._widths[name], values, self._confidence, rng))
        chances = holm(np.array([each.p for each in found]))
        found = [replace(each, p=float(p)) for each, p in zip(found, chances, strict=True)]
        return EstimatedResult(tuple(sorted(found, key=lambda each: each.p)))


@dataclass(frozen=True)
class CalibratedAccuracy:
    """What confidence was worth on a reference; in bins of as many samples each.

    Args:
        edges: (B - 1,) between the bins.
        hits, counts: (B,) answers that were right, and all.
        means: (B,) mean confidence.
        values: (N,) corrected confidence of the reference.
    """

    edges: Numbers
    hits: Counts
    counts: Counts
    means: Numbers
    values: Numbers

    @classmethod
    def fit(cls, confidence: Numbers, right: Numbers) -> Self:
        """Args: confidence: (N,) in 0..1; right: (N,) 1 or 0; N at least 1."""
        bins = min(MOST_BINS, max(1, len(confidence) // LEAST_IN_BIN))
        edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins))
        place = np.searchsorted(edges, confidence, side="right")
        size = len(edges) + 1
        counts = np.bincount(place, minlength=size)
        hits = np.bincount(place, right, size).astype(np.int64)
        totals = np.bincount(place, confidence, size)
        # A bin between equal edges holds nothing; its middle is that of all.
        means = np.divide(totals, counts, out=np.full(size, float(confidence.mean())), where=counts > 0)
        bare = cls(edges, hits, counts, means, confidence)
        return replace(bare, values=bare.corrected(confidence))

    def corrected(self, confidence: Numbers) -> Numbers:
        """(N,) -> (N,) in 0..1."""
        place = np.searchsorted(self.edges, confidence, side="right")
        return np.clip(confidence + ((self.hits + 0.5) / (self.counts + 1) - self.means)[place], 0, 1)

    def estimate(self, label: str, confidence: Numbers, level: float, rng: np.random.Generator) -> Estimate:
        """Bounds by draws: of what each bin is worth (Jeffreys), and of the answers that come out right.

        Source: confidence-based performance estimation (Guillory et al. 2021), whose interval lacks the first.
        """
        place = np.searchsorted(self.edges, confidence, side="right")
        counts = np.bincount(place, minlength=len(self.counts))
        there = counts > 0
        now = np.bincount(place, confidence, len(counts))[there] / counts[there]
        worth = rng.beta(self.hits + 0.5, self.counts - self.hits + 0.5, (DRAWS, len(counts)))[:, there]
        hits = rng.binomial(counts[there], np.clip(now + worth - self.means[there], 0, 1)).sum(axis=1)
        tail = (1 - level) / 2
        low = float(np.quantile(hits, tail, method="lower"))
        high = float(np.quantile(hits, 1 - tail, method="higher"))
        values, size = self.corrected(confidence), len(confidence)
        name = f"accuracy of {label}" if label else "accuracy"
        reference = float(self.hits.sum() / self.counts.sum())
        p = larger_mean(-values, -self.values, rng)
        return Estimate(name, float(values.mean()), low / size, high / size, reference, p, size)


def larger_mean(now: Numbers, before: Numbers, rng: np.random.Generator) -> float:
    """The chance that samples like those before have a mean at least as large as those now, if all are of one kind.

    An exact permutation test of values rounded to the mean of their fiftieth, so never below 1 / 2001.
    """
    both = np.concatenate([now, before])
    size = len(both)
    part = np.empty(size, np.int64)
    part[np.argsort(both, kind="stable")] = np.arange(size) * min(PARTS, size) // size
    sizes = np.bincount(part)
    means = np.bincount(part, both) / sizes
    drawn = rng.multivariate_hypergeometric(sizes, len(now), DRAWS, method="marginals") @ means
    found = np.bincount(part[: len(now)], minlength=len(sizes)) @ means
    # Sums of the same numbers in another order differ by rounding.
    least = found - 1e-9 * float(np.abs(means).max()) * len(now)
    return float((1 + (drawn >= least).sum()) / (1 + DRAWS))


def _width(name: str, before: Numbers, now: Numbers, level: float, rng: np.random.Generator) -> Estimate:
    spread = z_of(level) * float(now.std(ddof=1)) / len(now) ** 0.5 if len(now) > 1 else np.inf
    mean, p = float(now.mean()), larger_mean(now, before, rng)
    words = f"width of {name}" if name else "width"
    return Estimate(words, mean, max(0.0, mean - spread), mean + spread, float(before.mean()), p, len(now))


def _known(values: Numbers) -> Numbers:
    return values[np.isfinite(values)]
