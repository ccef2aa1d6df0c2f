"""How far a period is from what the same weeks of earlier years let expect, at the level of its last year.

So neither a season nor a trend is news, and a level that stays is none after a year. What a column keeps of the period
before is taken off, so that what is left of calm periods is exchangeable: of weather, that a warm week is followed by
one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

MOST_SEASONS = 10  # before, that a period is held against
LEAST_LEVEL = 0.25  # of a season has to be known of the last one, to tell a level by
MOST_KEPT = 0.95  # of a period before, that is taken off
DIGITS = 9  # of what is kept of a period


class SameWeeks:
    """Of a panel with a season. It knows the periods of the release, and those that came since.

    `known`: (K, C) of the release's periods, what each was beyond what was to be expected of it; `far`: (C,) the
    largest of it before what a column keeps is taken off.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._seasons = [panel.earlier(count) for count in range(1, 1 + MOST_SEASONS)]
        self._values = dict(zip(panel.numbers_of_starts.tolist(), panel.values, strict=True))
        self._since: dict[int, Numbers] = {}
        whole = np.full((int(panel.numbers_of_starts[-1]) + 1, len(panel.scales)), np.nan)
        whole[panel.numbers_of_starts] = panel.values
        apart = self._apart_of_all(whole)
        self._kept = _kept(apart)
        news = apart[1:] - self._kept * apart[:-1]
        self.known = news[~np.isnan(news).all(axis=1)]
        self.far = _quietly(np.nanmax, np.abs(apart)) if len(apart) else np.zeros(0)

    def apart(self, number: int, values: Numbers) -> Numbers:
        """(C,) of a period, before what it keeps is taken off; NaN where no year before is known."""
        each = [self._less_level(number, values, lag) for lag in self._seasons if lag <= number]
        return _quietly(np.nanmedian, np.array(each)) if each else np.full(len(values), np.nan)

    def news(self, number: int, values: Numbers) -> Numbers:
        """(C,) of a period that follows those that were added."""
        now, before = self.apart(number, values), self._value(number - 1)
        kept = np.zeros(len(values)) if before is None else self._kept * np.nan_to_num(self.apart(number - 1, before))
        return now - kept

    def add(self, number: int, values: Numbers) -> None:
        """Args: values: (C,) NaN where nothing is to be held against it later."""
        self._since[number] = values
        most = 2 * self._panel.earlier(1)
        for old in sorted(self._since)[:-most]:
            del self._since[old]

    def state(self) -> dict[str, list[float | None]]:
        """Plain JSON: the periods that came since the release."""
        return {
            str(number): [None if np.isnan(each) else float(f"{each:.{DIGITS}g}") for each in values]
            for number, values in self._since.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        width = len(self._panel.scales)
        self._since = {
            int(number): np.array(values, np.float64) for number, values in state.items() if len(values) == width
        }

    def _value(self, number: int) -> Numbers | None:
        return self._since.get(number, self._values.get(number))

    def _less_level(self, number: int, values: Numbers, lag: int) -> Numbers:
        """(C,) what changed in so many periods, less what changed in them in the mean of the last season."""
        season, nothing = self._panel.earlier(1), np.full(len(values), np.nan)
        then = self._value(number - lag)
        pairs = [(self._value(each), self._value(each - lag)) for each in range(number - season, number)]
        changes = [now - before for now, before in pairs if now is not None and before is not None]
        if then is None or len(changes) < LEAST_LEVEL * season:
            return nothing
        return np.asarray(values - then - _quietly(np.nanmedian, np.array(changes)))

    def _apart_of_all(self, values: Numbers) -> Numbers:
        """(P, C) the same of all periods of the release, together."""
        season = self._panel.earlier(1)
        found = []
        for lag in (each for each in self._seasons if each < len(values)):
            change = np.full_like(values, np.nan)
            change[lag:] = values[lag:] - values[: len(values) - lag]
            level = np.full_like(values, np.nan)
            if len(values) > season:
                windows = np.lib.stride_tricks.sliding_window_view(change, season, axis=0)[:-1]
                enough = (~np.isnan(windows)).sum(axis=2) >= LEAST_LEVEL * season
                level[season:] = np.where(enough, _quietly(np.nanmedian, windows, axis=2), np.nan)
            found.append(change - level)
        return _quietly(np.nanmedian, np.array(found)) if found else np.full_like(values, np.nan)


def _kept(apart: Numbers) -> Numbers:
    """(C,) how much of a period is still there in the next one; by ranks, so that a fault counts for little."""
    found = np.zeros(apart.shape[1])
    for place, column in enumerate(apart.T):
        both = ~np.isnan(column[1:]) & ~np.isnan(column[:-1])
        before, after = column[:-1][both], column[1:][both]
        if len(before) > 2 and np.ptp(before) > 0 and np.ptp(after) > 0:
            ranks = np.corrcoef(np.argsort(np.argsort(before)), np.argsort(np.argsort(after)))[0, 1]
            found[place] = np.clip(2 * np.sin(np.pi / 6 * ranks), 0.0, MOST_KEPT)  # Pearson 1907, of a normal one
    return found


def _quietly(of: Any, values: Numbers, axis: int = 0) -> Numbers:
    """NaN where all are, without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(of(values, axis=axis), np.float64)
