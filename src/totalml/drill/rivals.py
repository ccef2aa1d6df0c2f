"""What others use: Kolmogorov and Smirnov's test of every column with Bonferroni's correction, and ADWIN.

Both are held to the same false alarms as ours, which is kinder to them than their own defaults are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from totalml.drill.detector import SILENT, NamesNoCause, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.history import History
    from totalml.monitoring import Observations

    Numbers = NDArray[np.float64]

TERMS = 100  # of an alternating series whose terms fall as exp(-k^2)
PLAIN = 1.0  # beyond it, the first term alone is right to a part in 400


@dataclass(frozen=True)
class ColumnByColumn(NamesNoCause):
    """The least p of all scores and numbers, times how many there are; a window at a time.

    Args: days: of a window.
    """

    days: int
    name: str = "KS, Bonferroni"

    def evidence(self, history: History) -> Numbers:
        found = np.full(history.days, SILENT)
        reference = {name: np.sort(_known(values)) for name, values in _columns(history.reference).items()}
        columns = _columns(history.observations)
        for day, rows in windows(history, self.days):
            surest = [
                -log_p_of_ks(before, now)
                for name, before in reference.items()
                if len(before) and len(now := _known(columns[name][rows]))
            ]
            if surest:
                found[day] = max(surest) - math.log(len(surest))
        return found


def log_p_of_ks(ordered: Numbers, values: Numbers) -> float:
    """Logarithm of the chance of so large a gap between two samples of one distribution.

    Args:
        ordered: (N,) ascending.
        values: (M,).
    Source: Stephens 1970, for the asymptotic distribution of Kolmogorov 1933.
    """
    values = np.sort(values)
    both = np.concatenate([ordered, values])
    gaps = np.searchsorted(ordered, both, "right") / len(ordered) - np.searchsorted(values, both, "right") / len(values)
    root = math.sqrt(len(ordered) * len(values) / (len(ordered) + len(values)))
    reach = (root + 0.12 + 0.11 / root) * float(np.abs(gaps).max())
    if reach > PLAIN:
        return math.log(2) - 2 * reach**2
    k = np.arange(1, TERMS + 1)
    series = 2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * reach) ** 2))
    # Of a small gap the series has not yet settled after any number of terms; the chance is 1 there.
    return 0.0 if reach < 0.2 else math.log(min(1.0, float(series)))


@dataclass(frozen=True)
class Adwin(NamesNoCause):
    """ADWIN of one stream, which begins with the reference: the means of some older and some newer part differ.

    Args: of: `score`, what the model says first; `errors`, where its answers were found wrong, as truths are told.
    Source: Bifet and Gavalda 2007, section 3: all cuts are looked at, where their faster one keeps some.
    """

    of: Literal["score", "errors"]

    @property
    def name(self) -> str:
        return f"ADWIN on {self.of}"

    def evidence(self, history: History) -> Numbers:
        before, stream, known_on = self._stream(history)
        order = np.argsort(known_on, kind="stable")
        values, known_on = np.concatenate([before, stream[order]]), known_on[order]
        ends = len(before) + np.searchsorted(known_on, np.arange(history.days), "right")
        found, surest, done = np.full(history.days, SILENT), SILENT, 0
        for day, end in enumerate(ends):
            if end > max(done, 1):
                surest, done = max(surest, cut_evidence(values[:end])), end
            found[day] = surest
        return found

    def _stream(self, history: History) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
        """What comes first, what follows, and on which day each of that is known."""
        if self.of == "errors":
            told = history.known_on < history.days
            return history.reference_wrong * 1.0, history.wrong[told] * 1.0, history.known_on[told]
        name = next(iter(history.reference.scores), None)
        if name is None:
            return np.empty(0), np.empty(0), np.empty(0, np.int64)
        values = history.observations.scores[name]
        known = ~np.isnan(values)
        return _known(history.reference.scores[name]), values[known], history.day[known]


def cut_evidence(values: Numbers) -> float:
    """The largest log(1 / delta) at which ADWIN would still cut this window in two.

    It cuts where |m0 - m1| >= sqrt(2 v L / m) + 2 L / (3 m), with L = log(2 ln(n) / delta), 1 / m the sum of both
    lengths' inverses and v the variance; solved for L.

    Args: values: (n,), n of 2 or more, in [0, 1] for the bound to hold.
    """
    n = len(values)
    sums, size = np.cumsum(values)[:-1], np.arange(1, n)
    gap = np.abs(sums / size - (values.sum() - sums) / (n - size))
    m = 1 / (1 / size + 1 / (n - size))
    half = math.sqrt(2 * float(values.var()))
    root = (np.sqrt(half**2 / m + 8 * gap / (3 * m)) - half / np.sqrt(m)) / (4 / (3 * m))
    return float((root**2).max()) - math.log(2 * math.log(n))


def _columns(seen: Observations) -> dict[str, Numbers]:
    return {**seen.scores, **seen.numbers}


def _known(values: Numbers) -> Numbers:
    return values[~np.isnan(values)]
