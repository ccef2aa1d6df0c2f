"""How strange a sample is, in several ways; each is one number, so that one test watches tables, answers and pictures.

Every number as it is; how unsure the answer was; how far the nearest sample of the reference is, in all numbers or in
the embedding; the embedding's principal components. Whatever is learned for this is learned from some samples of the
reference, so that its others are as strange to it as a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.observations import Observations

    Numbers = NDArray[np.float64]

UNSURE = "unsure"
NUMBERS, EMBEDDING = "all numbers", "embedding"
COMPONENTS = 4
NEIGHBOURS = 400  # of the reference, among which the nearest is looked for
LEARNED = 4096  # samples at most, or half of them, from which middles, components and neighbours are learned
CHUNK = 1024
HUGE = 1e150  # whose square a float64 holds
FURTHEST = 1e6  # deviations; a distance beyond is as far


@dataclass(frozen=True)
class Space:
    """Args:
    middle, scale: (D,) of each coordinate.
    axes: (D, C) principal ones of what is scaled by them.
    neighbours: (M, D) scaled.
    """

    middle: Numbers
    scale: Numbers
    axes: Numbers
    neighbours: NDArray[np.float32]

    @classmethod
    def fit(cls, points: Numbers) -> Self | None:
        """Args: points: (N, D) NaN where missing. Returns: None: there is nothing to learn from."""
        points = np.clip(np.where(np.isfinite(points), points, np.nan), -HUGE, HUGE)
        points = points[~np.isnan(points).all(axis=1)]
        if not points.size:
            return None
        there = ~np.isnan(points)
        columns = [column[known] for column, known in zip(points.T, there.T, strict=True)]
        middle = np.array([np.median(each) if len(each) else 0.0 for each in columns])
        far = np.clip(np.where(there, points, middle) - middle, -HUGE, HUGE)
        scale = np.sqrt((far**2).sum(axis=0) / np.maximum(there.sum(axis=0), 1))
        scale = np.where(scale > 0, scale, 1.0)
        scaled = _scaled(points, middle, scale)
        _, values, rows = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
        axes = rows[:COMPONENTS][values[:COMPONENTS] > 0].T
        return cls(middle, scale, axes, scaled[:NEIGHBOURS].astype(np.float32))

    def scaled(self, points: Numbers) -> Numbers:
        return _scaled(points, self.middle, self.scale)

    def distance(self, scaled: Numbers) -> Numbers:
        """(N,) to the nearest neighbour, squared, in float32's precision."""
        found = np.empty(len(scaled))
        own = (self.neighbours**2).sum(axis=1)
        for start in range(0, len(scaled), CHUNK):
            chunk = scaled[start : start + CHUNK].astype(np.float32)
            near = (own - 2 * chunk @ self.neighbours.T).min(axis=1)
            found[start : start + CHUNK] = near + (chunk**2).sum(axis=1)
        return np.maximum(found, 0.0)


@dataclass(frozen=True)
class Nonconformity:
    """Args:
    names: of the scores and numbers that the reference has, in order.
    sure: scores that are chances of classes.
    width: of the embedding; 0: there is none.
    learned: (N,) bool rows of the reference that `spaces` were learned from.
    """

    scores: tuple[str, ...]
    numbers: tuple[str, ...]
    sure: tuple[str, ...]
    width: int
    spaces: Mapping[str, Space]
    learned: NDArray[np.bool_]

    @classmethod
    def fit(cls, reference: Observations, rng: np.random.Generator) -> Self:
        chosen = rng.permutation(reference.count)[: min(reference.count // 2, LEARNED)]
        learned = np.zeros(reference.count, np.bool_)
        learned[chosen] = True
        numbers, embeddings = tuple(sorted(reference.numbers)), reference.embeddings
        points = {NUMBERS: _table(reference, numbers)} if len(numbers) > 1 else {}
        if embeddings is not None and embeddings.shape[1]:
            points[EMBEDDING] = embeddings.astype(np.float64)
        spaces = {name: Space.fit(each[chosen]) for name, each in points.items()}
        chances = tuple(sorted(name for name, values in reference.scores.items() if _are_chances(values)))
        return cls(
            scores=tuple(sorted(reference.scores)),
            numbers=numbers,
            sure=chances,
            width=0 if embeddings is None else embeddings.shape[1],
            spaces={name: space for name, space in spaces.items() if space is not None},
            learned=learned,
        )

    def of(self, observations: Observations) -> dict[str, Numbers]:
        """Name -> (N,) NaN where it cannot be told."""
        nothing = np.full(observations.count, np.nan)
        found = {name: observations.scores.get(name, nothing) for name in self.scores}
        found |= {name: observations.numbers.get(name, nothing) for name in self.numbers}
        if self.sure:
            found[UNSURE] = _unsure([found[name] for name in self.sure])
        if NUMBERS in self.spaces:
            found[NUMBERS] = self._distance(NUMBERS, _table(observations, self.numbers))
        if EMBEDDING in self.spaces:
            points = observations.embeddings
            if points is None or points.shape[1] != self.width:
                points = np.full((observations.count, self.width), np.nan, np.float32)
            found |= self._of_embedding(points.astype(np.float64))
        return found

    def is_learned(self, name: str) -> bool:
        """Whether samples of the reference were spent on it."""
        return name not in {*self.scores, *self.numbers, UNSURE}

    def _distance(self, name: str, points: Numbers) -> Numbers:
        known = ~np.isnan(points).all(axis=1)
        return np.where(known, self.spaces[name].distance(self.spaces[name].scaled(points)), np.nan)

    def _of_embedding(self, points: Numbers) -> dict[str, Numbers]:
        space, missing = self.spaces[EMBEDDING], np.isnan(points).all(axis=1)
        scaled = space.scaled(points)
        along = np.where(missing[:, None], np.nan, scaled @ space.axes)
        found = {f"{EMBEDDING} {number}": along[:, number - 1] for number in range(1, space.axes.shape[1] + 1)}
        return {EMBEDDING: np.where(missing, np.nan, space.distance(scaled)), **found}


def _scaled(points: Numbers, middle: Numbers, scale: Numbers) -> Numbers:
    """A missing coordinate lies in the middle."""
    away = np.clip(points, -HUGE, HUGE) - middle
    away /= scale
    return np.nan_to_num(np.clip(away, -FURTHEST, FURTHEST, out=away), copy=False)


def _table(observations: Observations, names: tuple[str, ...]) -> Numbers:
    nothing = np.full(observations.count, np.nan)
    return np.stack([observations.numbers.get(name, nothing) for name in names], axis=1)


def _are_chances(values: Numbers) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known) and known.min() >= 0 and known.max() <= 1 and ((known > 0) & (known < 1)).any())


def _unsure(chances: list[Numbers]) -> Numbers:
    """One minus the confidence, of one class or the likeliest of several."""
    if len(chances) == 1:
        return np.minimum(chances[0], 1 - chances[0])
    return np.asarray(1 - np.stack(chances).max(axis=0))
