"""What `totalml predict` wrote: samples that nobody sent to the service; their pictures lie in a folder of somebody's.

Pictures of what was drawn are copied to where the log keeps those of requests, so its days and deletions hold for them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from totalml.errors import DataError, RecipeError
from totalml.identity import short
from totalml.prediction_log.sampled_pictures import PICTURES, save_picture
from totalml.release.log_rows import ANSWER, METADATA, input_hash
from totalml.review.queues.from_log import facts_of
from totalml.review.queues.pool import TEXT, Pool

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.review.item import Item
    from totalml.store import Store

NEEDED = ("id", "release", "input", "error")
SHOWN = 10


def predictions_pool(file: Path, bundle: Bundle, signature: Signature, settings: ReviewRecipe) -> Pool:
    """Raises: DataError: it is no output of `totalml predict` by this release."""
    rows = _read(file)
    rows = rows.filter(pc.is_null(rows["error"])) if len(rows) else rows
    others = sorted({*rows["release"].unique().to_pylist()} - {bundle.hash})
    if others:
        raise DataError(f"{file} was predicted by release {others[0]}, not by {bundle.hash}; name that release instead")
    columns = {"sample": rows["id"].cast(TEXT), "input": rows["input"], "release": rows["release"]}
    kept = (ANSWER, METADATA, "strangeness", "time")
    columns |= {name: rows[name] for name in rows.column_names if name.startswith(kept)}
    return Pool(pa.table(columns), f"samples of {file.name}", facts=facts_of(settings, signature))


def with_pictures(items: list[Item], folder: Path | None, signature: Signature, store: Store, model: str) -> list[Item]:
    """Copy the picture of each to the store.

    Raises: RecipeError: no folder was given. DataError: names all that are not there, or were changed where the hash of
    the input is that of the picture alone.
    """
    if folder is None:
        raise RecipeError("command line: the model sees pictures; say with --pictures FOLDER where they lie")
    now, found, wrong = datetime.now(UTC), [], []
    for item in items:
        data = _inside(folder, item.sample or "")
        if data is None or not (signature.columns or input_hash(data, {}) == item.input):
            wrong.append(f"  {item.sample}: " + ("is not there" if data is None else "is not what was predicted"))
            continue
        save_picture(store, model, now, str(item.input), data)
        name = f"{PICTURES}/{model}/{now:%Y-%m-%d}/{short(str(item.input), 64)}"
        found.append(replace(item, pictures=(name,)))
    if wrong:
        more = [f"  ... and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise DataError("\n".join([f"of {len(wrong)} pictures in {folder}:", *wrong[:SHOWN], *more]))
    return found


def _read(file: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file, page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} cannot be read: {error}; give what totalml predict --out wrote") from error
    if missing := [name for name in NEEDED if name not in table.column_names]:
        raise DataError(f"{file} has no column {', '.join(missing)}; give what totalml predict --out wrote")
    return table


def _inside(folder: Path, name: str) -> bytes | None:
    """None: there is no such file in the folder."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return file.read_bytes()
