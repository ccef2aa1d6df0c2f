"""How much a label of each sample is wanted, by queue: what the model is unsure of, what is strange to it, and so on.

A weight is a number from 0; NaN says that a sample is none of that queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.evaluation.columns import LIGHT, LIGHTS, in_bin
from totalml.monitoring.answers import answers_of, widths_of
from totalml.monitoring.observations import as_numbers
from totalml.release.log_rows import METADATA, PROPERTY
from totalml.review.item import DISAGREEMENT, OUT_OF_DISTRIBUTION, SLICES, UNCERTAIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.review.queues.pool import Pool

    Numbers = NDArray[np.float64]

STRANGENESS, BRIGHTNESS = "strangeness", f"{PROPERTY}brightness"
Where = Mapping[str, str]  # column of metadata -> value, or bin of numbers


def weights_of(pool: Pool, slices: Mapping[str, Where]) -> dict[str, Numbers]:
    """Queue -> (N,); the queues of which anything is known, the rarest reason first.

    Args: slices: name -> what a sample of it has.
    """
    found = {
        DISAGREEMENT: pool.differs,
        SLICES: in_slices(pool.table, slices),
        OUT_OF_DISTRIBUTION: strange(pool.table),
        UNCERTAIN: unsure(pool.table),
    }
    return {queue: each for queue, each in found.items() if each is not None and np.isfinite(each).any()}


def unsure(table: pa.Table) -> Numbers | None:
    """(N,) one minus the confidence, of several labels that of the least sure one; of numbers the width of the interval
    in mean widths, the mean over targets.
    """
    if answers := answers_of(table):
        return 1 - np.min([each.confidence for each in answers], axis=0)
    widths = [each / mean for each in widths_of(table).values() if (mean := _mean(each)) > 0]
    return np.mean(widths, axis=0) if widths else None


def strange(table: pa.Table) -> Numbers | None:
    """(N,) how much stranger than the middle of the pool."""
    if STRANGENESS not in table.column_names:
        return None
    values = as_numbers(table[STRANGENESS])
    values = np.where(np.isfinite(values), values, np.nan)
    return np.maximum(values - np.nanmedian(values), 0) if np.isfinite(values).any() else None


def in_slices(table: pa.Table, slices: Mapping[str, Where]) -> Numbers | None:
    """(N,) of how many of them each is; NaN: of none."""
    counts = sum((is_in(table, where).astype(float) for where in slices.values()), np.zeros(len(table)))
    return np.where(counts > 0, counts, np.nan) if slices else None


def is_in(table: pa.Table, where: Where) -> NDArray[np.bool_]:
    """(N,) which samples are of a slice; none where a column is not known."""
    found = np.ones(len(table), np.bool_)
    for name, value in where.items():
        if METADATA + name not in table.column_names:
            return np.zeros(len(table), np.bool_)
        found &= _has(table[METADATA + name], value)
    return found


def with_light(table: pa.Table, known: Numbers) -> pa.Table:
    """With the column by which the report calls pictures dim, medium or bright: each a third of the test split.

    The report measures the light a little otherwise than the log does, so a picture near the border may change sides.

    Args: known: `property:brightness` of the test split.
    """
    known = known[np.isfinite(known)]
    if BRIGHTNESS not in table.column_names or METADATA + LIGHT in table.column_names or not len(known):
        return table
    values = as_numbers(table[BRIGHTNESS])
    third = np.searchsorted(np.quantile(known, (1 / 3, 2 / 3)), values, side="right")
    words = pa.array(LIGHTS).take(pa.array(third, mask=~np.isfinite(values)))
    return table.append_column(METADATA + LIGHT, words)


def differing(ours: pa.Table, theirs: pa.Table, names: Sequence[str]) -> Numbers:
    """(N,) of rows beside each other: 1 where another class or set of labels is said; of numbers the distance in mean
    distances, the mean over targets; NaN where both say the same.

    Args: names: of the columns that hold what is said.
    """
    parts = []
    for name in names:
        one, other = ours[name], theirs[name]
        if pa.types.is_floating(one.type):
            gap = np.abs(as_numbers(one) - as_numbers(other))
            parts.append(gap / _mean(gap) if _mean(gap) > 0 else gap)
        else:
            words: Callable[[pa.ChunkedArray], pa.ChunkedArray] = _joined if pa.types.is_list(one.type) else _same
            parts.append(as_numbers(pc.not_equal(words(one), words(other)).cast(pa.int8())))
    found = np.mean(parts, axis=0)
    return np.where(found > 0, found, np.nan)


def notes_of(pool: Pool, queues: Sequence[str], slices: Mapping[str, Where]) -> list[str]:
    """Why each is asked, for those who may know."""
    doubts, table = unsure(pool.table), pool.table
    inside = {name: is_in(table, where) for name, where in slices.items()}
    strange = table[STRANGENESS].to_pylist() if STRANGENESS in table.column_names else []
    found = []
    for row, queue in enumerate(queues):
        if queue == UNCERTAIN and doubts is not None:
            found.append(f"uncertainty {doubts[row]:.2f}")
        elif queue == OUT_OF_DISTRIBUTION:
            found.append(f"strangeness {strange[row]:.3g}")
        elif queue == SLICES:
            found.append(", ".join(name for name, rows in inside.items() if rows[row]))
        else:
            found.append({DISAGREEMENT: "another release says something else"}.get(queue, ""))
    return found


def _has(column: pa.ChunkedArray, value: str) -> NDArray[np.bool_]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return in_bin(as_numbers(column), value)
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "yes", "no")
    return np.asarray(pc.fill_null(pc.equal(pc.cast(column, pa.string()), value), False))


def _mean(values: Numbers) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _same(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _joined(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join(column.cast(pa.list_(pa.string())), "\0")
