"""Guess the label of every sample from what samples of other groups are labelled: a linear discriminant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_SAMPLES = 100  # to learn from; with fewer the guesses say nothing
PARTS = 10
SHRINKAGE = 1.0  # towards round clouds: hundreds of columns are learnt from hundreds of samples
TINY = 1e-6


class Discriminant(NamedTuple):
    """Args:
    directions: (D, C).
    offsets: (C,) so that the largest of `row @ directions + offsets` is the guess; -inf of a label that nothing showed.
    """

    directions: NDArray[np.float32]
    offsets: NDArray[np.float32]

    def scores(self, known: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) -> (N, C)."""
        return known @ self.directions + self.offsets


def guessed_from_others(
    known: NDArray[np.float32], label: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Learn from nine tenths of the groups at a time, and guess the tenth.

    Args:
        known: (N, D) what each sample is judged by; each column with mean 0 and deviation 1.
        label: (N,) 0..C-1; -1 where unknown, which is guessed all the same.
        group: (N,) whose labels may share a fault; -1 counts as one group.
    Returns: (N,) the label that is likeliest if all were equally frequent.
    """
    part = group % PARTS
    guesses = np.zeros(len(label), np.int64)
    for number, learnt in enumerate(learnt_from_others(known, label, part, PARTS)):
        chosen = np.flatnonzero(part == number)
        guesses[chosen] = learnt.scores(known[chosen]).argmax(axis=1)
    return guesses


def learnt_from_others(
    known: NDArray[np.float32], label: NDArray[np.int64], part: NDArray[np.int64], parts: int
) -> list[Discriminant]:
    """For each part what the samples of all other parts teach.

    Args:
        known, label: as above.
        part: (N,) 0..parts-1.
    """
    learnt = [_sums(known, label, np.flatnonzero((part == number) & (label >= 0))) for number in range(parts)]
    others = ([sums for place, sums in enumerate(learnt) if place != number] for number in range(parts))
    return [_discriminant(*(sum(sums) for sums in zip(*some, strict=True))) for some in others]


def _sums(
    known: NDArray[np.float32], label: NDArray[np.int64], chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(D, D) products of the columns, (D, C) sums by label, (C,) how many carry it."""
    mine, carries = known[chosen], np.eye(int(label.max()) + 1, dtype=np.float32)[label[chosen]]
    scatter, sums, counts = mine.T @ mine, mine.T @ carries, carries.sum(axis=0)
    return scatter.astype(np.float64), sums.astype(np.float64), counts.astype(np.float64)


def _discriminant(scatter: NDArray[np.float64], sums: NDArray[np.float64], counts: NDArray[np.float64]) -> Discriminant:
    spread = scatter / max(counts.sum(), 1)
    spread += (SHRINKAGE * np.trace(spread) / len(spread) + TINY) * np.eye(len(spread))
    means = sums / np.maximum(counts, 1)
    directions = np.linalg.solve(spread, means)
    # Half the squared length of the means makes all labels equally likely beforehand.
    offsets = np.where(counts > 0, -0.5 * np.einsum("dc,dc->c", means, directions), -np.inf)
    return Discriminant(directions.astype(np.float32), offsets.astype(np.float32))


def scale(known: NDArray[np.float32]) -> None:
    """Give each column mean 0 and deviation 1, in place; one that is constant becomes 0."""
    if not len(known):
        return
    known -= known.mean(axis=0)
    deviation = known.std(axis=0)
    known *= np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > TINY)
