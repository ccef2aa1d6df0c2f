"""Pictures as deepchecks takes them: in batches from the feature set, so that nothing is decoded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot

BATCH = 64


@dataclass(frozen=True)
class Batches:
    """Args:
    gather: (B,) rows -> (B, S, S, 3) uint8.
    rows: (n,) in no order, as deepchecks wants them.
    labels: (n,) index of each one's class.
    probabilities: (n, K); None where nothing was predicted.
    """

    gather: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    rows: NDArray[np.int64]
    ids: Sequence[str]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.floating[Any]] | None = None

    def __len__(self) -> int:
        return -(-len(self.rows) // BATCH)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self.rows), BATCH):
            part = slice(start, start + BATCH)
            batch: dict[str, Any] = {
                "images": list(self.gather(self.rows[part])),
                "labels": self.labels[part].tolist(),
                "image_identifiers": list(self.ids[part]),
            }
            if self.probabilities is not None:
                batch["predictions"] = list(self.probabilities[part])
            yield batch


def vision_data(library: Any, batches: Batches, classes: Sequence[str]) -> Any:
    return library.VisionData(
        batches, task_type="classification", label_map=dict(enumerate(classes)), reshuffle_data=False
    )


def labelled(snapshot: Snapshot) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The labels, sorted, and the index of each sample's; -1 where it has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = snapshot.samples["label"]
    classes = sorted(pc.unique(column.drop_null()).to_pylist())
    index = pc.fill_null(pc.index_in(column, pa.array(classes, pa.string())), -1)
    return tuple(classes), index.to_numpy().astype("int64")


def drawn(rows: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    """At most so many of the rows, mixed; the same ones every time."""
    import numpy as np

    return np.random.default_rng(0).permutation(rows)[:samples]
