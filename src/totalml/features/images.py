"""Pictures of a snapshot -> image rows, decoding only what no earlier feature set has decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError
from totalml.features import pixels
from totalml.features.decoding import UndecodableBlob, decoded
from totalml.features.filling import fill
from totalml.features.image_rows import ImageRows
from totalml.features.segments import PIXELS
from totalml.identity import canonical, digest
from totalml.progress import Progress
from totalml.recipe import ImageFeatures
from totalml.workers import Crew

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.store import Store


@dataclass(frozen=True)
class BuiltImages:
    """Args:
    decoded: pictures decoded now.
    reused: pictures that an earlier feature set had decoded.
    """

    rows: ImageRows
    decoded: int
    reused: int


def definition_digest(image: ImageFeatures) -> str:
    """The digest of all that decides the pixels besides the picture itself."""
    # Pillow's version: its decoders and filters may change a pixel from one release to the next.
    definition = {
        "size": image.size,
        "fit": image.fit,
        "pixels": pixels.VERSION,
        "pillow": version("pillow"),
    }
    return digest("image features v1", canonical(definition))


def build_images(
    image: ImageFeatures,
    samples: pa.Table,
    max_megapixels: float,
    store: Store,
    progress: Progress,
    crew: Crew,
) -> BuiltImages:
    """Decode what is missing and map every sample to its row.

    Args:
        samples: with `id` and `blob`, the digest of the picture.
    Raises:
        FeatureError: a sample has no picture, or it cannot be decoded.
        WorkerError, MissingExtraError: as of `Crew.map`.
    """

    def name(blobs: Sequence[str]) -> str:
        return f"one of the pictures {_some(_ids(blobs, samples))}"

    def make(missing: list[str]) -> Iterator[NDArray[np.uint8]]:
        rows = decoded(missing, image, max_megapixels, store, crew, name)
        return progress.track(rows, "decode pictures", len(missing))

    try:
        filled = fill(PIXELS, definition_digest(image), _blobs(samples), make, store, progress)
    except UndecodableBlob as error:
        raise _undecodable(error, samples) from error
    return BuiltImages(ImageRows(filled.segments, filled.segment_of, filled.row_of), filled.made, filled.reused)


def _blobs(samples: pa.Table) -> pa.Array:
    blobs = samples["blob"].combine_chunks()
    if blobs.null_count:
        ids = samples.filter(blobs.is_null())["id"].to_pylist()
        raise FeatureError(
            f"features.image is set but {len(ids)} "
            f"{'samples have' if len(ids) > 1 else 'sample has'} no picture: {_some(ids)}. "
            "Set 'features.image: null' or give each sample a file."
        )
    return blobs


def _undecodable(error: UndecodableBlob, samples: pa.Table) -> FeatureError:
    return FeatureError(
        f"the picture of {_some(_ids([error.blob], samples))} cannot be decoded: {error.reason}. "
        "Mend the file, or set 'data.on_bad_sample: skip' to leave it out."
    )


def _ids(blobs: Sequence[str], samples: pa.Table) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return samples.filter(pc.is_in(samples["blob"], pa.array(blobs)))["id"].to_pylist()


def _some(ids: list[str]) -> str:
    return ", ".join(map(repr, ids[:10])) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
