"""Let go of what a person gave, on request: its rows, its pictures, the labels of its requests, and
what people were asked about it.

What is found by the rows goes before them, so that a deletion that was killed finds it when it is given again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.labels.label import REQUEST_ID
from totalml.labels.removal import remove_labels
from totalml.prediction_log.asked import queue_lock, remove_items, requests_asked
from totalml.prediction_log.sampled_pictures import remove_pictures
from totalml.release.log_rows import LOG, METADATA, input_hash
from totalml.segments.rewriting import KEYS, Rewriter
from totalml.segments.rows import columns_of, rows_of
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.segments.segment import Segment
    from totalml.store import Store


INPUT = KEYS[LOG]


@dataclass(frozen=True)
class Sought:
    """Args:
    hashed: of the input; empty: it is made of the others.
    picture: as it was sent; empty: none.
    row: its metadata; columns that were left out need not be there.
    """

    hashed: str = ""
    picture: bytes = b""
    row: Mapping[str, Any] = field(default_factory=dict)

    def hashes(self, columns: tuple[str, ...] = ()) -> set[str]:
        """Args: columns: of metadata that the model takes; those that a request lacked count as null."""
        if self.hashed:
            return {self.hashed}
        filled = {**dict.fromkeys(columns), **self.row}
        return {input_hash(self.picture, self.row), input_hash(self.picture, filled)}


@dataclass(frozen=True)
class Deleted:
    """How many."""

    rows: int
    pictures: int
    labels: int
    items: int = 0  # of reviews


def delete(store: Store, model: str, sought: Sought) -> Deleted:
    """Raises: StoreError: a file is damaged, or the store cannot be written; given again, it goes on."""
    deletion = _Deletion(store, model, sought)
    with queue_lock(store, model):
        requests = deletion.requests() | requests_asked(store, model, deletion.hashes)
        pictures = remove_pictures(store, model, deletion.hashes)
        labels = remove_labels(store, model, requests)
        items = remove_items(store, model, deletion.hashes)
        return Deleted(deletion.remove_rows(), pictures, labels, items)


class _Deletion:
    def __init__(self, store: Store, model: str, sought: Sought) -> None:
        self.hashes = sought.hashes()
        self._store, self._model, self._sought = store, model, sought
        self._rewriter = Rewriter(store, model)
        self._clean: set[Segment] = set()  # files never change

    def requests(self) -> set[str]:
        return {request for _, some in self._holding() for request in some}

    def remove_rows(self) -> int:
        removed = 0
        while found := [segment for segment, _ in self._holding()]:
            removed += sum(self._rewriter.leave_out(segment, self.hashes) for segment in found)
        return removed

    def _holding(self) -> Iterator[tuple[Segment, list[str]]]:
        """Each file with such a row, and the requests that it came by."""
        for segment in self._rewriter.settled().counting:
            if segment in self._clean:
                continue
            try:
                table = self._rows(segment)
            except FileGoneError:  # others make another file of it at this moment, which the next look finds
                continue
            if len(table):
                yield segment, [each for each in table[REQUEST_ID].to_pylist() if each is not None]
            else:
                self._clean.add(segment)

    def _rows(self, segment: Segment) -> pa.Table:
        if not self._sought.hashed:
            columns = columns_of(self._store, self._model, segment)
            metadata = (name.removeprefix(METADATA) for name in columns if name.startswith(METADATA))
            self.hashes |= self._sought.hashes(tuple(metadata))
        table = rows_of(self._store, self._model, segment, [INPUT, REQUEST_ID])
        if INPUT not in table.column_names:
            return table.slice(0, 0)
        return table.filter(pa.array([each in self.hashes for each in table[INPUT].to_pylist()], pa.bool_()))
