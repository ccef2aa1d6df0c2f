"""Tables, pictures and the snapshot's artifact for W&B."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wandb

from totalml.data import Snapshot, load_snapshot
from totalml.data.snapshot import snapshot_folder
from totalml.errors import StoreError
from totalml.features.shown import pictures_of
from totalml.store import Store

if TYPE_CHECKING:
    from totalml.tracking.told import Told

SIZE_PX = 128
CONFUSION = "wandb/confusion_matrix/v1"  # W&B's own preset
TABLES = ("manifest.json", "samples.parquet", "metadata.parquet", "skipped.parquet")


def of(told: Told, store: Path, report: Path) -> dict[str, Any]:
    """Confusion matrix, sample pictures with predictions, and the report."""
    return {
        "confusion_matrix": _confusion(told),
        "samples": _samples(told, store),
        "report": wandb.Html(report.read_text(encoding="utf-8"), inject=False),
    }


def snapshot_artifact(name: str, data_hash: str, store: Path) -> wandb.Artifact:
    """The tables of the snapshot; its pictures stay in the store, which they name by digest."""
    artifact = wandb.Artifact(name, "dataset", metadata={"data_hash": data_hash})
    folder = snapshot_folder(data_hash, Store(store))
    for file in TABLES:
        if (folder / file).is_file():
            artifact.add_file(str(folder / file), policy="immutable")
    return artifact


def _confusion(told: Told) -> Any:
    table = wandb.Table(["Actual", "Predicted", "nPredictions"], [list(cell) for cell in told.confusion()])
    fields = {name: name for name in ("Actual", "Predicted", "nPredictions")}
    return wandb.plot_table(CONFUSION, table, fields, {"title": "Confusion matrix"})


def _samples(told: Told, store: Path) -> wandb.Table:
    """A row per prediction; the picture is empty where the store no longer has it."""
    rows = told.shown()
    pictures = _pictures(told, [row["id"] for row in rows], Store(store))
    columns = ["id", "label", "predicted", "confidence"]
    cells = [[pictures.get(row["id"]), *(row[column] for column in columns)] for row in rows]
    return wandb.Table(["picture", *columns], cells)


def _pictures(told: Told, ids: list[str], store: Store) -> dict[str, wandb.Image]:
    try:
        snapshot = _snapshot(told.facts["data_hash"], store.root)
    except StoreError:
        return {}
    found = pictures_of(ids, snapshot, store, SIZE_PX)
    return {id_: wandb.Image(pixels, caption=id_) for id_, pixels in found.items()}


@cache
def _snapshot(data_hash: str, root: Path) -> Snapshot:
    return load_snapshot(data_hash, Store(root))
