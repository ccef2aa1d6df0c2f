"""Let go of labels, on request."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from totalml.labels.label import REQUEST_ID
from totalml.segments.rewriting import Rewriter
from totalml.segments.rows import rows_of
from totalml.segments.segment import LABELS, Segment
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.store import Store


def remove_labels(store: Store, model: str, requests: Collection[str]) -> int:
    """Those of these requests, wherever they lie by now.

    Returns: how many there were.
    Raises: StoreError: a segment is damaged, or the store cannot be written; given again, it goes on.
    """
    removed, rewriter, gone = 0, Rewriter(store, model, LABELS), {*requests}
    clean: set[Segment] = set()  # files never change
    while gone and (left := [each for each in rewriter.settled().counting if each not in clean]):
        for segment in left:
            try:
                labelled = rows_of(store, model, segment, [REQUEST_ID])[REQUEST_ID].to_pylist()
            except FileGoneError:  # others make another file of it at this moment, which the next look finds
                continue
            if found := gone & {*labelled}:
                removed += rewriter.leave_out(segment, found)
            else:
                clean.add(segment)
    return removed
