"""The pictures of a feature set: one row a sample, gathered by index from memory-mapped segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.features.segments import Segment

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ImageRows:
    """Args:
    segments: where the pixels lie.
    segment_of: (N,) which segment holds a sample's picture.
    row_of: (N,) and in which of its rows.
    """

    def __init__(self, segments: Sequence[Segment], segment_of: NDArray[np.int64], row_of: NDArray[np.int64]) -> None:
        self.shape: tuple[int, int, int] = segments[0].shape[1:]
        self._segments = tuple(segments)
        self._pixels = tuple(segment.pixels() for segment in segments)
        self._segment_of = segment_of
        self._row_of = row_of

    def __len__(self) -> int:
        return len(self._row_of)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The pictures of some samples, in the order asked for.

        Args:
            rows: (B,) int64 sample rows; repeats are allowed.
        Returns: (B, H, W, 3) uint8, a copy.
        """
        segment_of, row_of = self._segment_of[rows], self._row_of[rows]
        if len(self._pixels) == 1:
            return np.take(self._pixels[0], row_of, axis=0)
        batch = np.empty((len(rows), *self.shape), np.uint8)
        for number in np.unique(segment_of):
            places = np.flatnonzero(segment_of == number)
            batch[places] = np.take(self._pixels[number], row_of[places], axis=0)
        return batch

    def verify(self) -> None:
        """Read every pixel file that is used.

        Raises: DamagedSegmentError: one is not what was written.
        """
        for segment in self._segments:
            segment.verify()
