"""Which pictures show the same photo, though their bytes differ.

Pictures whose 128-bit hashes agree in one of 8 bands are compared, so the work grows with the number of pictures and
not with its square: 7 different bits leave at least one band whole, and 12 leave one whole in 9 of 10 cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.quality.measures import Measures

BAND_BYTES = 2
# Where more pictures share a band, each is compared with this many that follow it in the order of the whole hash.
NEIGHBOURS = 48
MOST_BITS = 12
# Compressed again, resized or brightened copies were measured at 0.997 or more, different pints at 0.88 or less.
LEAST_CORRELATION = 0.985
# A flat picture's hash and correlation are those of its noise.
LEAST_CONTRAST = 4.0
PAIRS_AT_ONCE = 1 << 14
_BITS = np.array([number.bit_count() for number in range(256)], np.uint8)


def look_alikes(measures: Measures) -> NDArray[np.int64]:
    """(N,) for each picture the first of those that show the same photo; itself where it is the only one."""
    photo = np.arange(len(measures.hashes))
    for left, right in _candidates(measures):
        apart = photo[left] != photo[right]
        left, right = _alike(measures, left[apart], right[apart])
        if len(left):
            photo = _merged(photo, left, right)
    return photo


def _candidates(measures: Measures) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    rows = np.flatnonzero(measures.contrast >= LEAST_CONTRAST)
    hashes = measures.hashes[rows]
    for start in range(0, hashes.shape[1], BAND_BYTES):
        words = np.ascontiguousarray(np.roll(hashes, -start, axis=1)).view(">u8").astype(np.uint64)
        order = np.lexsort((words[:, 1], words[:, 0]))
        yield from _neighbours(words[order, 0] >> np.uint64(64 - 8 * BAND_BYTES), rows[order])


def _neighbours(
    band: NDArray[np.uint64], rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for lag in range(1, min(NEIGHBOURS, len(rows) - 1) + 1):
        places = np.flatnonzero(band[lag:] == band[:-lag])
        if not len(places):
            return
        yield rows[places], rows[places + lag]


def _alike(
    measures: Measures, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those pairs that are close in their hashes and in their sketches."""
    bits = _BITS[measures.hashes[left] ^ measures.hashes[right]].sum(axis=1)
    left, right = left[bits <= MOST_BITS], right[bits <= MOST_BITS]
    steps = range(0, len(left), PAIRS_AT_ONCE)
    alike = [_correlation(measures, left[k : k + PAIRS_AT_ONCE], right[k : k + PAIRS_AT_ONCE]) for k in steps]
    keep = np.concatenate([np.zeros(0), *alike]) >= LEAST_CORRELATION
    return left[keep], right[keep]


def _correlation(measures: Measures, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float32]:
    one, other = (standard(measures.sketches[rows]) for rows in (left, right))
    correlation: NDArray[np.float32] = np.einsum("ps,ps->p", one, other)
    return correlation


def standard(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean 0 and length 1, so that brightness and contrast do not count."""
    values = sketches.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1.0)
    return values


def _merged(photo: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) the smallest row that pairs lead to: each round hands it on, and along what the rows point at."""
    while True:
        smaller = np.minimum(photo[left], photo[right])
        settled = photo.copy()
        for side in (photo[left], photo[right]):
            np.minimum.at(settled, side, smaller)
        settled = settled[settled]
        if np.array_equal(settled, photo):
            return photo
        photo = settled
