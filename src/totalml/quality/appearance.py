"""What a sample can be judged by before anything is trained: its picture in small, and the numbers of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.quality.pictures import Pictures


def appearance(snapshot: Snapshot, pictures: Pictures | None) -> NDArray[np.float32]:
    """(N, D) the picture in grey at 16 x 16 px, and the numbers; each column with mean 0 and deviation 1."""
    from totalml.quality.guesses import scale
    from totalml.quality.look_alikes import standard

    numbers = _numbers(snapshot)
    known = np.concatenate([standard(pictures.measures.sketches), numbers], axis=1) if pictures else numbers
    scale(known)
    return known


def _numbers(snapshot: Snapshot) -> NDArray[np.float32]:
    """(N, D) the numeric columns of the metadata, each with mean 0 and deviation 1; 0 where missing."""
    import pyarrow as pa

    metadata = snapshot.metadata
    names = [n for n in metadata.column_names if pa.types.is_integer(metadata[n].type)]
    names += [n for n in metadata.column_names if pa.types.is_floating(metadata[n].type)]
    numbers = np.zeros((snapshot.samples.num_rows, len(names)))
    for place, name in enumerate(names):
        values = metadata[name].cast(pa.float64(), safe=False).to_numpy().astype(float)
        finite = np.isfinite(values)
        if finite.any():
            centred = np.where(finite, values - values[finite].mean(), 0)
            numbers[:, place] = centred / max(float(centred[finite].std()), 1e-9)
    return numbers.astype(np.float32)
