"""Hand the predictions of the test split to deepchecks; the model itself is not asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from totalml.errors import EvaluationError, MissingExtraError
from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.suites.record import ModelSuites
from totalml.quality.deepchecks import may_stop
from totalml.quality.suites.chosen import ChosenSuite, UnfitSuite, choose
from totalml.quality.suites.images import Batches, drawn, vision_data
from totalml.quality.suites.library import contained, library
from totalml.quality.suites.outcomes import recorded
from totalml.quality.suites.record import AFTER_TRAINING, Data, Suite
from totalml.quality.suites.tables import columns, dataset
from totalml.recipe import DeepchecksRecipe, PictureSuiteRecipe, Recipe, SuiteRecipe

if TYPE_CHECKING:
    from totalml.data import Snapshot, Splits
    from totalml.evaluation.classification.record import ClassificationEvaluation
    from totalml.features import FeatureSet


# They ask for predictions on train, which no run keeps, for a model in memory, or for another task.
UNFIT: dict[Data, tuple[str, ...]] = {
    "tabular": (
        "BoostingOverfit",
        "ModelInferenceTime",
        "ModelInfo",
        "MultiModelPerformanceReport",
        "PredictionDrift",
        "RegressionErrorDistribution",
        "RegressionSystematicError",
        "TrainTestPerformance",
        "TrainTestPredictionDrift",
        "UnusedFeatures",
    ),
    "vision": (
        "ClassPerformance",
        "MeanAveragePrecisionReport",
        "MeanAverageRecallReport",
        "PredictionDrift",
        "TrainTestPredictionDrift",
    ),
}
WORTH_TELLING = {"ClassPerformance", "PredictionDrift", "TrainTestPerformance"}


def check_suites(asked: DeepchecksRecipe) -> None:
    """Refuse what deepchecks could not do, before an hour of training.

    Raises:
        EvaluationError: it has no such check, condition or limit.
        MissingExtraError: it is not installed, and may stop the run.
    """
    for data, suite in _suites(asked):
        imported = _library(data, suite)
        if imported is not None:
            with contained():
                _chosen(data, suite, imported)


def ask_suites(
    recipe: Recipe, snapshot: Snapshot, features: FeatureSet, splits: Splits, evaluation: ClassificationEvaluation
) -> ModelSuites:
    """Args: evaluation: of `splits.test`, row by row."""
    asked = recipe.evaluation.deepchecks
    found = []
    for data, suite in _suites(asked) if asked else ():
        imported = _library(data, suite)
        if imported is None:
            error = MissingExtraError("deepchecks", "deepchecks", _wanted_by(data))
            found.append(Suite(AFTER_TRAINING, data, not_run=str(error)))
            continue
        with contained():
            if isinstance(suite, PictureSuiteRecipe):
                found.append(_vision(suite, imported, features, splits, evaluation))
            else:
                hidden = (recipe.evaluation.gold_column, recipe.data.split.column)
                found.append(_tabular(suite, imported, snapshot, splits, evaluation, hidden))
    return ModelSuites(tuple(found))


def _tabular(
    asked: SuiteRecipe,
    imported: Any,
    snapshot: Snapshot,
    splits: Splits,
    evaluation: ClassificationEvaluation,
    hidden: Sequence[str | None],
) -> Suite:
    """Args: hidden: columns that hold the answer."""
    import numpy as np

    if not columns(snapshot, hidden):
        return Suite(AFTER_TRAINING, "tabular", not_run="the snapshot has no metadata columns to look at")
    chosen = _chosen("tabular", asked, imported)
    sides = [dataset(imported, snapshot, rows, hidden) for rows in (splits.train, splits.test)]
    order = np.argsort(evaluation.classes)  # deepchecks wants them sorted
    # It will not begin without predictions on train; nothing that is asked reads them.
    unread = np.full((len(sides[0].data), len(order)), 1 / len(order))
    result = chosen.suite.run(
        *sides,
        y_proba_train=unread,
        y_proba_test=evaluation.probabilities()[:, order],
        model_classes=[evaluation.classes[place] for place in order],
        run_single_dataset="Test",
        with_display=asked.html,
    )
    return recorded(asked, chosen, AFTER_TRAINING, "tabular", result, _left_out("tabular", asked))


def _vision(
    asked: PictureSuiteRecipe, imported: Any, features: FeatureSet, splits: Splits, evaluation: ClassificationEvaluation
) -> Suite:
    import numpy as np

    if features.images is None:
        return Suite(AFTER_TRAINING, "vision", not_run="the features hold no pictures")
    gather = features.images.gather
    places = drawn(np.arange(len(splits.test)), asked.samples)
    train, test = drawn(splits.train, asked.samples), splits.test[places]
    chosen = _chosen("vision", asked, imported)

    def side(rows: Ints, probabilities: Floats | None = None) -> Any:
        ids = [features.ids[row] for row in rows.tolist()]
        batches = Batches(gather, rows, ids, features.targets.values[rows], probabilities)
        return vision_data(imported, batches, features.targets.names)

    sides = side(train), side(test, evaluation.probabilities()[places])
    result = chosen.suite.run(*sides, run_single_dataset="Test", with_display=asked.html)
    return recorded(asked, chosen, AFTER_TRAINING, "vision", result, _left_out("vision", asked), len(test))


def _suites(asked: DeepchecksRecipe) -> list[tuple[Data, SuiteRecipe]]:
    both: tuple[tuple[Data, SuiteRecipe | None], ...] = (("tabular", asked.tabular), ("vision", asked.vision))
    return [(data, suite) for data, suite in both if suite is not None]


def _library(data: Data, asked: SuiteRecipe) -> Any:
    """None where it is not installed and need not be."""
    try:
        return library(data, _wanted_by(data))
    except MissingExtraError:
        if may_stop(asked):
            raise
        return None


def _wanted_by(data: Data) -> str:
    return f"evaluation.deepchecks.{data}"


def _chosen(data: Data, asked: SuiteRecipe, imported: Any) -> ChosenSuite:
    try:
        return choose(asked, imported, AFTER_TRAINING, UNFIT[data])
    except UnfitSuite as error:
        raise EvaluationError(f"evaluation.deepchecks.{data}.{error}") from error


def _left_out(data: Data, asked: SuiteRecipe) -> list[str]:
    return [*asked.skip, *(name for name in UNFIT[data] if name in WORTH_TELLING)]
