"""Features of samples that are in no snapshot: what a trained model is given when a person asks it.

Decoded and coded by the same functions as those of a snapshot, with the classes and vocabularies that the model knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.data import Snapshot
from totalml.data.image import UnreadableImage, as_decoded
from totalml.errors import DataError
from totalml.features.build import sample_keys
from totalml.features.decoding import row_of
from totalml.features.feature_set import FeatureSet
from totalml.features.image_rows import ImageRows
from totalml.features.own import with_own
from totalml.features.pixels import to_pixels
from totalml.features.table import TableColumns, read_columns
from totalml.features.targets import Targets
from totalml.identity import canonical, digest
from totalml.recipe import FeaturesRecipe, ImageFeatures, TableFeatures
from totalml.workers.crew import THREADS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image

    Given = Path | bytes | Image

SHOWN = 50  # bad pictures in an error message


class HeldPictures(ImageRows):
    """Attributes:
    pixels: (N, H, W, 3) uint8, in memory.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        height, width, channels = pixels.shape[1:]
        self.shape, self.pixels = (height, width, channels), pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.pixels[rows]


def decode_given(
    ids: Sequence[str], pictures: Sequence[Given], image: ImageFeatures, max_megapixels: float
) -> HeldPictures:
    """Args: pictures: files, their bytes, or what Pillow holds.

    Raises: DataError: names every picture that cannot be used, and why.
    """
    row = partial(_row_or_reason, image=image, max_megapixels=max_megapixels)
    if len(pictures) == 1:  # threads would take longer to start than the picture to decode
        rows = [row(pictures[0])]
    else:
        with ThreadPoolExecutor(THREADS) as pool:
            rows = list(pool.map(row, pictures))
    bad = [f"  {name!r}: {reason}" for name, reason in zip(ids, rows, strict=True) if isinstance(reason, str)]
    if bad:
        more = [f"  ... and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        count = f"{len(bad)} picture{'s' if len(bad) > 1 else ''} of {len(ids)}"
        raise DataError("\n".join([f"{count} cannot be used; mend or leave out:", *bad[:SHOWN], *more]))
    return HeldPictures(np.stack([pixels for pixels in rows if not isinstance(pixels, str)]))


def given_features(
    ids: Sequence[str],
    names: tuple[str, ...],
    pictures: HeldPictures | None,
    features: FeaturesRecipe,
    rows: pa.Table | None,
    vocabularies: tuple[tuple[str, ...], ...],
) -> FeatureSet:
    """Args:
        names, vocabularies: those of the model. The truth is not known; zeros stand for it.
        features: without shared ones, which are made of earlier rows too.
        rows: with the columns of `features.table`.
    Raises: FeatureError: a column is missing or does not fit; all of them at once.
    """
    table = features.table
    columns = _columns(len(ids), table, rows, vocabularies)
    if features.own:
        samples, nothing = pa.table({"id": pa.array(ids, pa.string())}), pa.table({})
        columns = with_own(
            columns, features.own, Snapshot("", samples, nothing if rows is None else rows, nothing), pictures
        )
    return FeatureSet(
        key=digest("given features v1", canonical(list(ids))),
        ids=list(ids),
        sample_keys=sample_keys(list(ids)),
        targets=Targets(names, np.zeros(len(ids), np.int64)),
        images=pictures,
        numeric=columns.numeric,
        numeric_names=(*(table.numeric if table else ()), *columns.made),
        categorical=columns.categorical,
        categorical_names=table.categorical if table else (),
        vocabularies=columns.vocabularies,
        decoded=len(pictures) if pictures else 0,
        reused=0,
    )


def _row_or_reason(picture: Given, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8] | str:
    from PIL.Image import Image

    try:
        if isinstance(picture, Image):
            return to_pixels(as_decoded(picture, max_megapixels), image)
        return row_of(picture if isinstance(picture, bytes) else picture.read_bytes(), image, max_megapixels)
    except UnreadableImage as error:
        return str(error)
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"


def _columns(
    count: int, table: TableFeatures | None, rows: pa.Table | None, vocabularies: tuple[tuple[str, ...], ...]
) -> TableColumns:
    if table is None or rows is None:
        return TableColumns(np.zeros((count, 0), np.float32), np.zeros((count, 0), np.int64), ())
    return read_columns(table, rows, vocabularies)
