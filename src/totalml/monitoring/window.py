"""Whether a window of live traffic could have come from where the reference did, and which columns say otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.counts import of_categories, of_missing
from totalml.monitoring.kernel import KernelStatistic, of_embeddings
from totalml.monitoring.moves import Move, WindowResult
from totalml.monitoring.observations import EMBEDDING, Categories, Observations
from totalml.monitoring.order import OrderStatistic, permuted
from totalml.monitoring.permutations import adjusted, assignments, lacking
from totalml.monitoring.sampled import sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.permutations import Ones, Statistics

    Numbers = NDArray[np.float64]
    Rows = tuple[NDArray[np.intp], NDArray[np.intp]]

ROWS = 1_000  # of either side that are permuted
OF_LEVEL, IN_DOUBT = 20, 10  # permutations to tell a level; times the level, below which all of them are drawn
MOST = 100_000  # permutations; no p is below the inverse of that
STEP = 10  # times as many are drawn while they leave it in doubt
CHUNK = 1_000  # permutations at once
AT_ONCE = 4_096  # embeddings


class Statistic(Protocol):
    """One look at one column; larger where reference and window are further apart."""

    def permuted(self, ones: Ones) -> Statistics: ...

    @property
    def seen(self) -> float: ...

    def move(self, p: float) -> Move: ...


@dataclass(frozen=True)
class WindowTest:
    """Numbers and scores by their distributions, categories and what is missing by counts, embeddings by a kernel.

    Of at most 1,000 rows a side p is that of a permutation test, exact for any number of rows. Of more, as many are
    permuted, and what is seen of all is compared with them at its scale; where samples come together, what is seen of
    those alone, and all of them are there. p is right over references as well as windows: of one reference that is
    less than twenty times as long as its windows, more or fewer of them may be called than the level says.

    Args:
        reference: what windows are compared with.
        numbers: its numbers and scores, sorted, without those that are missing.
        permutations: drawn first; of a low level 20 / level, where those leave it in doubt.
        level: at which somebody will call the result a move.
    """

    reference: Observations
    numbers: dict[str, Numbers]
    permutations: int
    level: float
    seed: int

    @classmethod
    def fit(
        cls, reference: Observations, *, permutations: int = 1000, level: float = 0.05, seed: int = 0
    ) -> WindowTest:
        """Raises: DataError: no rows, or nothing that could be compared."""
        if not 0 < level < 1 or permutations < 1:
            raise ValueError(f"level {level} is not within 0..1, or {permutations} permutations are fewer than 1")
        columns = {**reference.scores, **reference.numbers}
        if not reference.count or not (columns or reference.categories or reference.embeddings is not None):
            raise DataError(
                f"the reference holds {reference.count} rows and {len(columns) + len(reference.categories)} columns; "
                "a window is compared with at least one row and one column of numbers, categories or embeddings"
            )
        numbers = {name: np.sort(values[~np.isnan(values)]) for name, values in columns.items()}
        return cls(reference, numbers, permutations, level, seed)

    def test(self, window: Observations) -> WindowResult:
        """A column that the window lacks, or that holds words there and numbers in the reference, counts as missing in
        each of its rows; one that the reference lacks is left.

        Raises: DataError: embeddings are of another length than in the reference, or only one side says which samples
            come together.
        """
        _check(self.reference, window)
        too_few = lacking(_unit_count(self.reference), _unit_count(window), self.level)
        if too_few or not window.count:
            return WindowResult(1.0, (), too_few=too_few)
        rng = np.random.default_rng(self.seed)
        rows = sampled(_units(self.reference), _units(window), ROWS, rng)
        statistics: list[Statistic] = [*self._of_numbers(window, rows), *self._of_categories(window, rows)]
        kernel, embedded = self._of_embeddings(window, rows, rng)
        statistics += embedded
        if not statistics:
            return WindowResult(1.0, ())
        first, p = self._adjusted(statistics, window, rows, rng)
        moves = tuple(statistics[row].move(float(each)) for row, each in zip(first, p, strict=True))
        shows = kernel is not None and window.embeddings is not None
        return WindowResult(moves[0].p, moves, (lambda: kernel.witness) if kernel and shows else None)

    def _of_numbers(self, window: Observations, rows: Rows) -> Iterator[Statistic]:
        found = {**window.scores, **window.numbers}
        for name, before in {**self.reference.scores, **self.reference.numbers}.items():
            now = found.get(name)
            now = np.full(window.count, np.nan) if now is None else now
            missing_before, missing = np.isnan(before), np.isnan(now)
            pooled = np.concatenate([before[rows[0]], now[rows[1]]])
            yield OrderStatistic(name, self.numbers[name], now[~missing] if missing.any() else now, pooled)
            if share := of_missing(name, missing_before, missing, rows):
                yield share

    def _of_categories(self, window: Observations, rows: Rows) -> Iterator[Statistic]:
        for name, before in self.reference.categories.items():
            now = window.categories.get(name)
            yield of_categories(name, before, now or Categories(np.full(window.count, -1, np.int32), ()), rows)

    def _of_embeddings(
        self, window: Observations, rows: Rows, rng: np.random.Generator
    ) -> tuple[KernelStatistic | None, list[Statistic]]:
        """The kernel's, and all of embeddings."""
        before, now = self.reference.embeddings, window.embeddings
        if before is None:
            return None, []
        if now is None:
            now = np.full((window.count, before.shape[1]), np.nan, np.float32)
        there = [_finite(each) for each in (before, now)]
        share = of_missing(EMBEDDING, ~there[0], ~there[1], rows)
        found: list[Statistic] = [share] if share else []
        statistic = of_embeddings((before, now), (there[0], there[1]), rows, rng)
        return statistic, found if statistic is None else [statistic, *found]

    def _adjusted(
        self, statistics: list[Statistic], window: Observations, rows: Rows, rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], Statistics]:
        """As `adjusted`."""
        units = _pooled_units(self.reference, window, rows)
        now = np.repeat(np.array([0, 1], np.int8), [len(each) for each in rows])[:, None]
        chosen = len(np.unique(units[now[:, 0] == 1]))
        found: list[Statistics] = []

        def draw(count: int) -> tuple[NDArray[np.intp], Statistics]:
            for start in range(0, count, CHUNK):
                ones = assignments(units, chosen, min(CHUNK, count - start), rng)
                ones = ones if found else np.concatenate([now, ones], axis=1)
                found.append(_permuted(statistics, ones))
            if self.reference.units is None and len(now) < self.reference.count + window.count:
                found[0][:, 0] = [each.seen for each in statistics]
            return adjusted(np.concatenate(found, axis=1))

        told, drawn = draw(self.permutations), self.permutations
        every = math.ceil(min(OF_LEVEL / self.level, MOST))
        # That p is low several times, of some, of more and of all permutations, is no likelier than once: so what is
        # called a move is called so no more often for having been looked at before.
        while drawn < every and told[1][0] <= IN_DOUBT * max(self.level, 1 / (drawn + 1)):
            more = min(every, STEP * drawn) - drawn
            told, drawn = draw(more), drawn + more
        return told


def _permuted(statistics: list[Statistic], ones: Ones) -> Statistics:
    """(S, B) of each assignment."""
    found = np.empty((len(statistics), ones.shape[1]))
    ordered = [(row, each) for row, each in enumerate(statistics) if isinstance(each, OrderStatistic)]
    if ordered:
        found[[row for row, _ in ordered]] = permuted([each for _, each in ordered], ones)
    for row, each in enumerate(statistics):
        if not isinstance(each, OrderStatistic):
            found[row] = each.permuted(ones)
    return found


def _finite(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) which are so in all of their numbers, without a mask as large as (N, D)."""
    starts = range(0, len(rows), AT_ONCE)
    parts = [np.isfinite(rows[start : start + AT_ONCE]).all(axis=1) for start in starts]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)


def _check(reference: Observations, window: Observations) -> None:
    mistakes = []
    widths = [None if each.embeddings is None else each.embeddings.shape[1] for each in (reference, window)]
    if None not in widths and widths[0] != widths[1]:
        mistakes.append(f"embeddings were {widths[0]} numbers long and are {widths[1]} now")
    if window.count and (reference.units is None) != (window.units is None):
        side = "window" if reference.units is None else "reference"
        mistakes.append(f"only the {side} says which samples come together")
    if mistakes:
        raise DataError(
            f"the window cannot be compared with the reference: {'; '.join(mistakes)}. "
            "Read both in the same way, and compare with the reference of the release that answered"
        )


def _units(side: Observations) -> int | NDArray[np.int64]:
    return side.count if side.units is None else side.units


def _unit_count(side: Observations) -> int:
    return side.count if side.units is None else len(np.unique(side.units))


def _pooled_units(reference: Observations, window: Observations, rows: Rows) -> NDArray[np.intp]:
    """(N,) of the rows that are permuted, 0..U-1; a unit of the window is none of the reference."""
    if reference.units is None or window.units is None:
        return np.arange(len(rows[0]) + len(rows[1]))
    before, now = (
        np.unique(each[some], return_inverse=True)[1]
        for each, some in zip((reference.units, window.units), rows, strict=True)
    )
    return np.concatenate([before, now + before.max() + 1])
