"""Make the release of a finished run: export its model, and put all that it needs anywhere into one folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import plain
from totalml.data import load_snapshot, split_samples
from totalml.data.snapshot import parquet_bytes
from totalml.errors import ModelError
from totalml.evaluation import Evaluation
from totalml.features import FeatureSet, build_features
from totalml.features.shared.freeze import freeze
from totalml.identity import file_digest
from totalml.lifecycle import require_watched
from totalml.model.saved import load_state
from totalml.release import bundle as files
from totalml.release.bundle import Bundle, new_folder, save_bundle
from totalml.release.onnx_export import export_onnx
from totalml.release.onnx_model import MAPS, OnnxModel
from totalml.release.period_errors import Answered
from totalml.release.periods import periods_table
from totalml.release.reference import attribution_of, reference_rows, reference_table
from totalml.release.region import region_of
from totalml.release.sbom import bill_of_materials
from totalml.release.scorer import Scorer
from totalml.release.signature import Signature
from totalml.runs.stored import stored_values, values_text
from totalml.store.atomic import write_atomically, write_json
from totalml.training import TrainedModel, predict

if TYPE_CHECKING:
    from totalml.data import Snapshot, Splits
    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

ONNX, TORCH = "onnx", "torch"
RECORDS = (files.TRAINING, files.RECIPE, files.METRICS, files.GATES, files.CARD, files.PLAN)
COPIED = (files.WEIGHTS, *RECORDS, files.STRANGERS)
OF_THE_MODEL = (files.MODEL, files.WEIGHTS, files.SIGNATURE)


@dataclass(frozen=True)
class _Made:
    """What a run was made of, as its store still holds it."""

    recipe: Recipe
    attempt: Attempt
    snapshot: Snapshot
    splits: Splits
    features: FeatureSet
    trained: TrainedModel
    evaluation: Evaluation


def make_release(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> Bundle:
    """Args: attempt: finished and whole.

    Raises:
        EvaluationError: a column that is to be watched is none of the snapshot.
        ModelError: the model cannot be exported, or answers otherwise than it did in the run.
        StoreError: what the run was made of is no longer in the store, or it cannot be written.
    """
    made = _made(recipe, attempt, store, progress)
    backend = recipe.registry.format if recipe.registry else ONNX
    with new_folder(store) as folder:
        for name in COPIED:
            if (source := attempt.folder / name).exists():
                shutil.copyfile(source, folder / name)
        _write_recipe(made, folder)
        exported = _export(made, folder / files.MODEL) if backend == ONNX else {}
        facts = _facts(made, backend) | exported
        _write_signature(made, folder, store)
        if backend == ONNX:
            _write_region(made, folder, store)
        unnamed = _unnamed(made, folder)
        _write_reference(made, unnamed, store)
        _write_periods(made, unnamed)
        digests = {name: unnamed.files[name] for name in OF_THE_MODEL if name in unnamed}
        write_json(folder / files.SBOM, bill_of_materials(attempt.facts, digests, recipe.card.license))
        return save_bundle(folder, facts, store)


def _made(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> _Made:
    snapshot = load_snapshot(attempt.facts["data_hash"], store)
    require_watched(recipe, snapshot)
    splits = split_samples(recipe.data.split, snapshot)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, progress, recipe.runtime)
    trained, evaluation = TrainedModel.load(attempt.folder), Evaluation.load(attempt.folder)
    return _Made(recipe, attempt, snapshot, splits, features, trained, evaluation)


def _write_recipe(made: _Made, folder: Path) -> None:
    """As the run wrote it down, but for what is watched, which is no part of what was run and may be other by now."""
    values, watched = stored_values(made.attempt.folder), plain(made.recipe.monitoring, where=True)
    if values.get("monitoring") != watched:
        write_atomically(folder / files.RECIPE, values_text({**values, "monitoring": watched}).encode())


def _export(made: _Made, file: Path) -> dict[str, Any]:
    try:
        exported = export_onnx(made.recipe, made.trained, made.features, reference_rows(made.splits), file)
    except ModelError as error:
        raise ModelError(
            f"{error} Set registry.format=torch to release it as it is, to be served where torch is installed; or "
            "registry=null to release nothing."
        ) from error
    checked = {"samples": exported.samples, "largest_difference": f"{exported.largest_difference:.1e}"}
    return {"opset": exported.opset, "checked_against_torch": checked}


def _facts(made: _Made, backend: str) -> dict[str, Any]:
    facts = made.attempt.facts
    kept = {name: facts[name] for name in ("name", "run_id", "attempt", "config_hash", "data_hash", "outputs")}
    digests = {f"{part}_digest": facts[part]["digest"] for part in ("code", "files", "environment", "execution")}
    return {**kept, **digests, "code": facts["code"]["sources"], "features": made.features.key, "backend": backend}


def _write_signature(made: _Made, folder: Path, store: Store) -> None:
    inputs = load_state(made.trained.weights)[1]
    rows = reference_rows(made.splits)
    shared = freeze(made.recipe.features.shared, inputs.numeric, made.snapshot, rows, store, folder)
    width = predict(made.recipe, made.trained, made.features, made.splits.test[:0]).shape[1]
    signature = Signature.of(made.recipe, inputs, made.evaluation, width, made.snapshot.metadata.schema, shared)
    write_json(folder / files.SIGNATURE, signature.as_json())


def _write_region(made: _Made, folder: Path, store: Store) -> None:
    """Of a model that tells what it looks at."""
    maps = OnnxModel.load(folder / files.MODEL).outputs.get(MAPS)
    _, _, high, wide = (None,) * 4 if maps is None else maps.shape
    if high and wide:
        region = region_of(made.recipe, made.snapshot, reference_rows(made.splits), (high, wide), store)
        write_atomically(folder / files.REGION, region.as_json())


def _write_reference(made: _Made, unnamed: Bundle, store: Store) -> None:
    """By the model as it is released."""
    rows = reference_rows(made.splits)
    scorer = Scorer.load(unnamed)
    scored, attribution = scorer.score_rows(made.features, rows), attribution_of(scorer, made.features, rows)
    truth = made.evaluation.truth(made.features.targets.names)
    table = reference_table(made.snapshot, made.splits, made.features, scored, rows, truth, store, attribution)
    file = unnamed.folder / files.REFERENCE
    file.parent.mkdir()
    write_atomically(file, parquet_bytes(table))


def _write_periods(made: _Made, unnamed: Bundle) -> None:
    """Of series, since a season is told by the same weeks of earlier years, which the reference does not reach."""
    series, season = getattr(made.recipe.task, "series", None), getattr(made.recipe.task, "season", None)
    if series is not None and not made.snapshot.samples["timestamp"].null_count:
        answered = Answered.by(Scorer.load(unnamed), made.features, made.splits)
        table = periods_table(made.snapshot, made.features, Signature.read(unnamed), series, season, answered)
        write_atomically(unnamed.folder / files.PERIODS, parquet_bytes(table))


def _unnamed(made: _Made, folder: Path) -> Bundle:
    """What the folder holds so far."""
    names = [path.name for path in folder.iterdir() if path.is_file()]
    return Bundle(folder, {"name": made.recipe.name}, {name: file_digest(folder / name) for name in names})
