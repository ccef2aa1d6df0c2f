"""A model that reads a coaster instead of the pint is right, and is caught by what it looks at."""

from pathlib import Path

import pytest

from tests.evaluation.looking import Pints
from totalml.compose import compose_recipe
from totalml.data import split_samples, take_snapshot
from totalml.evaluation import Explanation, evaluate, explain
from totalml.features import build_features
from totalml.progress import Progress
from totalml.store import Store
from totalml.training import predict, train_model

REPOSITORY = Path(__file__).parents[2]
SMALL = [
    "+recipe=guinness_smoke",
    "training.epochs=10",
    "training.augment=[]",
    "training.batch_size=32",
    "training.early_stopping=null",
    "runtime.device=cpu",
    "runtime.threads=1",
]
# What a recipe's gates would say of where that lies which decides.
LEAST_ON_GLASS = 0.4
MOST_OUTSIDE = 0.6


def trained_on(coaster: str, folder: Path) -> tuple[float, Explanation]:
    """Accuracy on test, and what the model looks at."""
    folder.mkdir()
    silent, recipe = Progress.silent(), compose_recipe(REPOSITORY, SMALL)
    data = recipe.data.model_copy(update={"source": Pints(count=200, coaster=coaster)})
    recipe = recipe.model_copy(update={"data": data})
    store = Store(folder / "store")
    snapshot = take_snapshot(recipe.data, store, silent)
    splits = split_samples(recipe.data.split, snapshot)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, silent)
    trained = train_model(recipe, features, splits, folder, silent)
    rows = splits.test
    probabilities = predict(recipe, trained, features, rows)
    ids = [features.ids[row] for row in rows]
    found = evaluate(
        recipe.evaluation, features.targets.names, ids, features.targets.values[rows], probabilities, None, 0
    )
    accuracy = found.metrics["accuracy"].value
    return accuracy, explain(recipe, trained, features, snapshot.samples, store, rows, found)


def passes(explanation: Explanation) -> bool:
    figures = explanation.figures()
    on_glass = figures["explanation.integrated_gradients.share.glass"].value
    outside = figures["explanation.integrated_gradients.share.outside"].value
    return on_glass >= LEAST_ON_GLASS and outside <= MOST_OUTSIDE


@pytest.mark.slow
def test_a_gate_on_what_it_looks_at_catches_a_coaster_that_gives_the_label_away(tmp_path):
    honest, looked = trained_on("none", tmp_path / "plain")
    shortcut, misled = trained_on("tells", tmp_path / "coaster")
    assert shortcut > 0.97  # no metric complains
    assert shortcut > honest
    assert passes(looked)
    assert not passes(misled)
    for method in ("", "integrated_gradients."):
        share = f"explanation.{method}share.glass"
        assert misled.figures()[share].high < looked.figures()[share].low, share
