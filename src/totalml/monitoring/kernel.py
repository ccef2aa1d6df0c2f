"""How far the embeddings of a window are from those of the reference: maximum mean discrepancy, and where it lies.

A kernel of N rows would be N x N, and each permutation a product with it. The kernel is taken of all rows with a few of
them, landmarks, and turned into features whose inner products it is: then a permutation is a sum of features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.moves import Move
from totalml.monitoring.observations import EMBEDDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.permutations import Ones

    Embeddings = NDArray[np.float32]
    Space = NDArray[np.float32]
    Matrix = NDArray[np.float64]
    Rows = tuple[NDArray[np.intp], NDArray[np.intp]]
    Sides = tuple[Embeddings, Embeddings]
    Flags = tuple[NDArray[np.bool_], NDArray[np.bool_]]

LANDMARKS = 128
MOST = 10_000  # rows of the reference that are looked at
DOUBLINGS = 5  # Gaussian kernels: the first as narrow as 4 / the median of squared distances, the last as wide as 1 / 4
FURTHEST = 60.0  # medians, beyond which two embeddings have nothing in common
LOST = 1e-12  # of squared lengths, below which a squared distance is what digits were lost
ADDED = 1e-6
CHUNK = 4096  # rows


@dataclass(frozen=True)
class Features:
    """What Gaussian kernels of several widths, each of which has its say, are inner products of.

    Args:
        center: (D,) near the rows, so that large offsets lose no digits.
        landmarks: (L, D) from the center.
        scale: of squared distances.
        weights: of the kernels, from the widest; their sum is 1.
        root: (L, r) from kernels with the landmarks to features.
    Source: Gretton et al. 2012; Williams and Seeger 2001, Nystrom's method.
    """

    center: Matrix
    landmarks: Matrix
    scale: float
    weights: tuple[float, ...]
    root: Space

    @classmethod
    def of(cls, rows: Embeddings, rng: np.random.Generator) -> Features | None:
        """Args: rows: (N, D) of both sides, finite. Returns: None: all are the same."""
        center = rows.mean(axis=0, dtype=np.float64)
        landmarks = rows[rng.permutation(len(rows))[:LANDMARKS]] - center
        squares = _squared_distances(landmarks, landmarks)
        different = squares[squares > 0]
        if not len(different):
            return None
        scale = float(np.median(different))
        kernels = [each.astype(np.float64) for each in _kernels(squares, scale)]
        spreads = np.array([_spread(each) for each in kernels])
        weights = np.divide(1, spreads, out=np.zeros(DOUBLINGS), where=spreads > 0)
        weights = weights / weights.sum() if weights.any() else np.full(DOUBLINGS, 1 / DOUBLINGS)
        mixed = np.tensordot(weights, np.array(kernels), 1)
        # Landmarks that are the same, or lie on a line, leave the kernel singular but for what is added, and as float32
        # it may be a little less than that.
        values, axes = np.linalg.eigh(mixed)
        root = axes / np.sqrt(np.maximum(values, 0) + ADDED)
        return cls(center, landmarks, scale, tuple(weights.tolist()), root.astype(np.float32))

    def __call__(self, rows: Embeddings, there: NDArray[np.bool_] | None = None) -> Space:
        """(N, r) of rows (N, D), a chunk at a time. Args: there: (N,) which are finite, of others NaN; None: all."""
        found = np.full((len(rows), self.root.shape[1]), np.nan, np.float32)
        for start in range(0, len(rows), CHUNK):
            some = slice(start, start + CHUNK)
            kept = np.ones(len(rows[some]), np.bool_) if there is None else there[some]
            squares = _squared_distances(rows[some][kept] - self.center, self.landmarks)
            mixed = np.zeros(squares.shape, np.float32)
            for weight, kernel in zip(self.weights, _kernels(squares, self.scale), strict=True):
                mixed += np.float32(weight) * kernel
            found[some][kept] = mixed @ self.root
        return found


@dataclass(frozen=True)
class Unmade:
    """Features of rows (N, D), made a chunk at a time when they are asked for: all at once are larger than the rows.

    Args: there: (N,) which are finite.
    """

    features: Features
    rows: Embeddings
    there: NDArray[np.bool_]


@dataclass(frozen=True)
class KernelStatistic:
    """Args:
    before: (R, r) features of the rows of the reference that have an embedding.
    now: (n, r) of all rows of the window, NaN where missing.
    pooled: (N, r) of those rows of both which are permuted.
    """

    before: Space
    now: Space | Unmade
    pooled: Space

    def permuted(self, ones: Ones) -> Matrix:
        """(B,) of each assignment (N, B), squared and scaled to what does not depend on how many rows there are."""
        rows = ~np.isnan(self.pooled[:, 0])
        features, ones = (self.pooled, ones) if rows.all() else (self.pooled[rows], ones[rows])
        features = features - features.mean(axis=0)
        drawn = ones.sum(axis=0, dtype=np.float64)
        moved = features.T @ ones.astype(np.float32)
        sizes = drawn * (len(features) - drawn)
        squares = np.einsum("rb,rb->b", moved, moved).astype(np.float64)
        # Each row's product with itself counts as their mean: that of a landmark is larger, and which rows are
        # landmarks says nothing about the window.
        own = np.square(features).sum(axis=1)
        squares -= (1 - 2 * drawn / max(len(features), 1)) * ((own - own.mean()) @ ones)
        squares = np.maximum(squares, 0) * len(features)
        return np.divide(squares, sizes, out=np.zeros_like(squares), where=sizes > 0)

    @property
    def seen(self) -> float:
        """As `permuted`, of all rows."""
        before, now = self._sides
        if not before.count or not now.count:
            return 0.0
        own = _Side.of(self._pooled, self._middle).own
        squared = float(self.direction @ self.direction)
        squared -= sum((each.own - own) / each.count for each in (before, now))
        return max(squared, 0.0) / sum(1 / each.count for each in (before, now))

    def move(self, p: float) -> Move:
        return Move(EMBEDDING, "MMD", float(np.linalg.norm(self.direction)), p)

    @property
    def witness(self) -> Matrix:
        """(n,) how much more of the window than of the reference lies near each row of the window; NaN where missing.

        In -1..1: its mean kernel with the rows of the window without that with the rows of the reference.
        """
        # Of a direction in float64, numpy would make all of `now` float64 too.
        direction = self.direction.astype(np.float32)
        return np.concatenate([some @ direction for some in _chunks(self.now)]).astype(np.float64)

    @cached_property
    def direction(self) -> Matrix:
        """(r,) from the mean of the reference to that of the window."""
        before, now = self._sides
        return now.mean - before.mean if before.count and now.count else np.zeros(self.pooled.shape[1])

    @cached_property
    def _sides(self) -> tuple[_Side, _Side]:
        return _Side.of(self.before, self._middle), _Side.of(self.now, self._middle)

    @cached_property
    def _pooled(self) -> Space:
        return self.pooled[~np.isnan(self.pooled[:, 0])]

    @cached_property
    def _middle(self) -> Space:
        return self._pooled.mean(axis=0)


@dataclass(frozen=True)
class _Side:
    """What is asked of many rows, in one pass over their features, so that these are made once and never held.

    Args:
        count: of the rows that are there; of none the others mean nothing.
        mean: (r,) of their features.
        own: mean squared length of what they are from the middle.
    """

    count: int
    mean: Matrix
    own: float

    @classmethod
    def of(cls, rows: Space | Unmade, middle: Space) -> _Side:
        count, total, own = 0, np.zeros(len(middle)), 0.0
        for chunk in _chunks(rows):
            some = chunk[~np.isnan(chunk[:, 0])]
            count, total = count + len(some), total + some.sum(axis=0, dtype=np.float64)
            own += float(np.square(some - middle).sum(axis=1).sum(axis=0, dtype=np.float64))
        return cls(count, total / max(count, 1), own / max(count, 1))


def of_embeddings(sides: Sides, there: Flags, rows: Rows, rng: np.random.Generator) -> KernelStatistic | None:
    """Args:
        sides: (R, D), (n, D) of reference and window.
        there: (R,), (n,) which rows have one.
        rows: of either that are permuted.
    Returns: None: all are missing, or the same.
    """
    some = [each[chosen] for each, chosen in zip(there, rows, strict=True)]
    pooled = np.concatenate([side[chosen] for side, chosen in zip(sides, rows, strict=True)])
    present = np.concatenate(some)
    features = Features.of(pooled[present], rng) if present.any() else None
    if features is None:
        return None
    found = features(pooled, present)
    if len(pooled) == len(sides[0]) + len(sides[1]):
        before, now = found[: len(sides[0])][there[0]], found[len(sides[0]) :]
    else:
        kept = np.flatnonzero(there[0])
        kept = kept if len(kept) <= MOST else rng.choice(kept, MOST, replace=False)
        return KernelStatistic(features(sides[0][kept]), Unmade(features, sides[1], there[1]), found)
    return KernelStatistic(before, now, found)


def _chunks(rows: Space | Unmade) -> Iterator[Space]:
    if isinstance(rows, Unmade):
        for start in range(0, len(rows.rows), CHUNK):
            yield rows.features(rows.rows[start : start + CHUNK], rows.there[start : start + CHUNK])
    else:
        for start in range(0, len(rows), CHUNK):
            yield rows[start : start + CHUNK]


def _kernels(squares: Matrix, scale: float) -> list[Space]:
    """From the widest, each half as wide: the square of the one before."""
    kernel = np.exp(-(np.minimum(squares / scale, FURTHEST) / 2 ** (DOUBLINGS // 2)).astype(np.float32))
    found = [kernel]
    for _ in range(DOUBLINGS - 1):
        found.append(found[-1] ** 2)
    return found


def _spread(kernel: Matrix) -> float:
    """In proportion to the standard deviation of its discrepancy under permutation."""
    centered = kernel - kernel.mean(axis=0)
    centered = centered - centered.mean(axis=1, keepdims=True)
    np.fill_diagonal(centered, 0)
    return float(np.linalg.norm(centered))


def _squared_distances(rows: Matrix, landmarks: Matrix) -> Matrix:
    """(N, L)."""
    lengths = np.square(rows).sum(axis=1)[:, None] + np.square(landmarks).sum(axis=1)
    squares = lengths - 2 * (rows @ landmarks.T)
    squares[squares < LOST * lengths] = 0
    return squares
