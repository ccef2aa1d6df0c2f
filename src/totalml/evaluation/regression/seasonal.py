"""What stood a season earlier in the same series: the forecast that needs no model, and how far it is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from totalml.evaluation.arrays import Floats, Ints, ratio
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.predicted import Known

NO_TIME = "samples without timestamps have no season"


@dataclass(frozen=True)
class Series:
    """Args:
    names: of the series; empty where there is one without a name.
    codes: (S,) which of them each sample of the snapshot is of.
    """

    names: Sequence[str]
    codes: Ints

    def of(self, rows: Ints) -> list[str]:
        return [self.names[code] for code in self.codes[rows].tolist()]


def series_of(column: str | None, context: SampleContext | None, samples: int) -> Series:
    """Args: column: of metadata; None: all samples are of one series."""
    if column is None or context is None:
        return Series((), np.zeros(samples, np.int64))
    encoded = context.metadata[column].cast("string").combine_chunks().dictionary_encode()
    return Series(tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy().astype(np.int64))


@dataclass(frozen=True)
class Seasonal:
    """Of N test samples and T targets; NaN where undefined.

    Args:
        before: (N, T) truth of the same series a season earlier, in whichever split it stands.
        error: (N, T) how far that is off on average among the training samples of the series.
        why_no_before, why_no_error: empty where some are defined.
    """

    before: Floats
    error: Floats
    why_no_before: str
    why_no_error: str


def seasonal(known: Known, series: Series, season: int) -> Seasonal:
    """Args: season: periods from one season to the next.

    Source: Hyndman and Koehler 2006, each series by its own error.
    """
    values = np.asarray(known.values, np.float64)
    earlier, why_not = _earlier(known, series, season)
    before = np.where(earlier[:, None] >= 0, values[earlier], np.nan)
    is_train = np.zeros(len(values), np.bool_)
    is_train[known.train] = True
    pairs = np.flatnonzero(is_train & (earlier >= 0) & is_train[earlier])
    error = _mean_by(series.codes[pairs], np.abs(values[pairs] - before[pairs]), int(series.codes.max()) + 1)
    error = np.where(error > 0, error, np.nan)[series.codes[known.test]]
    none = f"no {{}} sample stands {season} periods after another of its series"
    unchanged = "the training truth never changes from one season to the next"
    return Seasonal(
        before[known.test],
        error,
        "" if (earlier[known.test] >= 0).any() else why_not or none.format("test"),
        "" if not np.isnan(error).all() else why_not or (unchanged if len(pairs) else none.format("training")),
    )


def _earlier(known: Known, series: Series, season: int) -> tuple[Ints, str]:
    """(S,) the row a season before each, -1: there is none; and why not, as far as that is about their times."""
    rows = len(known.values)
    found: Ints = np.full(rows, -1)
    if known.times is None:
        return found, NO_TIME
    order = np.lexsort((known.times, series.codes))
    codes, apart = series.codes[order], np.diff(known.times[order])
    same = np.diff(codes) == 0
    # By periods and not by rows: over a missing row, the one that far back is of another week. The usual step, rounded,
    # takes months of unlike length for one each.
    step = np.median(apart[same & (apart > 0)]) if (same & (apart > 0)).any() else 1.0
    period = np.concatenate([[0], np.cumsum(np.where(same, np.maximum(1, np.rint(apart / step)), 0))]).astype(np.int64)
    # So wide that a season before the first period of a series is no period of another; all periods only grow.
    keys = codes * (int(period[-1]) + season + 1) + period
    place = np.searchsorted(keys, keys - season)
    torn = np.unique(codes[1:][same & (apart == 0)])
    stands = (keys[place] == keys - season) & ~np.isin(codes, torn)
    found[order] = np.where(stands, order[place], -1)
    return found, _at_once(series) if len(torn) else ""


def _at_once(series: Series) -> str:
    if series.names:
        return "several samples of one series have one timestamp"
    return "several samples have one timestamp; task.series can name the column that tells their series apart"


def _mean_by(codes: Ints, values: Floats, count: int) -> Floats:
    """(P, T) -> (count, T), NaN where nothing is of that code."""
    sums = np.stack([np.bincount(codes, column, count) for column in values.T], axis=1)
    return ratio(sums, np.bincount(codes, minlength=count)[:, None])
