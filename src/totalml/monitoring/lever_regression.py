"""What errors tell of levers: a normal regression on what each of them brought, and on a level of each series.

Of series r in period t, what is new of its error, less what all series have in common, is x[t, r] . theta +
(1 - kept) level[r] and chance, where x is what is new of what each lever brought. theta is what a lever does beside
what the model says, as a share of that. It and the levels have normal priors, over which the likelihood is taken in the
mean. All is counted in deviations of `Chance`, each series in its own, so that chance has a variance of 1.

Source: Lindley and Smith, Bayes estimates for the linear model, 1972.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.lever_chance import Chance

    Numbers = NDArray[np.float64]

EFFECT = 0.2  # prior deviation of what a lever does from what the model says, as a share of it
LEVEL = 0.2  # of what is true of a series from what is answered, likewise


@dataclass(frozen=True)
class Sums:
    """Of rows (error, what each of L levers brought), new in a period, as `Chance.apart` gives them.

    Args:
        products: (..., 1 + L, 1 + L) over periods and series.
        by_series: (..., R, 1 + L) over periods.
        counts: (..., R) of periods.
    """

    products: Numbers
    by_series: Numbers
    counts: Numbers

    @classmethod
    def of(cls, rows: Numbers) -> Self:
        """Args: rows: (..., R, 1 + L), 0 where a series has none."""
        return cls(np.swapaxes(rows, -1, -2) @ rows, rows, rows.any(axis=-1).astype(np.float64))

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.products + other.products, self.by_series + other.by_series, self.counts + other.counts)

    def __mul__(self, share: float) -> Sums:
        return Sums(self.products * share, self.by_series * share, self.counts * share)

    def over(self) -> Sums:
        """All periods of the first axis."""
        return Sums(self.products.sum(0), self.by_series.sum(0), self.counts.sum(0))


class Regression:
    """On all periods so far, and of what a change of a lever would add to errors since one of the last S of them.

    <u, v> is of two columns what levels and theta leave of their product.
    """

    def __init__(self, chance: Chance, older: Sums, rows: Numbers) -> None:
        """Args: older: periods before the last. rows: (S, R, 1 + L) of those, 0 where a series has none."""
        each = Sums.of(rows)
        whole, fresh = older + each.over(), (1 - chance.kept) / chance.deviations
        self._products, self._by_series = (_since_each(values) for values in (each.products, each.by_series))
        self._weights = (fresh**2 / (fresh**2 * whole.counts + LEVEL**-2))[:, None]
        self._levels = whole.by_series * self._weights
        self._whole = whole.products - self._levels.T @ whole.by_series
        self._since = self._products - np.swapaxes(self._by_series, 1, 2) @ self._levels
        prior = EFFECT**-2 * np.eye(rows.shape[2] - 1)
        self._inverse = np.linalg.inv(self._whole[1:, 1:] + prior)

    @property
    def effects(self) -> Numbers:
        """(L,) theta, if nothing changed."""
        return np.asarray(self._inverse @ self._whole[1:, 0])

    def with_errors(self) -> Numbers:
        """(S, L) <m, y> of errors y and what they would be, m, if a lever did once more what it does since then."""
        return np.asarray(self._since[:, 1:, 0] - self._since[:, 1:, 1:] @ self.effects)

    def with_itself(self) -> Numbers:
        """(S, L) <m, m>: the inverse of the variance of such a change."""
        of_levels = (self._by_series[..., 1:] ** 2 * self._weights).sum(axis=1)
        own = np.diagonal(self._products, axis1=1, axis2=2)[:, 1:] - of_levels
        columns = self._since[:, 1:, 1:]
        return np.asarray(own - ((columns @ self._inverse) * columns).sum(axis=2))

    def with_change(self, place: int, lever: int) -> Numbers:
        """(S, L) <m, n> of another such change n."""
        later = np.maximum(np.arange(len(self._products)), place)
        of_levels = np.swapaxes(self._by_series[..., 1:], 1, 2) @ (
            self._weights[:, 0] * self._by_series[place, :, 1 + lever]
        )
        column = self._since[:, 1:, 1:] @ self._inverse @ self._since[place, 1 + lever, 1:]
        return np.asarray(self._products[later, 1:, 1 + lever] - of_levels - column)

    def gives_way(self, place: int, lever: int) -> Numbers:
        """(L,) what theta gives way by, for each time that the lever does once more what it does since then."""
        return np.asarray(self._inverse @ self._since[place, 1 + lever, 1:])

    def foretold(self, brought: Numbers) -> tuple[Numbers, Numbers]:
        """(R,) errors of the next period, if nothing changes, and their deviation, about. Args: brought: (R, L)."""
        weights = self._weights[:, 0]
        errors = brought @ self.effects + self._levels @ np.array([1.0, *-self.effects])
        return errors, np.sqrt(1 + weights + ((brought @ self._inverse) * brought).sum(axis=1))


def _since_each(values: Numbers) -> Numbers:
    return np.flip(np.flip(values, 0).cumsum(0), 0)
