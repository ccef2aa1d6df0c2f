"""What each period of a panel was like, over all its years: what a monitor tells a season from news by.

A row for each period, from the first that the run knew to the last, and for each number that the model sees the median
over the series of how far it is from the usual one of its series: so series that join or leave move little. Of what
is predicted, the median over the series of how far the truth was from the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from totalml.release.log_rows import METADATA
from totalml.release.period_errors import ERROR, LEARNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.features.feature_set import FeatureSet
    from totalml.release.period_errors import Answered
    from totalml.release.signature import Signature

    Numbers = NDArray[np.float64]

PANEL = b"panel"  # of the schema: what the table is of
PERIOD, ROWS = "period", "rows"
LAGS = "totalml.features.Lags"
FLOOR = 1e-3  # of a column's median, that is added before a logarithm is taken, so that there is one of 0
MOST_ZEROS = 0.3  # of a column's values, beyond which no logarithm is taken


@dataclass(frozen=True)
class Scale:
    """How values of a column are compared: as they are, or by ratio, if they are amounts.

    Args:
        floor: that is added before the logarithm is taken; None: none is taken.
        usual: series -> the median of its values, so taken.
    """

    floor: float | None
    usual: Mapping[str, float]

    @classmethod
    def fit(cls, values: Numbers, series: NDArray[np.str_]) -> Self:
        """Args: values: (N,) NaN where missing. series: (N,)"""
        known = values[~np.isnan(values)]
        is_amount = len(known) > 0 and known.min() >= 0 and (known == 0).mean() <= MOST_ZEROS and known.max() > 0
        scale = cls(FLOOR * float(np.median(known)) if is_amount else None, {})
        taken, names = scale.taken(values), np.unique(series)
        usual = {str(name): taken[(series == name) & ~np.isnan(taken)] for name in names}
        return cls(scale.floor, {name: float(np.median(part)) for name, part in usual.items() if len(part)})

    def apart(self, values: Numbers, series: NDArray[np.str_]) -> Numbers:
        """(N,) how far each is from the usual one of its series; NaN of a series that is not known."""
        names, place = np.unique(series, return_inverse=True)
        return self.taken(values) - np.array([self.usual.get(str(name), np.nan) for name in names])[place]

    def taken(self, values: Numbers) -> Numbers:
        """(N,) by ratio their logarithms, else as they are."""
        return values if self.floor is None else np.log(np.maximum(values, 0) + self.floor)


def periods_table(
    snapshot: Snapshot,
    features: FeatureSet,
    signature: Signature,
    series: str,
    season: int | None,
    answered: Answered | None = None,
) -> pa.Table:
    """`period`, its first moment; `rows`, how many it has; `metadata:` for each number that is compared; `error:` for
    each target, and `learnt`.

    Left out are lags, which say again what periods before said, and what is the same for all series at once, such as
    the place in the year: that tells which week it is, and a week of this year is none of last year's.

    Args:
        series: metadata column.
        season: in periods; None: there is none.
        answered: None: nobody knows what the model says of them.
    """
    times = np.asarray(snapshot.samples["timestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()))
    names = np.asarray(
        snapshot.metadata[series].cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False), np.str_
    )
    starts, place = np.unique(times, return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(len(starts) + 1))
    columns: dict[str, Any] = {
        PERIOD: pa.array(starts).cast(pa.timestamp("us", "UTC")),
        ROWS: pa.array(np.diff(ends)),
    }
    scales = {}
    for name in _compared(signature):
        values = np.asarray(features.numeric[:, features.numeric_names.index(name)], np.float64)
        if not _tells_series_apart(values[order], ends):
            continue
        scale = Scale.fit(values, names)
        apart = scale.apart(values, names)[order]
        columns[METADATA + name] = pa.array(medians(apart, ends), from_pandas=True)
        scales[METADATA + name] = {"floor": scale.floor, "usual": dict(scale.usual)}
    errors: dict[str, Any] = {}
    if answered is not None:
        columns[LEARNT] = pa.array(np.logical_or.reduceat(answered.learnt[order], ends[:-1]))
        for name, truths in answered.truths.items():
            scale = Scale.fit(truths, names)
            apart = scale.taken(truths) - scale.taken(answered.values[name])
            columns[ERROR + name] = pa.array(medians(apart[order], ends), from_pandas=True)
            errors[name] = {"floor": scale.floor, "usual": {}}
    panel = {"series": series, "season": season, "scales": scales, "errors": errors}
    return pa.table(columns).replace_schema_metadata({PANEL: json.dumps(panel)})


def medians(values: Numbers, ends: NDArray[np.intp]) -> Numbers:
    """(P,) of each part of (N,) values; NaN of one without any. Args: ends: (P + 1,) where parts begin and end."""
    parts = (values[first:last] for first, last in pairwise(ends))
    known = (part[~np.isnan(part)] for part in parts)
    return np.array([np.median(part) if len(part) else np.nan for part in known])


def _compared(signature: Signature) -> list[str]:
    again = {name for each in signature.shared if each.definition["_target_"] == LAGS for name in each.columns[1:]}
    return [name for name in signature.numeric if name not in again and name not in signature.made]


def _tells_series_apart(values: Numbers, ends: NDArray[np.intp]) -> bool:
    """Or nothing can: there is one series. Args: values: by period. ends: as of `medians`."""
    several = [values[first:last] for first, last in pairwise(ends) if last - first > 1]
    return not several or any(np.nanmax(part) > np.nanmin(part) for part in several if not np.isnan(part).all())
