"""Tables, pictures and artifacts for W&B, from the folder of an attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import wandb

from totalml.runs.attempt import METRICS_FILE, RECIPE_FILE, REPORT_FILE, TRAINING_FILE, WEIGHTS_FILE
from totalml.tracking.staged import STAGED, TABLES, pictures

if TYPE_CHECKING:
    from totalml.tracking.payload import Payload

CONFUSION = "wandb/confusion_matrix/v1"  # W&B's own preset
IDENTITY = ("run_id", "attempt", "config_hash", "data_hash", "outputs")


def media(told: Payload) -> dict[str, Any]:
    """Confusion matrix, groups of samples, sample pictures with predictions, and the report."""
    slices = told.slices()
    report = (told.folder / REPORT_FILE).read_text(encoding="utf-8")
    return {
        **({"confusion_matrix": _confusion(told)} if told.confusion() else {}),
        "samples": _samples(told),
        **({"slices": _slices(slices)} if slices else {}),
        "report": wandb.Html(report, inject=False),
    }


def snapshot_artifact(told: Payload) -> wandb.Artifact:
    """The tables of the snapshot; its pictures stay in the store, and the tables name them by digest."""
    metadata = {"data_hash": told.facts["data_hash"]}
    return _artifact(told, "snapshot", "dataset", {str(STAGED / name): name for name in TABLES}, metadata)


def model_artifact(told: Payload) -> wandb.Artifact:
    """The weights, and the files that say how they came about and what they reach."""
    files = {name: name for name in (WEIGHTS_FILE, RECIPE_FILE, TRAINING_FILE, METRICS_FILE)}
    # W&B takes a hundred keys at most; the figures of every class are in the run's summary and in the file.
    overall = {key: value for key, value in told.summary().items() if key.startswith("test/")}
    return _artifact(told, "model", "model", files, {**_identity(told), **overall})


def report_artifact(told: Payload) -> wandb.Artifact:
    return _artifact(told, "report", "report", {REPORT_FILE: REPORT_FILE}, _identity(told))


def _artifact(
    told: Payload, what: str, kind: str, files: Mapping[str, str], metadata: Mapping[str, Any]
) -> wandb.Artifact:
    artifact = wandb.Artifact(f"{told.facts['name']}-{what}", kind, metadata=dict(metadata))
    for file, name in files.items():
        # immutable: the files of a finished attempt are not written again, so they need not be copied.
        artifact.add_file(str(told.folder / file), name=name, policy="immutable")
    return artifact


def _identity(told: Payload) -> dict[str, Any]:
    return {key: told.facts[key] for key in IDENTITY}


def _confusion(told: Payload) -> Any:
    table = wandb.Table(["Actual", "Predicted", "nPredictions"], [list(cell) for cell in told.confusion()])
    fields = {name: name for name in ("Actual", "Predicted", "nPredictions")}
    return wandb.plot_table(CONFUSION, table, fields, {"title": "Confusion matrix"})


def _slices(rows: Sequence[Mapping[str, Any]]) -> wandb.Table:
    """Where the model does worse: its figure with bounds, and the gap to all other samples."""
    columns: list[str | int] = list(dict.fromkeys(column for row in rows for column in row))
    return wandb.Table(columns, [[row.get(str(column)) for column in columns] for row in rows])


def _samples(told: Payload) -> wandb.Table:
    """A row per prediction; no picture where a sample is none."""
    shown = {id_: wandb.Image(str(file)) for id_, file in pictures(told.folder).items()}
    rows = [[shown.get(one.id), one.id, one.true, one.said, one.remark] for one in told.shown()]
    return wandb.Table(["picture", "id", "label", "predicted", "remark"], rows)
