"""How errors of series scatter, and what of them stays for the next period, as a reference tells.

Each series has a deviation of its own: a small shop scatters several times as much as a large one, and would raise
false alarms if it counted as much.

Source: Aitken 1935 (weighted least squares), Smyth 2004 (variances of many that are shrunk to a common one).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MOST_REMEMBERED = 0.95  # of an error, that is there again in the next period
PASSES = 4  # each weighs series by what they came to in the one before
LEAST_FREE = 3.0  # degrees of freedom of a series, that say how much series differ
LEAST_APART = 1e-3  # variance of the logarithms of their variances; so little makes them one


@dataclass(frozen=True)
class Chance:
    """Args:
    deviations: (R,) of what is new of the error of each series in a period.
    kept: what stays of an error for the next period, as a share.
    """

    deviations: Numbers
    kept: float

    @classmethod
    def learn(cls, pairs: Numbers) -> Self | None:
        """Args:
        pairs: (T, 2, R, 1 + L) errors and what each lever brought, of two periods that follow each other; NaN: unknown.
        Returns: None: nothing is left to chance.
        """
        known = np.isfinite(pairs).all(axis=(1, 3))
        before, after = (np.where(known[..., None], pairs[:, place], np.nan) for place in (0, 1))
        (count, series), levers = known.shape, pairs.shape[3] - 1
        free = 1 - (count + int(known.any(axis=0).sum()) + levers) / known.sum()
        found = cls(np.ones(series), 0.0)
        for _ in range(PASSES):
            earlier, later = found._odd(before), found._odd(after)
            kept = _kept(earlier[..., 0], later[..., 0])
            news = later - kept * earlier
            effects = np.linalg.lstsq(news[known][:, 1:], news[known][:, 0], rcond=None)[0]
            squares = ((news[..., 0] - news[..., 1:] @ effects) ** 2).sum(axis=0) * found.deviations**2
            if free <= 0 or not squares.any():
                return None
            found = cls(np.sqrt(_variances(squares, known.sum(axis=0) * free)), kept)
        return found

    def apart(self, rows: Numbers) -> Numbers:
        """(R, C) in deviations, less what moves all series alike; 0: unknown. Args: rows: (R, C), NaN: unknown."""
        known, told = np.isfinite(rows).all(axis=1), np.zeros_like(rows)
        told[known] = self.centred(rows[known] / self.deviations[known, None], known)
        return told

    def centred(self, values: Numbers, known: NDArray[np.bool_]) -> Numbers:
        """(K, ...) less what moves all series alike. Args: values: in deviations, of the known ones of R series."""
        alike = 1 / self.deviations[known]
        return values - np.multiply.outer(alike, alike @ values / (alike @ alike))

    def _odd(self, periods: Numbers) -> Numbers:
        """(T, R, C) as `apart`, and less the mean of the series."""
        apart, known = np.stack([self.apart(rows) for rows in periods]), np.isfinite(periods)
        return np.where(known, apart - apart.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)


def _kept(before: Numbers, after: Numbers) -> float:
    """Of (T, R) errors. A mean that is taken of the same few periods hides some of it (Nickell 1981)."""
    squares, count = float((before**2).sum()), len(before)
    kept = float((before * after).sum()) / squares if squares else 0.0
    return float(np.clip((kept * count + 1) / (count - 1), 0, MOST_REMEMBERED))


def _variances(squares: Numbers, free: Numbers) -> Numbers:
    """(R,) of series, each as far from the usual one as it shows that it is.

    They are taken to be scaled inverse chi-squared, with as many degrees of freedom as is told by how much more their
    logarithms differ than by chance; the squares then are what they are to be, in the mean. Trigamma is 1 / (x - 0.5).

    Args: squares, free: (R,) sums of squares, and their degrees of freedom.
    """
    told = (squares > 0) & (free > LEAST_FREE)
    if not told.any():
        return np.full(len(free), squares.sum() / free.sum())
    logs = np.log(squares[told] / free[told])
    apart = max(float(logs.var() - (2 / (free[told] - 1)).mean()), LEAST_APART)
    prior = 1 + 2 / apart
    variances = (squares + prior * math.exp(logs.mean())) / (free + prior)
    return np.asarray(variances * (squares / variances).sum() / free.sum())
