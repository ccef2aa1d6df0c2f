"""Bets that begin anew with every row: what all of them together own tells that something changed, whenever it did.

A bet that was opened long before a change has lost too much by then; one is opened with every row instead. If nothing
changed, no bet wins in the mean, so after t rows they own t in the mean: the mean number of rows until they own A is at
least A, and within n rows they own A with probability n / A at most, whenever one looks and however rows hang together
that the bets are fair for.

Source: Shiryaev 1963, Roberts 1966; for bets in general Shin, Ramdas and Rinaldo 2022, E-detectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.states import finite, whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Given = Callable[[NDArray[np.int64]], Numbers]

# Blocks begin at rows that it divides, so what comes in one batch or in many is added in the same order, bit for bit.
BLOCK = 64


def every_row(rows: NDArray[np.int64]) -> Numbers:
    """What a bet that is opened with a row is given: one each, for detecting changes again and again."""
    return np.ones(len(rows))


def one_in_all(rows: NDArray[np.int64]) -> Numbers:
    """All bets that will ever be opened are given one together: an e-process, at the price of log(row)."""
    return 1.0 / ((rows + 1.0) * (rows + 2.0))


class ShiryaevRoberts:
    """K sequences of bets, mixed.

    Args:
        weights: (K,) of the mixture, which sum to one.
        most: that one of them may own at the end of a block, so that evidence also goes once a change is over.
        given: to the bet that is opened with a row: row, from 0, -> what it has.
    """

    def __init__(
        self, weights: Numbers, most: float, given: Callable[[NDArray[np.int64]], Numbers] = every_row
    ) -> None:
        self._weights, self._most, self._given = weights, most, given
        self.rows = 0
        nothing = np.zeros(len(weights))
        self._base, self._product, self._opened = nothing, nothing + 1, nothing.copy()

    @property
    def each(self) -> Numbers:
        """(K,) what each of the mixture adds to the evidence now."""
        return self._weights * self._product * (self._base + self._opened)

    def add(self, bets: Numbers, given: Numbers | None = None) -> Numbers:
        """Args:
        bets: (N, K) by which each row multiplies what was bet on it: above 0, with a mean of one at most.
            64 of them in a row have a product that float64 holds.
        given: (N,) to the bet that is opened with each row, 0 or more, known before the row is; None: as of the class.
        Returns: (N,) the evidence after each row.
        """
        evidence = np.empty(len(bets))
        given = self._given(np.arange(self.rows, self.rows + len(bets))) if given is None else given
        done = 0
        while done < len(bets):
            part = bets[done : done + BLOCK - self.rows % BLOCK]
            evidence[done : done + len(part)] = self._add(part, given[done : done + len(part)])
            done += len(part)
        return evidence

    def _add(self, bets: Numbers, given: Numbers) -> Numbers:
        """Of one block, or a part of it. What was opened is kept as if it were worth nothing but 1 / its past bets."""
        products = np.cumprod(np.concatenate([self._product[None], bets]), axis=0)
        opened = given[:, None] / products[:-1]
        opened[0] += self._opened
        np.cumsum(opened, axis=0, out=opened)
        owned = products[1:] * (opened + self._base)
        self.rows += len(bets)
        if self.rows % BLOCK:
            self._product, self._opened = products[-1], opened[-1]
        else:
            self._base = np.minimum(owned[-1], self._most)
            self._product, self._opened = np.ones_like(self._product), np.zeros_like(self._opened)
        return np.asarray((owned * self._weights).sum(axis=1))

    def state(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "base": self._base.tolist(),
            "product": self._product.tolist(),
            "opened": self._opened.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.rows = whole_number(state["rows"])
        count, names = len(self._weights), ("base", "product", "opened")
        self._base, self._product, self._opened = (finite(state[name], count) for name in names)
