"""The pictures of a few samples for people to look at, decoded from their snapshot; a run need not have kept them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.data.image import UnreadableImage, decode
from totalml.errors import StoreError
from totalml.features.pixels import OVERSAMPLE, to_pixels
from totalml.recipe import ImageFeatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.store import Store

MOST_MEGAPIXELS = 100.0


def pictures_of(ids: Sequence[str], snapshot: Snapshot, store: Store, size_px: int) -> dict[str, NDArray[np.uint8]]:
    """Sample id -> (size, size, 3), the whole picture on grey; samples that are no picture or are gone are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pc.is_in(snapshot.samples["id"], value_set=pa.array(ids, pa.string()))
    pictured = pc.and_(wanted, pc.is_valid(snapshot.samples["blob"]))
    found = snapshot.samples.select(["id", "blob"]).filter(pictured).to_pylist()
    square = ImageFeatures(size=size_px, fit="pad")
    pictures = {}
    for sample in found:
        try:
            picture = decode(store.read(sample["blob"]), MOST_MEGAPIXELS, OVERSAMPLE * size_px)
        except (UnreadableImage, StoreError):
            continue
        pictures[sample["id"]] = to_pixels(picture, square)
    return {id_: pictures[id_] for id_ in ids if id_ in pictures}
