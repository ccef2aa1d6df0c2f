"""Columns of what was predicted, named as in a release's reference: one form for the service's log and for batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.data.image_properties import image_properties
from totalml.identity import canonical, digest
from totalml.release.reference import ANSWER, METADATA, PROPERTY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.release.scorer import Scored

INPUT = "input v1"


def log_columns(
    scored: Scored, part: slice, pixels: NDArray[np.uint8] | None, rows: pa.Table | None
) -> dict[str, pa.Array | pa.ChunkedArray]:
    """`answer:`, `property:` of the picture, `metadata:`, embedding, strangeness.

    Args:
        part: of the samples that were scored.
        pixels, rows: of this part, what the model saw; None: it sees none.
    """
    answers = scored.answers[part]
    columns = {f"{ANSWER}{name}": answers[name] for name in answers.column_names}
    if pixels is not None:
        columns |= {f"{PROPERTY}{name}": pa.array(values) for name, values in image_properties(pixels).items()}
    if rows is not None:
        columns |= {f"{METADATA}{name}": rows[name] for name in rows.column_names if name}
    if scored.embeddings is not None:
        wide = scored.embeddings.shape[1]
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(scored.embeddings[part].ravel()), wide)
    if scored.strangeness is not None:
        columns["strangeness"] = pa.array(scored.strangeness[part])
    return columns


def input_hash(picture: bytes, row: Mapping[str, Any]) -> str:
    """By which a person's picture or row is found again, to be deleted on request."""
    return digest(INPUT, picture + canonical(row))
