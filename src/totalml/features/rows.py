"""Rows of numbers, one a sample, gathered by index from memory-mapped segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.features.segments import Segment

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class Rows:
    """Args:
    segments: where the numbers lie.
    segment_of: (N,) which segment holds a sample's row.
    row_of: (N,) and in which of its rows.
    """

    shape: tuple[int, ...]

    def __init__(self, segments: Sequence[Segment], segment_of: NDArray[np.int64], row_of: NDArray[np.int64]) -> None:
        self.shape = segments[0].shape[1:]
        self._segments = tuple(segments)
        self._numbers = tuple(segment.numbers() for segment in segments)
        self._segment_of = segment_of
        self._row_of = row_of

    def __len__(self) -> int:
        return len(self._row_of)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """The rows of some samples, in the order asked for.

        Args:
            rows: (B,) int64 sample rows; repeats are allowed.
        Returns: (B, *shape) of the segments' type, a copy.
        """
        segment_of, row_of = self._segment_of[rows], self._row_of[rows]
        if len(self._numbers) == 1:
            return np.take(self._numbers[0], row_of, axis=0)
        batch = np.empty((len(rows), *self.shape), self._numbers[0].dtype)
        for number in np.unique(segment_of):
            places = np.flatnonzero(segment_of == number)
            batch[places] = np.take(self._numbers[number], row_of[places], axis=0)
        return batch

    def blobs(self) -> pa.Array:
        """(N,) digest of the picture behind each sample's row."""
        import pyarrow as pa

        starts = np.cumsum([0, *(len(numbers) for numbers in self._numbers)])
        places = starts[self._segment_of] + self._row_of
        return pa.concat_arrays([segment.blobs() for segment in self._segments]).take(pa.array(places))

    def verify(self) -> None:
        """Read every file that is used.

        Raises: DamagedSegmentError: one is not what was written.
        """
        for segment in self._segments:
            segment.verify()
