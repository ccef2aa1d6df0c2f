"""What W&B is sent besides the results of a run, kept in the run's folder: it can be moved and still be sent whole.

`wandb/staged/` holds the tables of the snapshot, pictures of the samples that are shown, and `staged.json` with the
digest of each file.
"""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.data import Snapshot, load_snapshot
from totalml.data.snapshot import snapshot_folder
from totalml.features.shown import pictures_of
from totalml.identity import file_digest
from totalml.runs.attempt import WANDB_FOLDER
from totalml.store import Store
from totalml.store.atomic import atomic_folder
from totalml.store.copy import duplicate

if TYPE_CHECKING:
    from totalml.tracking.payload import Payload

STAGED = Path(WANDB_FOLDER) / "staged"
STAGED_FILE = "staged.json"
TABLES = ("manifest.json", "samples.parquet", "metadata.parquet", "skipped.parquet")
SIZE_PX = 128


def stage(told: Payload, store: Path) -> None:
    """Bring it from the store, whole or not at all.

    Raises: StoreError: the snapshot is not in the store, or is damaged.
    """
    snapshot = _snapshot(told.facts["data_hash"], store)
    tables = snapshot_folder(snapshot.data_hash, Store(store))
    folder = told.folder / STAGED
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    with atomic_folder(folder) as temporary:
        for name in TABLES:
            duplicate(tables / name, temporary / name)
        shown = _save_pictures(told, snapshot, Store(store), temporary)
        digests = {file.name: file_digest(file) for file in sorted(temporary.iterdir())}
        text = json.dumps({"files": digests, "pictures": shown}, ensure_ascii=False, indent=2)
        (temporary / STAGED_FILE).write_text(text, encoding="utf-8")


def fault(folder: Path) -> str | None:
    """What is missing of the staged bytes of the attempt in `folder`, or damaged; None if they are whole."""
    try:
        digests = json.loads((folder / STAGED / STAGED_FILE).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{STAGED / STAGED_FILE} is missing"
    for name, digest in digests.items():
        file = folder / STAGED / name
        if not file.is_file():
            return f"{STAGED / name} is missing"
        if file_digest(file) != digest:
            return f"{STAGED / name} is damaged"
    return None


def pictures(folder: Path) -> dict[str, Path]:
    """Sample id -> its staged picture."""
    shown = json.loads((folder / STAGED / STAGED_FILE).read_text(encoding="utf-8"))["pictures"]
    return {id_: folder / STAGED / name for id_, name in shown.items()}


def _save_pictures(told: Payload, snapshot: Snapshot, store: Store, folder: Path) -> dict[str, str]:
    from PIL import Image

    found = pictures_of([one.id for one in told.shown()], snapshot, store, SIZE_PX)
    names = {id_: f"sample-{number}.jpg" for number, id_ in enumerate(found, 1)}
    for id_, pixels in found.items():
        Image.fromarray(pixels).save(folder / names[id_], quality=90)
    return names


@cache
def _snapshot(data_hash: str, root: Path) -> Snapshot:
    return load_snapshot(data_hash, Store(root))
