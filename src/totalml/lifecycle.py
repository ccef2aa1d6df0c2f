"""The life of a model, stage by stage. Each takes records and its part of the recipe, and returns a record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.data import Snapshot, Splits, split_samples, split_table
from totalml.errors import EvaluationError
from totalml.evaluation import (
    Evaluation,
    Given,
    Known,
    Part,
    Predicted,
    SampleContext,
    asked_and_left_out,
    brightness,
    check_before_training,
)
from totalml.evaluation.own_metrics import with_own_metrics
from totalml.features import FeatureSet, build_features
from totalml.fingerprint import edited
from totalml.gates import Verdict, judge, production_of
from totalml.identity import digest
from totalml.plan import Plan, check_plan, make_plan
from totalml.progress import Progress
from totalml.quality import Pictures, QualityReport, check_quality
from totalml.quality.suites.record import BEFORE_TRAINING, pages
from totalml.recipe import Recipe
from totalml.report import ReportContent, write_model_card, write_report
from totalml.runs.attempt import (
    EVALUATED,
    LEARNT,
    PLAN_FILE,
    QUALITY_FILE,
    RECIPE_FILE,
    Attempt,
)
from totalml.runs.stored import recipe_text
from totalml.stages import Stages, definitions
from totalml.store import Store
from totalml.store.atomic import write_atomically
from totalml.target import did_you_mean
from totalml.training import TrainedModel, embed_features, predict, train_model
from totalml.training.execution import device_of, used

Rows = NDArray[np.int64]
MOST_NAMED = 3  # samples of a warning, on the terminal


def live(
    recipe: Recipe,
    snapshot: Snapshot,
    store: Store,
    attempt: Attempt,
    before: Sequence[Mapping[str, Any]],
    progress: Progress,
) -> None:
    """From a snapshot to a report; every stage leaves its result in the attempt's folder and in the store.

    Args:
        before: what stands of the stages in `run.json` of the recipe's latest other attempts, the latest first.
    """
    device_of(recipe.runtime)  # a GPU that is not there is told now
    facts, folder = attempt.facts, attempt.folder
    facts["execution"]["used"] = used(recipe.runtime)
    write_atomically(folder / RECIPE_FILE, recipe_text(recipe).encode())
    fresh = recipe.runtime.rerun
    stages = Stages(store, attempt, before, progress, fresh=fresh, edited=lambda: edited(recipe, facts))
    splits = split_samples(recipe.data.split, snapshot)
    progress.table(split_table(splits, snapshot))

    with attempt.stage("features"):
        features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, progress, recipe.runtime)

    defined = definitions.quality(recipe, snapshot.data_hash, features.pixels, facts)
    pictures = _pictures(features, snapshot, store)
    check = partial(check_quality, recipe.quality, snapshot, splits, pictures)
    stages.run(defined, [QUALITY_FILE], lambda: check().save(folder), pages(*BEFORE_TRAINING))
    quality = QualityReport.load(folder)
    for finding in quality.findings:
        progress.say(finding.told(MOST_NAMED))

    with attempt.stage("features"):
        features = embed_features(recipe, features, store, progress)
        defined = definitions.features(recipe, snapshot.data_hash)
        # Rows of a table and numbers of one's own are made by every run; only what is made of pictures is kept.
        kept = bool(features.made or features.taken)
        stages.note(defined, reused=not features.made and not stages.changed(defined) if kept else None)
    # What the evaluation will need is looked at now, before an hour of training.
    names, pictured = features.targets.names, features.images is not None
    check_before_training(recipe.evaluation, recipe.task, names, snapshot.metadata, pictures=pictured)
    gold = _gold(recipe.evaluation.gold_column, snapshot, splits.test)
    require_watched(recipe, snapshot)
    if recipe.plan:
        check_plan(recipe.plan, features, snapshot, splits)

    learnt = definitions.training(recipe, features.key, facts)
    stages.run(learnt, LEARNT, lambda: train_model(recipe, features, splits, folder, progress).save(folder))
    trained = TrainedModel.load(folder)

    evaluated = definitions.evaluation(recipe, learnt, facts)
    stages.run(evaluated, EVALUATED, lambda: _evaluate(recipe, snapshot, trained, features, splits, gold).save(folder))
    evaluation = Evaluation.load(folder)

    given = Given(recipe, snapshot, store, features, splits, trained, evaluation)
    done = {definition.stage: definition for definition in (learnt, evaluated)}
    beyond: dict[str, Any] = {}
    parts, left_out = asked_and_left_out(recipe)
    for line in left_out:
        progress.say(line)
    for part in parts:
        defined = part.definition(recipe, done, facts)
        stages.run(defined, part.files, partial(_measured, part, given, folder), part.also)
        beyond[part.field] = part.load(folder)
    if recipe.plan:
        defined = definitions.plan(recipe, evaluated, facts)
        stages.run(defined, [PLAN_FILE], lambda: make_plan(given).save(folder))
        beyond["plan"] = Plan.load(folder)
    suites = beyond.get("suites")
    for message in suites.messages() if suites else ():
        progress.say(f"Deepchecks: {message}")

    with attempt.stage("gates"):
        attempt.save(outputs=_outputs(trained, evaluation))
        verdict = judge(recipe.gates, folder, production_of(recipe.name, recipe.gates, store))
        verdict.save(folder)

    with attempt.stage("report"):
        attempt.save(releasable=verdict.releasable)
        content = _content(recipe, attempt, snapshot, splits, quality, features, trained, evaluation, verdict)
        content = replace(content, **beyond)
        write_report(folder, content)
        write_model_card(folder, content, recipe)
    if suites:
        suites.stop()


def _measured(part: Part, given: Given, folder: Path) -> None:
    part.measure(given).save(folder)


def _pictures(features: FeatureSet, snapshot: Snapshot, store: Store) -> Pictures | None:
    """For the quality checks."""
    if features.images is None:
        return None
    blobs = snapshot.samples["blob"]
    return Pictures(features.images, lambda: np.array(store.picture_sizes(blobs.to_pylist()), np.int64).reshape(-1, 2))


def _evaluate(
    recipe: Recipe,
    snapshot: Snapshot,
    trained: TrainedModel,
    features: FeatureSet,
    splits: Splits,
    gold: list[str | None] | None,
) -> Evaluation:
    rows, truth = splits.test, features.targets.values
    validation = splits.validation
    predicted = Predicted(
        names=features.targets.names,
        ids=[features.ids[row] for row in rows.tolist()],
        truth=truth[rows],
        answers=predict(recipe, trained, features, rows),
        seed=recipe.seed,
        gold=gold,
        validation=(truth[validation], predict(recipe, trained, features, validation)) if len(validation) else None,
        known=_known(snapshot, truth, splits),
        context=_context(recipe, snapshot, features, rows),
        groups=_groups(snapshot, rows),
    )
    return with_own_metrics(recipe.task.evaluate(recipe.evaluation, predicted), recipe.evaluation.metrics, predicted)


def _known(snapshot: Snapshot, truth: NDArray[Any], splits: Splits) -> Known:
    times = snapshot.samples["timestamp"]
    return Known(truth, splits.train, splits.test, None if times.null_count else times.cast("int64").to_numpy())


def _groups(snapshot: Snapshot, rows: Rows) -> list[str] | None:
    """None: each sample is its own."""
    groups = snapshot.samples["group"].take(rows)
    return None if len(groups.unique()) == len(rows) else groups.to_pylist()


def _context(recipe: Recipe, snapshot: Snapshot, features: FeatureSet, rows: Rows) -> SampleContext:
    evaluation, images = recipe.evaluation, features.images
    grouped = evaluation.slices is not None or evaluation.fairness is not None
    return SampleContext(
        metadata=snapshot.metadata,
        rows=rows,
        brightness=brightness(images.gather, rows) if grouped and images else None,
        edges=evaluation.slices.edges if evaluation.slices else {},
        hidden=(evaluation.gold_column, recipe.data.split.column, *recipe.task.columns()),
    )


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


def require_watched(recipe: Recipe, snapshot: Snapshot) -> None:
    """Raises: EvaluationError: a column that a monitor is to look at is none; all of them at once."""
    known = snapshot.metadata.column_names
    missing = [name for name in recipe.monitoring.columns if name not in known]
    if missing:
        hint = did_you_mean(missing[0], known) if len(missing) == 1 else ""
        there = hint or f"; there are: {', '.join(known) or 'none'}"
        raise EvaluationError(f"monitoring: {', '.join(map(repr, missing))} is no metadata column{there}")


def _outputs(trained: TrainedModel, evaluation: Evaluation) -> dict[str, str]:
    """Digests of what the run came to, for telling whether another attempt came to the same."""
    return {
        "weights": trained.weights_digest,
        "predictions": digest("predictions v1", evaluation.answers().astype("<f4").tobytes()),
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
    verdict: Verdict,
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
        split_sizes=splits.sizes,
        quality=quality,
        history=trained.history,
        best_epoch=trained.best_epoch,
        score=trained.score,
        evaluation=evaluation,
        verdict=verdict,
        smoke=recipe.smoke,
        rows=splits.test,
        pictures=features.images.gather if features.images else None,
        finding_rows=_finding_rows(quality, features.ids),
        skipped=dict(zip(*(snapshot.skipped[name].to_pylist() for name in ("id", "reason")), strict=True)),
    )


def _finding_rows(quality: QualityReport, ids: list[str]) -> dict[str, int]:
    named = {id_ for finding in quality.findings for id_ in finding.samples}
    return {id_: row for row, id_ in enumerate(ids) if id_ in named} if named else {}


def _environment(facts: dict[str, Any]) -> dict[str, str]:
    """What a reader of the report wants to know about where it was made; the rest stands in run.json."""
    environment, execution, git = facts["environment"], facts["execution"], facts["git"]
    shown = {"python": environment["python"], "platform": environment["platform"]}
    shown |= {name: environment["packages"][name] for name in ("totalml", "torch", "torchvision", "lightning", "numpy")}
    shown |= {"precision": execution["precision"]} | {name: str(value) for name, value in execution["used"].items()}
    if git:
        shown["git commit"] = git["commit"][:12] + (" with changes" if git["dirty"] else "")
    return shown
