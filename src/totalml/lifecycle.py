"""The life of a model, stage by stage. Each takes records and its part of the recipe, and returns a record."""

from dataclasses import asdict
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from totalml.attempt import METRICS_FILE, PREDICTIONS_FILE, QUALITY_FILE, RECIPE_FILE, Attempt
from totalml.component import plain
from totalml.data import Snapshot, Splits, split_samples, split_table
from totalml.data.snapshot import parquet_bytes
from totalml.errors import EvaluationError
from totalml.evaluation import Evaluation, check_positive, evaluate
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
from totalml.training.execution import device_of

Rows = NDArray[np.int64]
Probabilities = NDArray[np.float32]


def live(recipe: Recipe, snapshot: Snapshot, store: Store, attempt: Attempt, progress: Progress) -> None:
    """From a snapshot to a report; every stage leaves its result in the attempt's folder or in the store."""
    device_of(recipe.runtime)  # a GPU that is not there is told now
    folder = attempt.folder
    write_atomically(folder / RECIPE_FILE, recipe_text(recipe).encode())
    with attempt.stage("quality"):
        splits = split_samples(recipe.data.split, snapshot)
        progress.table(split_table(splits, snapshot))
        quality = check_quality(recipe.quality, snapshot, splits)
        attempt.write(QUALITY_FILE, asdict(quality))
        for finding in quality.findings:
            progress.say(f"{finding.check}: {finding.message}")
    with attempt.stage("features"):
        features = build_features(recipe.features, recipe.data, snapshot, store, progress)
    # What the evaluation will need is looked at now, before an hour of training.
    check_positive(recipe.evaluation, features.classes)
    gold = _gold(recipe.evaluation.gold_column, snapshot, splits.test)
    with attempt.stage("training"):
        trained = train_model(recipe, features, splits, folder, progress)
        attempt.save(training=trained.facts())
    with attempt.stage("evaluation"):
        probabilities = predict(recipe, trained, features, splits.test)
        ids, labels = [features.ids[row] for row in splits.test.tolist()], features.labels[splits.test]
        evaluation = evaluate(recipe.evaluation, features.classes, ids, labels, probabilities, gold, recipe.seed)
        attempt.write(METRICS_FILE, evaluation.as_json())
        write_atomically(folder / PREDICTIONS_FILE, parquet_bytes(evaluation.predictions))
    with attempt.stage("report"):
        attempt.save(outputs=_outputs(trained, probabilities))
        write_report(folder, _content(recipe, attempt, snapshot, splits, quality, features, trained, evaluation))


def recipe_text(recipe: Recipe) -> str:
    """The composed recipe as YAML, defaults written out."""
    return str(yaml.safe_dump(plain(recipe, where=True), sort_keys=False, allow_unicode=True))


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
    return ReportContent(
        name=recipe.name,
        description=recipe.question,
        run_id=facts["run_id"],
        config_hash=facts["config_hash"],
        data_hash=facts["data_hash"],
        command=facts["command"],
        recipe_yaml=recipe_text(recipe),
        environment=_environment(facts),
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


def _environment(facts: dict[str, Any]) -> dict[str, str]:
    """What a reader of the report wants to know about where it was made; the rest stands in run.json."""
    environment, execution, git = facts["environment"], facts["execution"], facts["code"]["git"]
    shown = {"python": environment["python"], "platform": environment["platform"]}
    shown |= {name: environment["packages"][name] for name in ("totalml", "torch", "torchvision", "lightning", "numpy")}
    shown |= {"device asked for": execution["device"], "precision": execution["precision"]}
    if git:
        shown["git commit"] = git["commit"][:12] + (" with changes" if git["dirty"] else "")
    return shown
