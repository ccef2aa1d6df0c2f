"""The canonical JSON of each row of a table, made a column at a time: the bytes that `canonical_row` makes of one.

A cell's text depends on no other cell, so only cells that Arrow spells in another way are written one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.identity import LARGEST_INT, canonical

NO_ROW = b"{}"
ESCAPED = r'["\\\x00-\x1f]'
LEAST, BELOW = 1e-4, 1e9  # between which Arrow writes a number that is not whole as JSON does


def canonical_rows(rows: pa.Table, names: Sequence[str]) -> list[bytes]:
    """(N,) of columns of numbers and texts.

    Args: names: of all cells of a row; those that are no columns are null.
    """
    if not names:
        return [NO_ROW] * len(rows)
    pieces: list[pa.Array | str] = []
    for name in sorted(names, key=lambda each: each.encode("utf-16-be")):
        pieces.append(f"{',' if pieces else '{'}{canonical(name).decode()}:")
        pieces.append(_texts(rows[name].combine_chunks()) if name in rows.column_names else "null")
    whole = pc.binary_join_element_wise(*pieces, "}", "")
    # Without any column all pieces are words, and what they make is one word.
    texts: list[bytes] = whole.cast(pa.binary()).to_pylist() if isinstance(whole, pa.Array) else []
    return texts or [str(whole).encode()] * len(rows)


def _texts(cells: pa.Array) -> pa.Array:
    """What each cell is in JSON."""
    if pa.types.is_floating(cells.type):
        texts, usual = _of_numbers(cells.cast(pa.float64()))
    elif pa.types.is_string(cells.type):
        texts = pc.binary_join_element_wise('"', cells, '"', "")
        usual = pc.invert(pc.match_substring_regex(cells, ESCAPED))
    else:
        texts, usual = pa.nulls(len(cells), pa.string()), pa.repeat(pa.scalar(False), len(cells))
    others = np.flatnonzero(pc.and_(pc.invert(usual), cells.is_valid()).fill_null(False).to_numpy(zero_copy_only=False))
    if len(others):
        mask = np.zeros(len(cells), np.bool_)
        mask[others] = True
        spelt = [canonical(cell).decode() for cell in cells.take(pa.array(others)).to_pylist()]
        texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(spelt, pa.string()))
    return texts.fill_null("null")


def _of_numbers(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Args: cells: float64. Returns: texts, and which of them JSON writes so."""
    size = pc.abs(cells)
    whole = pc.and_(pc.equal(pc.floor(cells), cells), pc.less_equal(size, LARGEST_INT))
    texts = cells.cast(pa.string())
    if pc.any(whole).as_py():
        integers = pc.if_else(whole, cells, 0.0).cast(pa.int64())
        texts = pc.if_else(whole, integers.cast(pa.string()), texts)
    between = pc.and_(pc.greater_equal(size, LEAST), pc.less(size, BELOW))
    return texts, pc.or_(whole, between)
