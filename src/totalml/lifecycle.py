"""The life of a model, stage by stage. Each takes records and its part of the recipe, and returns a record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.data import Snapshot, Splits, split_samples, split_table
from totalml.errors import EvaluationError
from totalml.evaluation import (
    Beside,
    Evaluation,
    Explanation,
    ModelSuites,
    OutOfDistribution,
    Robustness,
    ask_suites,
    brightness,
    check_before_training,
    evaluate,
    explain,
    measure_out_of_distribution,
    measure_robustness,
)
from totalml.features import FeatureSet, build_features
from totalml.fingerprint import edited
from totalml.gates import Verdict, judge, production_of
from totalml.identity import digest
from totalml.progress import Progress
from totalml.quality import Pictures, QualityReport, check_quality
from totalml.quality.suites.record import AFTER_TRAINING, BEFORE_TRAINING, pages
from totalml.recipe import Recipe
from totalml.report import ReportContent, write_model_card, write_report
from totalml.runs.attempt import (
    DEEPCHECKS_FILE,
    EVALUATED,
    EXPLAINED,
    LEARNT,
    OUT_OF_DISTRIBUTION,
    QUALITY_FILE,
    RECIPE_FILE,
    ROBUSTNESS_FILE,
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
        features = build_features(recipe.features, recipe.data, snapshot, store, progress, recipe.runtime)

    defined = definitions.quality(recipe, snapshot.data_hash, features.pixels, facts)
    pictures = _pictures(features, snapshot, store)
    check = partial(check_quality, recipe.quality, snapshot, splits, pictures)
    stages.run(defined, [QUALITY_FILE], lambda: check().save(folder), pages(*BEFORE_TRAINING))
    quality = QualityReport.load(folder)
    for finding in quality.findings:
        progress.say(f"{finding.check}: {finding.message}")

    with attempt.stage("features"):
        features = embed_features(recipe, features, store, progress)
        stages.note(definitions.features(recipe, snapshot.data_hash), reused=not features.made)
    # What the evaluation will need is looked at now, before an hour of training.
    check_before_training(recipe.evaluation, features.classes, snapshot.metadata, pictures=features.images is not None)
    gold = _gold(recipe.evaluation.gold_column, snapshot, splits.test)

    learnt = definitions.training(recipe, features.key, facts)
    stages.run(learnt, LEARNT, lambda: train_model(recipe, features, splits, folder, progress).save(folder))
    trained = TrainedModel.load(folder)

    evaluated = definitions.evaluation(recipe, learnt, facts)
    stages.run(evaluated, EVALUATED, lambda: _evaluate(recipe, snapshot, trained, features, splits, gold).save(folder))
    evaluation = Evaluation.load(folder)

    beyond: dict[str, Any] = {}
    if _looks_at_pictures("explanation", recipe, progress):
        defined = definitions.explanation(recipe, learnt, facts)
        looked = partial(explain, recipe, trained, features, snapshot.samples, store, splits.test, evaluation)
        stages.run(defined, EXPLAINED, lambda: looked().save(folder))
        beyond["explanation"] = Explanation.load(folder)
    if _looks_at_pictures("robustness", recipe, progress):
        defined = definitions.of_its_own("robustness", recipe, learnt, facts)
        worse = partial(measure_robustness, recipe, trained, features, splits.test)
        stages.run(defined, [ROBUSTNESS_FILE], lambda: worse().save(folder))
        beyond["robustness"] = Robustness.load(folder)
    if _looks_at_pictures("out_of_distribution", recipe, progress):
        defined = definitions.of_its_own("out_of_distribution", recipe, learnt, facts)
        strange = partial(measure_out_of_distribution, recipe, trained, features, splits)
        stages.run(defined, OUT_OF_DISTRIBUTION, lambda: strange().save(folder))
        beyond["out_of_distribution"] = OutOfDistribution.load(folder)

    suites = None
    if recipe.evaluation.deepchecks:
        ask = partial(ask_suites, recipe, snapshot, features, splits, evaluation)
        defined = definitions.suites(recipe, evaluated, facts)
        stages.run(defined, [DEEPCHECKS_FILE], lambda: ask().save(folder), pages(AFTER_TRAINING))
        beyond["suites"] = suites = ModelSuites.load(folder)
        for message in (message for suite in suites.suites for _, message in suite.told()):
            progress.say(f"Deepchecks: {message}")

    with attempt.stage("gates"):
        attempt.save(outputs=_outputs(trained, evaluation))
        verdict = judge(recipe.gates, folder, production_of(recipe.name, recipe.gates, store.root))
        verdict.save(folder)

    with attempt.stage("report"):
        attempt.save(releasable=verdict.releasable)
        content = _content(recipe, attempt, snapshot, splits, quality, features, trained, evaluation, verdict)
        content = replace(content, **beyond)
        write_report(folder, content)
        write_model_card(folder, content, recipe)
    if suites:
        suites.stop()


def _looks_at_pictures(name: str, recipe: Recipe, progress: Progress) -> bool:
    """Whether to do a part of the evaluation that gives the model other pictures than those it was made for."""
    if getattr(recipe.evaluation, name) is None:
        return False
    if recipe.model.image is None:
        progress.say(f"evaluation.{name} is left out, because the model sees no pictures")
        return False
    return True


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
    rows = splits.test
    probabilities = predict(recipe, trained, features, rows)
    ids, labels = [features.ids[row] for row in rows.tolist()], features.labels[rows]
    beside = _beside(recipe, snapshot, trained, features, splits)
    return evaluate(recipe.evaluation, features.classes, ids, labels, probabilities, gold, recipe.seed, beside)


def _beside(recipe: Recipe, snapshot: Snapshot, trained: TrainedModel, features: FeatureSet, splits: Splits) -> Beside:
    evaluation, images = recipe.evaluation, features.images
    grouped = evaluation.slices is not None or evaluation.fairness is not None
    validation = splits.validation if evaluation.calibration and len(splits.validation) else None
    return Beside(
        metadata=snapshot.metadata,
        rows=splits.test,
        brightness=brightness(images.gather, splits.test) if grouped and images else None,
        validation=None
        if validation is None
        else (features.labels[validation], predict(recipe, trained, features, validation)),
        edges=evaluation.slices.edges if evaluation.slices else {},
        hidden=(evaluation.gold_column, recipe.data.split.column),
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


def _outputs(trained: TrainedModel, evaluation: Evaluation) -> dict[str, str]:
    """Digests of what the run came to, for telling whether another attempt came to the same."""
    return {
        "weights": trained.weights_digest,
        "predictions": digest("predictions v1", evaluation.probabilities().astype("<f4").tobytes()),
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
        quality=quality,
        history=trained.history,
        best_epoch=trained.best_epoch,
        evaluation=evaluation,
        verdict=verdict,
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
