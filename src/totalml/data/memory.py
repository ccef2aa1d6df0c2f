"""What a source gave when it was last looked at, by its fingerprint: the way to a data hash without any data.

Importing this is light; the report of a finished run needs nothing else of the data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.data.snapshot import has_snapshot
from totalml.fingerprint import code_of, files_of
from totalml.identity import canonical, digest, short

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.progress import Progress
    from totalml.recipe import DataRecipe
    from totalml.store import Store


def memory_path(data: DataRecipe, store: Store) -> Path | None:
    """Where a source that knows its own state keeps the name of its snapshot."""
    fingerprint = data.source.fingerprint()
    if fingerprint is None:
        return None
    rules = [plain(rule, where=True) for rule in (data.source, data.labels, data.on_bad_sample, data.max_megapixels)]
    rules += [data.where] if data.where else []
    # A source of a recipe's own may not think of its code, nor of the files that it names.
    made_with = [code_of(data.source, ()), files_of(data.source)]
    name = f"{short(digest('fingerprint v2', canonical([fingerprint, *rules, *made_with])), 32)}.json"
    store.fetch("fingerprints", name)
    return store.root / "fingerprints" / name


def remembered_hash(data: DataRecipe, store: Store) -> str | None:
    """The data hash that the source gave when it was last as it is now; None if only a look can tell.

    Nothing is read but the source's state: no pyarrow, no lock.
    """
    if (standing := data.source.standing()) is not None:
        # Another choice of labels may refuse it.
        return standing if data.where is None and data.labels is None and has_snapshot(standing, store) else None
    return hash_in(memory_path(data, store), store)


def hash_in(memory: Path | None, store: Store) -> str | None:
    """The data hash that stands at a memory's path, if its snapshot is still in the store."""
    try:
        name = str(json.loads(memory.read_bytes())["data_hash"]) if memory is not None else ""
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
    ):  # only a memory: looking at the source again mends it
        return None
    return name if name and has_snapshot(name, store) else None


def say_pin(data: DataRecipe, data_hash: str, progress: Progress) -> None:
    """Tell how to pin, where nothing is pinned."""
    if data.snapshot is None and data.source.standing() is None:
        progress.say(f"to pin this data, write under 'data:' in the recipe:\n  snapshot: {data_hash}")
