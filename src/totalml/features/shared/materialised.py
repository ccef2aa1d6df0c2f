"""What a shared feature makes of its own source, computed once and kept in the store for every run and everybody.

`shared/<key>/` holds `values.parquet` and, with its digest, `manifest.json`. The key is a digest of all that the values
depend on: the definition, the code behind it, and the data. So nothing in it ever goes out of date, and two processes
that make it at once make the same.
"""

from __future__ import annotations

import json
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import plain
from totalml.data.snapshot import load_snapshot, parquet_bytes, read_parquet
from totalml.features.shared.columns import HERE, rows_of, values_of
from totalml.features.shared.past import TIMESTAMP, column_of, times
from totalml.fingerprint import code_of, feature_id, files_of
from totalml.identity import canonical, digest, file_digest, short
from totalml.progress import Progress
from totalml.store.atomic import atomic_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.kinds import SharedFeature
    from totalml.store import Store
    from totalml.workers import Crew

ROOM, VALUES, MANIFEST = "shared", "values.parquet", "manifest.json"
ENTITY, VALUE = "entity.", "value."  # before the names of columns, which so never meet those of times
EVENT_TIME, KNOWN_TIME = "event_time", "known_time"
KEY_LENGTH = 32
ROOMS = ("data", "features")  # whose code makes values, besides a recipe's own
PACKAGES = ("holidays", "numpy", "pillow", "pyarrow")  # that may move them
SILENT = Progress.silent()


def materialised(
    feature: SharedFeature, data_hash: str, store: Store, progress: Progress = SILENT, crew: Crew = HERE
) -> pa.Table:
    """A row for each row of the source: `entity.<column>`, `event_time`, `known_time` if any, `value.<part>`.

    Args:
        data_hash: of its source's snapshot, which stands in the store.
        crew: what decodes pictures.
    Raises: FeatureError: the definition does not fit the rows. StoreError: the snapshot is not there.
    """
    key = short(values_key(feature, data_hash), KEY_LENGTH)
    folder = store.folder(ROOM) / key
    with store.lock(f"{ROOM}-{key}"):
        store.fetch(ROOM, key)
        if folder.exists() and (fault := _fault(folder)) is not None:
            progress.say(f"{fault}; its values are made again")
            shutil.rmtree(folder)
        if not folder.exists():
            values = timed_values(feature, rows_of(load_snapshot(data_hash, store)), store, crew)
            _write(folder, values, feature, data_hash)
            store.publish(ROOM, key)
        os.utime(folder)  # in use
        return read_parquet((folder / VALUES).read_bytes())


def values_key(feature: SharedFeature, data_hash: str) -> str:
    """The digest of all that the values depend on."""
    depends = {
        "id": feature_id(feature),
        "code": code_of(feature, (*ROOMS, *feature.rooms)),
        "files": files_of(feature),
        "packages": {name: _version(name) for name in (*PACKAGES, *feature.packages)},
        "data": data_hash,
    }
    return digest("shared feature values v1", canonical(depends))


def timed_values(feature: SharedFeature, rows: pa.Table, store: Store, crew: Crew = HERE) -> pa.Table:
    """As `materialised`, of any rows."""
    import pyarrow as pa

    def moments(name: str) -> pa.Array:
        return pa.array(times(rows, name), pa.int64()).cast(pa.timestamp("us", "UTC"))

    made = {f"{ENTITY}{name}": column_of(rows, name) for name in feature.entity}
    made[EVENT_TIME] = moments(feature.event_time or TIMESTAMP)
    if feature.known_time is not None:
        made[KNOWN_TIME] = moments(feature.known_time)
    values = values_of(feature, rows, store, crew)
    return pa.table(made | {f"{VALUE}{part}": values[part] for part in values.column_names})


def _write(folder: Path, values: pa.Table, feature: SharedFeature, data_hash: str) -> None:
    with atomic_folder(folder) as temporary:
        (temporary / VALUES).write_bytes(parquet_bytes(values))
        manifest: dict[str, Any] = {
            "id": feature_id(feature),
            "definition": plain(feature, where=True),
            "data_hash": data_hash,
            "rows": len(values),
            "digest": file_digest(temporary / VALUES),
        }
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _fault(folder: Path) -> str | None:
    """What is wrong with kept values; None if they are whole."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        whole = file_digest(folder / VALUES) == manifest["digest"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return f"{folder} cannot be read ({type(error).__name__})"
    return None if whole else f"{folder / VALUES} is damaged"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
