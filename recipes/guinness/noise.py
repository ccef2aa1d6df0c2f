"""Random numbers from a counter: the bits depend on the seed, the pint's index and the stream's name alone.

So pint 7 is the same pint in a batch of 1 or of 64, and a new stream shifts no other.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.float64]
# float32 throughout; Any, as the stubs take float32 * float for float64.
Plane = NDArray[Any]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
# The shape of a scene is the same for every seed's raters and uploaders, so they hang on this one.
POPULATION_SEED = 1759


def keys(seed: int, index: NDArray[np.int64]) -> Keys:
    """(N,) one key per pint, mixed from the seed and its index."""
    return _mix(index.astype(np.uint64) * _GOLDEN + _stream_key(f"seed {seed}"))


def bits(key: Keys, stream: str, count: int) -> Keys:
    """(N, count) 64-bit words of the named stream. Source: splitmix64, Steele et al. 2014."""
    start = _mix(key ^ _stream_key(stream))
    return _mix(start[:, None] + np.arange(1, count + 1, dtype=np.uint64)[None, :] * _GOLDEN)


def uniforms(key: Keys, stream: str, count: int) -> Numbers:
    """(N, count) in [0, 1), exact multiples of 2**-53."""
    return (bits(key, stream, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniform(key: Keys, stream: str, low: float = 0.0, high: float = 1.0) -> Numbers:
    """(N,) in [low, high)."""
    return uniforms(key, stream, 1)[:, 0] * (high - low) + low


def bell(key: Keys, stream: str) -> Numbers:
    """(N,) near-normal, mean 0, deviation 1, within +-3.47: four uniforms added in a fixed order."""
    part = uniforms(key, stream, 4)
    return (((part[:, 0] + part[:, 1]) + part[:, 2]) + part[:, 3] - 2.0) * 1.7320508075688772


def chance(key: Keys, stream: str, share: Numbers | float) -> NDArray[np.bool_]:
    """(N,) true with the given share."""
    return uniforms(key, stream, 1)[:, 0] < share


def pick(key: Keys, stream: str, weights: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) a row number, drawn in proportion to its whole-number weight."""
    edges = np.cumsum(np.asarray(weights, dtype=np.int64))
    draw = (bits(key, stream, 1)[:, 0] >> np.uint64(12)) % np.uint64(edges[-1])
    return np.searchsorted(edges, draw.astype(np.int64), side="right").astype(np.int64)


def lattice(key: Keys, stream: str, rows: int, columns: int) -> Plane:
    """(N, rows, columns) float32 in [0, 1), for `smooth_noise`."""
    return uniforms(key, stream, rows * columns).astype(np.float32).reshape(-1, rows, columns)


def smooth_noise(table: Plane, row: Plane, column: Plane) -> Plane:
    """The lattice read between its knots, wrapping at its edges; row and column are (n, H, W) in knots."""
    rows, columns = table.shape[1], table.shape[2]
    row_floor, column_floor = np.floor(row), np.floor(column)
    row_part, column_part = row - row_floor, column - column_floor
    row_low = row_floor.astype(np.int32) % np.int32(rows)
    column_low = column_floor.astype(np.int32) % np.int32(columns)
    row_high, column_high = (row_low + np.int32(1)) % np.int32(rows), (column_low + np.int32(1)) % np.int32(columns)
    top_left, top_right = look_up(table, row_low, column_low), look_up(table, row_low, column_high)
    low_left, low_right = look_up(table, row_high, column_low), look_up(table, row_high, column_high)
    top = top_left + (top_right - top_left) * column_part
    low = low_left + (low_right - low_left) * column_part
    read: Plane = top + (low - top) * row_part
    return read


def look_up(table: Plane, row: NDArray[np.int32], column: NDArray[np.int32]) -> Plane:
    """table[i, row[i], column[i]] for each pint i; rows and columns must lie within the table."""
    count, rows, columns = table.shape
    first = (np.arange(count, dtype=np.int32) * np.int32(rows * columns))[:, None, None]
    return np.take(table.reshape(-1), first + row * np.int32(columns) + column)


def grain(key: Keys, stream: str, size_px: int) -> Plane:
    """(n, 3, S, S) sensor noise, mean 0, deviation 1: each value adds one shared and one own byte."""
    words = bits(key, stream, (size_px * size_px + 1) // 2).astype("<u8")
    parts = words.view(np.uint8).reshape(len(key), -1, 4)[:, : size_px * size_px]
    values = parts.astype(np.float32) - 127.5
    shared = values[:, :, 3]
    # A byte has deviation 73.9; 0.8 and 0.6 keep the sum's deviation at one byte's.
    mixed = [(shared * 0.8 + values[:, :, channel] * 0.6) / 73.9 for channel in range(3)]
    return np.stack(mixed, axis=1).reshape(len(key), 3, size_px, size_px)


def _stream_key(stream: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little"))


def _mix(word: Keys) -> Keys:
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))
