"""The life of a model, stage by stage. Each takes records and its part of the recipe, and returns a record."""

import numpy as np
import yaml
from numpy.typing import NDArray
from pyarrow import parquet as pq

from totalml.attempt import Attempt
from totalml.component import plain
from totalml.data import Snapshot, Splits, split_samples
from totalml.errors import EvaluationError
from totalml.evaluation import Evaluation, evaluate, write_metrics
from totalml.features import FeatureSet, build_features
from totalml.identity import digest
from totalml.progress import Progress
from totalml.quality import QualityReport, check_quality
from totalml.recipe import Recipe
from totalml.report import ReportContent, write_report
from totalml.store import Store
from totalml.store.atomic import write_atomically
from totalml.target import did_you_mean
from totalml.training import TrainedModel, predict, train_model

Rows = NDArray[np.int64]
Probabilities = NDArray[np.float32]

RECIPE_FILE = "recipe.yaml"
METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"


def live(recipe: Recipe, snapshot: Snapshot, store: Store, attempt: Attempt, progress: Progress) -> None:
    """From a snapshot to a report; every stage leaves its result in the attempt's folder or in the store."""
    folder = attempt.folder
    write_atomically(folder / RECIPE_FILE, recipe_text(recipe).encode())
    with attempt.stage("quality"):
        splits = split_samples(recipe.data.split, snapshot)
        quality = check_quality(recipe.quality, snapshot, splits)
    with attempt.stage("features"):
        features = build_features(recipe.features, recipe.data, snapshot, store, progress)
    with attempt.stage("training"):
        trained = train_model(recipe, features, splits, folder, progress)
    with attempt.stage("evaluation"):
        probabilities = predict(recipe, trained, features, splits.test)
        evaluation = _evaluate(recipe, snapshot, features, splits.test, probabilities)
        write_metrics(folder / METRICS_FILE, evaluation)
        pq.write_table(evaluation.predictions, folder / PREDICTIONS_FILE)
    with attempt.stage("report"):
        attempt.save(outputs=_outputs(trained, probabilities))
        write_report(folder, _content(recipe, attempt, snapshot, splits, quality, features, trained, evaluation))


def recipe_text(recipe: Recipe) -> str:
    """The composed recipe as YAML, defaults written out."""
    return str(yaml.safe_dump(plain(recipe, where=True), sort_keys=False, allow_unicode=True))


def _evaluate(
    recipe: Recipe, snapshot: Snapshot, features: FeatureSet, rows: Rows, probabilities: Probabilities
) -> Evaluation:
    ids = [features.ids[row] for row in rows.tolist()]
    gold = _gold(recipe.evaluation.gold_column, snapshot, rows)
    labels = features.labels[rows]
    return evaluate(recipe.evaluation, features.classes, ids, labels, probabilities, gold, recipe.seed)


def _gold(column: str | None, snapshot: Snapshot, rows: Rows) -> list[str | None] | None:
    """The true label of each row, where the recipe names a column that holds it."""
    if column is None:
        return None
    known = snapshot.metadata.column_names
    if column not in known:
        hint = did_you_mean(column, known) or f"; there are: {', '.join(known) or 'none'}"
        raise EvaluationError(f"evaluation.gold_column {column!r} is not a metadata column{hint}")
    values: list[str | None] = snapshot.metadata[column].take(rows).to_pylist()
    return values


def _outputs(trained: TrainedModel, probabilities: Probabilities) -> dict[str, str]:
    """Digests of what the run came to, for telling whether another attempt came to the same."""
    return {
        "weights": trained.weights_digest,
        "predictions": digest("predictions v1", probabilities.astype("<f4").tobytes()),
    }


def _content(
    recipe: Recipe,
    attempt: Attempt,
    snapshot: Snapshot,
    splits: Splits,
    quality: QualityReport,
    features: FeatureSet,
    trained: TrainedModel,
    evaluation: Evaluation,
) -> ReportContent:
    facts = attempt.facts
    packages = facts["environment"]["packages"]
    shown = {name: packages[name] for name in ("totalml", "torch", "torchvision", "lightning", "numpy")}
    return ReportContent(
        name=recipe.name,
        description=recipe.question,
        run_id=facts["run_id"],
        config_hash=facts["config_hash"],
        data_hash=facts["data_hash"],
        command=facts["command"],
        recipe_yaml=recipe_text(recipe),
        environment={key: facts["environment"][key] for key in ("python", "platform")} | shown,
        seconds=facts["seconds"],
        split_counts=splits.counts(snapshot),
        quality=quality,
        history=trained.history,
        best_epoch=trained.best_epoch,
        evaluation=evaluation,
        rows=splits.test,
        pictures=features.images.gather if features.images else None,
        skipped=dict(zip(*(snapshot.skipped[name].to_pylist() for name in ("id", "reason")), strict=True)),
    )
