"""The pictures of a feature set, as checks ask for them: chunk by chunk, and measured once for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.quality.measures import Measures

CHUNK_BYTES = 1 << 20  # with the planes made of them, pixels that stay in a processor's cache
WORKERS = 2


class PixelRows(Protocol):
    """Such as the `images` of a feature set."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def gather(self, rows: NDArray[np.int64]) -> NDArray[Any]: ...


class Pictures:
    """N pictures in the order of the snapshot; nothing is read until a check asks.

    Args:
        rows: (S, S, 3) uint8 each, as the model sees them.
        sizes: asks for (N, 2) int64, width and height in px of the originals; 0 where nobody knows.
    """

    def __init__(self, rows: PixelRows, sizes: Callable[[], NDArray[np.int64]]) -> None:
        self._rows, self._sizes = rows, sizes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def side_px(self) -> int:
        return self._rows.shape[0]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(B,) rows -> (B, S, S, 3)."""
        return self._rows.gather(rows)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        return self._sizes()

    @cached_property
    def measures(self) -> Measures:
        """Of every picture; memory grows by 300 bytes a picture, whatever its size."""
        from concurrent.futures import ThreadPoolExecutor

        from totalml.quality.measures import Measures, measure

        with ThreadPoolExecutor(WORKERS) as pool:
            return Measures.joined(list(pool.map(lambda rows: measure(self._rows.gather(rows)), self._chunks())))

    def chunks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        """Row numbers and their pixels, (B, S, S, 3), for a check that measures something of its own."""
        for rows in self._chunks():
            yield rows, self._rows.gather(rows)

    def _chunks(self) -> Iterator[NDArray[np.int64]]:
        import numpy as np

        count = max(1, CHUNK_BYTES // (self.side_px * self.side_px * 3))
        # An empty one if there are no pictures, so that what is measured has its shape all the same.
        for start in range(0, max(1, len(self)), count):
            yield np.arange(start, min(start + count, len(self)))
