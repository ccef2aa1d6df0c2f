"""One chunk to one part of the output, the same bytes in whatever thread or process it is made.

A sample that cannot be used is scored as nothing, black or empty, and what comes of it is left out: so a part is
computed in one batch with all of its samples, and each of them has its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.data.image import UnreadableImage
from totalml.data.image_properties import image_properties
from totalml.errors import DataError
from totalml.features.decoding import row_of
from totalml.prediction.chunk import Part
from totalml.prediction.inputs import CHANGED
from totalml.prediction.parts import Parts, part_bytes
from totalml.prediction_log.sampled_pictures import is_sampled
from totalml.release.attribution import of_rows
from totalml.release.bundle import read_bundle
from totalml.release.canonical_rows import NO_ROW, canonical_rows
from totalml.release.log_rows import METADATA, input_hashes, log_columns
from totalml.release.onnx_model import EMBEDDING, IMAGE
from totalml.release.scorer import Scorer
from totalml.spare_pandas import spare_pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.prediction.chunk import Chunk, Listed
    from totalml.prediction.folders import Folder


@lru_cache(maxsize=1)
def scorer_in(release: Path) -> Scorer:
    """Loaded once in a process. Raises: as `Scorer.load`."""
    spare_pandas()
    return Scorer.load(read_bundle(release))


class Score:
    """Can be sent to another process, which sees the same folders.

    Args:
        release: folder of the release.
        name: hash of the release.
        folder: where pictures are read.
        what: is predicted, as a person calls it.
        maps: share of the samples of which it is told what the model looked at, by the hashes of their inputs.
        parts: where parts are saved, so that they need not be sent; None: they are sent.
    """

    def __init__(
        self, release: Path, name: str, folder: Folder, what: str, maps: float = 0.0, parts: Parts | None = None
    ) -> None:
        self._release, self._name, self._folder, self._what = release, name, folder, what
        self._maps, self._parts = maps, parts

    def __call__(self, listed: Listed) -> Part:
        """A row for each of the chunk's samples.

        Raises:
            DataError: it is no longer what was listed.
            ModelError: the model cannot run.
            StoreError: nothing can be read now, or the part cannot be written.
        """
        if listed.chunk.state() != listed.state:
            raise DataError(CHANGED.format(what=self._what))
        part = Part(listed.number, part_bytes(self._table(listed.chunk)))
        if self._parts is None:
            return part
        self._parts.save(part)
        return part._replace(data=None)

    def _table(self, chunk: Chunk) -> pa.Table:
        scorer, errors = scorer_in(self._release), list(chunk.errors)
        pixels, hashes = self._seen(scorer, chunk, errors)
        inputs: dict[str, Any] = {} if pixels is None else {IMAGE: pixels}
        inputs |= scorer.columns(chunk.rows) if chunk.rows is not None else {}
        scored = scorer.score(inputs)
        columns: dict[str, Any] = {
            "id": pa.array(chunk.ids, pa.string()),
            "time": pa.nulls(len(chunk.ids), pa.timestamp("us", "UTC")),
            "release": pa.array([self._name] * len(chunk.ids), pa.string()),
            "input": pa.array(hashes, pa.string()),
            "error": pa.array(errors, pa.string()),
        }
        properties = {} if pixels is None else image_properties(pixels)
        looked_at = self._looked_at(scorer, inputs, hashes)
        said = log_columns(scored.answers, properties, chunk.rows, scored.embeddings, scored.strangeness, looked_at)
        columns |= _left_out(said, errors)
        return pa.table(columns)

    def _looked_at(
        self, scorer: Scorer, inputs: dict[str, Any], hashes: Sequence[str | None]
    ) -> dict[str, NDArray[np.float32]]:
        """(N,) each; NaN of samples that were not asked."""
        if not self._maps or not scorer.attributions:
            return {}
        asked = np.array([each is not None and is_sampled(each, self._maps) for each in hashes], np.bool_)
        told = scorer.attribution({key: each[asked] for key, each in inputs.items()}) if asked.any() else {}
        return of_rows(scorer.attributions, asked, told)

    def _seen(
        self, scorer: Scorer, chunk: Chunk, errors: list[str | None]
    ) -> tuple[NDArray[np.uint8] | None, list[str | None]]:
        """Pixels, and by what each input is found again; None where it could not be read."""
        rows = [NO_ROW] * len(chunk.ids)
        if chunk.rows is not None and scorer.signature.columns:
            rows = canonical_rows(chunk.rows.drop_columns(list(chunk.made)), scorer.signature.hashed)
        if scorer.image is None or chunk.pictures is None:
            return None, [*input_hashes(rows)]
        pixels = np.zeros((len(rows), scorer.image.size, scorer.image.size, 3), np.uint8)
        hashes: list[str | None] = [None] * len(rows)
        for place, picture in enumerate(chunk.pictures):
            if picture.error:
                continue
            try:
                data = self._folder.read(picture.path)
                (hashes[place],) = input_hashes([data + rows[place]])
                pixels[place] = row_of(data, scorer.image, scorer.signature.max_megapixels)
            except UnreadableImage as error:
                errors[place] = "; ".join(filter(None, (errors[place], str(error))))
        return pixels, hashes


def _left_out(columns: dict[str, Any], errors: Sequence[str | None]) -> dict[str, Any]:
    """What came of samples that could not be used is null."""
    usable = pa.array([None if error else place for place, error in enumerate(errors)], pa.int64())
    if EMBEDDING in columns:
        # NaN, since pyarrow cannot read null lists of a fixed size back.
        vectors = columns[EMBEDDING]
        values = vectors.flatten().to_numpy().reshape(len(vectors), -1)
        known = np.where(usable.is_valid().to_numpy(zero_copy_only=False)[:, None], values, np.float32("nan"))
        columns[EMBEDDING] = pa.FixedSizeListArray.from_arrays(pa.array(known.ravel()), known.shape[1])
    kept = (EMBEDDING, METADATA)
    return {name: values if name.startswith(kept) else values.take(usable) for name, values in columns.items()}
