"""Rows with their pictures, some at a time, for features that look at them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError
from totalml.features.decoding import UndecodableBlob, decoded
from totalml.recipe import ImageFeatures
from totalml.workers import Crew

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.store import Store

BLOB, PICTURE = "blob", "picture"
ROWS = 256  # held at once with their pixels
MOST_MEGAPIXELS = 100.0


def with_pictures(rows: pa.Table, size_px: int, store: Store, crew: Crew) -> Iterator[pa.Table]:
    """The rows in order with a column `picture`: lists of size * size * 3 uint8 (RGB), null where there is no picture.

    Args: rows: with `blob`, the digests of their pictures in the store.
    Raises: FeatureError: a picture cannot be decoded, or there is none at all. Others: as of `Crew.map`.
    """
    import pyarrow as pa

    there = rows[BLOB].drop_null().to_pylist()
    if not there:
        raise FeatureError("it looks at pictures, and no row has one; name a source that has")
    image = ImageFeatures(size=size_px)
    pictures = decoded(there, image, MOST_MEGAPIXELS, store, crew, lambda some: f"{len(some)} pictures")
    length = size_px * size_px * 3
    try:
        for start in range(0, max(1, len(rows)), ROWS):
            some = rows.slice(start, ROWS)
            valid = some[BLOB].is_valid().to_numpy()
            flat = np.zeros((len(some), length), np.uint8)
            for place, picture in zip(np.flatnonzero(valid), islice(pictures, int(valid.sum())), strict=True):
                flat[place] = picture.ravel()
            column = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), length, mask=pa.array(~valid))
            yield some.append_column(PICTURE, column)
    except UndecodableBlob as error:
        raise FeatureError(f"picture {error.blob} cannot be decoded: {error.reason}") from error


def pixels_of(rows: pa.Table, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(M, size, size, 3) of the rows that have a picture, and (M,) which these are."""
    column = rows[PICTURE].combine_chunks()
    pixels = column.drop_null().flatten().to_numpy().reshape(-1, size_px, size_px, 3)
    return pixels, np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
