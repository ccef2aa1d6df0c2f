"""How often two people say the same of one item.

Kappa and alpha are near 0 where nearly everything is of one class, however well people agree; so they never stand
alone here: what share of pairs agree is the figure, AC1 the one corrected for chance that does not fall with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.arrays import Floats, ratio
from totalml.evaluation.bootstrap import percentiles
from totalml.evaluation.interval import Interval, with_chance
from totalml.review.figures.intervals import CONFIDENCE

if TYPE_CHECKING:
    from totalml.review.said import Verdict

RESAMPLES, SEED = 1000, 0


@dataclass(frozen=True)
class Agreement:
    """Of items that two people or more gave a label.

    Args:
        pairs: share of pairs of people that say the same, each item counting once.
        ac1, alpha: corrected for chance, at most 1.
        per_label: of those who gave this label, the share of others who gave it too.
    """

    items: int
    pairs: Interval
    ac1: Interval
    alpha: Interval
    per_label: Mapping[str, Interval]


def agreement(by_item: Mapping[str, Sequence[Verdict]], confidence: float = CONFIDENCE) -> Agreement | None:
    """Intervals from resampling items, since what several say of one item is no news of another.

    None: no item has two labels. Of several labels at once each set is a label of its own; numbers are none.
    """
    said = [[word for each in verdicts if (word := _word(each)) is not None] for verdicts in by_item.values()]
    said = [words for words in said if len(words) > 1]
    if not said:
        return None
    labels = sorted({word for words in said for word in words})
    # Items of which the same was said are counted, not repeated: there are few kinds of them.
    kinds, times = np.unique([[words.count(label) for label in labels] for words in said], axis=0, return_counts=True)
    counts, whole = kinds.astype(np.float64), times[None].astype(np.float64)
    resampled = np.random.default_rng(SEED).multinomial(len(said), times / len(said), RESAMPLES).astype(np.float64)

    def measured(figure: Callable[[Floats, Floats], Floats]) -> list[Interval]:
        values = figure(counts, whole)[0].tolist()
        lows, highs = (bounds[0].tolist() for bounds in percentiles(figure(counts, resampled), confidence))
        return [
            with_chance(Interval(*each), len(said), confidence)
            if np.isfinite(each[0])
            else Interval(None, note="all say the same, so that chance would agree as well")
            for each in zip(values, lows, highs, strict=True)
        ]

    (pairs,), (ac1,), (alpha,) = (measured(figure) for figure in (pairwise, gwet_ac1, krippendorff_alpha))
    return Agreement(len(said), pairs, ac1, alpha, dict(zip(labels, measured(per_label), strict=True)))


def pairwise(counts: Floats, weights: Floats) -> Floats:
    """Args: counts: (N, K) people who gave an item of kind n label k, two or more of each. weights: (R, N) items.

    Returns: (R, 1).
    """
    return ratio(weights @ _agreeing(counts).sum(axis=1, keepdims=True), weights.sum(axis=1, keepdims=True))


def gwet_ac1(counts: Floats, weights: Floats) -> Floats:
    """As `pairwise`. Source: Gwet 2008, eq. 4, of any number of people."""
    shares = ratio(weights @ (counts / counts.sum(axis=1, keepdims=True)), weights.sum(axis=1, keepdims=True))
    by_chance = (shares * (1 - shares)).sum(axis=1, keepdims=True) / max(1, counts.shape[1] - 1)
    return ratio(pairwise(counts, weights) - by_chance, 1 - by_chance)


def krippendorff_alpha(counts: Floats, weights: Floats) -> Floats:
    """As `pairwise`; NaN where only one label was given. Source: Krippendorff 2011, nominal values."""
    given = counts.sum(axis=1, keepdims=True)
    differing = weights @ (given - (given * _agreeing(counts)).sum(axis=1, keepdims=True))
    totals = weights @ counts
    all_given = totals.sum(axis=1, keepdims=True)
    by_chance = all_given**2 - (totals**2).sum(axis=1, keepdims=True)
    return 1 - ratio(differing * (all_given - 1), by_chance)


def per_label(counts: Floats, weights: Floats) -> Floats:
    """(R, K). Source: Cicchetti and Feinstein 1990, of any number of people."""
    given = counts.sum(axis=1, keepdims=True)
    return ratio(weights @ (_agreeing(counts) * given), weights @ counts)


def _agreeing(counts: Floats) -> Floats:
    """(N, K) of all pairs of people of an item, the share that agree on this label."""
    given = counts.sum(axis=1, keepdims=True)
    agreeing: Floats = counts * (counts - 1) / (given * (given - 1))
    return agreeing


def _word(verdict: Verdict) -> str | None:
    given = [*(verdict.label or {}).values()]
    if len(given) != 1 or not isinstance(given[0], str | list):
        return None
    return given[0] if isinstance(given[0], str) else " + ".join(given[0]) or "none"
