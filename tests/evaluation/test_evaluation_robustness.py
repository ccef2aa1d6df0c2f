"""Models whose weakness is planted, and the intervals of what is found."""

import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.evaluation.pictured import Rule, whole
from tests.in_memory import feature_set
from tests.training.planted import recipe as planted_recipe
from tests.training.planted import splits, squares
from totalml.errors import EvaluationError
from totalml.evaluation import Robustness, measure_robustness
from totalml.evaluation.pictures import evenly
from totalml.evaluation.robustness.measure import judged, robustness_of
from totalml.evaluation.shares import wilson, z_of
from totalml.recipe import EvaluationRecipe, RobustnessRecipe
from totalml.training import train_model

ASKED = RobustnessRecipe()


def measured(score, pixels, labels):
    with torch.inference_mode():
        features = feature_set(pixels, labels=labels)
        unchanged, changed = judged(whole(Rule(score), features), ASKED, np.arange(len(labels)))
    return robustness_of(ASKED, unchanged, changed, len(labels), 0.95)


def striped(count=300, side=32):
    """Good ones have fine stripes, bad ones are plain."""
    labels = np.arange(count) % 2
    stripes = np.where(np.arange(side) % 2, 30, -30)[None, None, :, None] * labels[:, None, None, None]
    shade = np.random.default_rng(1).integers(90, 160, (count, 1, 1, 3))
    return (shade + stripes + np.zeros((1, side, 1, 1), int)).astype(np.uint8), labels


def accuracies(found, kind):
    return [point.accuracy.value for point in found.curves[kind]]


def test_a_model_that_looks_at_fine_stripes_fails_under_blur():
    pixels, labels = striped()
    found = measured(lambda images: images.diff(dim=2).abs().mean(dim=(1, 2, 3)) - 20, pixels, labels)
    assert found.unchanged.value == 1.0
    assert accuracies(found, "blur")[-1] == 0.5
    assert found.curves["blur"][-1].drop.low > 0.4
    assert accuracies(found, "rotation")[0] > 0.9
    assert found.worst.accuracy.value == 0.5
    assert found.worst.drop.low > 0.3


def test_a_model_that_looks_at_one_bright_pixel_fails_under_blur_and_in_the_dark_only():
    chance = np.random.default_rng(2)
    pixels, labels = chance.integers(60, 90, (300, 32, 32, 3)).astype(np.uint8), np.arange(300) % 2
    rows = np.flatnonzero(labels)
    pixels[rows, chance.integers(8, 24, len(rows)), chance.integers(8, 24, len(rows))] = 255
    found = measured(lambda images: images.mean(dim=3).amax(dim=(1, 2)) - 150, pixels, labels)
    assert found.unchanged.value == 1.0
    assert accuracies(found, "blur")[-1] == accuracies(found, "dark")[-1] == 0.5
    assert min(accuracies(found, "noise")[:3]) == 1.0
    assert found.worst.kind in ("blur", "dark")


def test_a_model_that_always_says_the_same_loses_nothing():
    found = measured(lambda images: torch.ones(len(images)), *striped())
    points = [point for curve in found.curves.values() for point in curve]
    assert len(points) == 25
    assert {point.accuracy.value for point in points} == {0.5}
    assert all(point.drop.low < 0 < point.drop.high for point in points)
    assert found.worst.drop.low < 0


def test_the_interval_of_a_loss_covers_it_as_often_as_it_says():
    chance, covered = np.random.default_rng(3), []
    for _ in range(400):
        before = chance.random(100) < 0.9
        after = before & (chance.random(100) < 0.9)  # the true loss is 0.09
        rights = np.stack([after] * 5)
        drop = robustness_of(RobustnessRecipe(**only("blur")), before, {"blur": rights}, 100, 0.95).curves["blur"][0]
        covered.append(drop.drop.low <= 0.09 <= drop.drop.high)
    assert 0.92 <= np.mean(covered) <= 0.99


def only(kind):
    return {other: None for other in ("blur", "noise", "dark", "jpeg", "rotation") if other != kind}


def test_the_worst_of_many_points_is_not_told_worse_than_it_is():
    """Every point has the same true accuracy; the worst one was chosen for its bad luck."""
    chance, covered = np.random.default_rng(4), []
    for _ in range(300):
        changed = {kind: chance.random((5, 150)) < 0.8 for kind in ASKED.kinds()}
        worst = robustness_of(ASKED, chance.random(150) < 0.8, changed, 150, 0.95).worst.accuracy
        covered.append(worst.low <= 0.8 <= worst.high)
    assert np.mean(covered) >= 0.94


def test_each_point_has_its_wilson_interval_and_a_name_for_gates():
    changed = {kind: np.arange(5 * 40).reshape(5, 40) % 7 > 1 for kind in ASKED.kinds()}
    found = robustness_of(ASKED, np.ones(40, bool), changed, 311, 0.9)
    figures = found.figures()
    hits = changed["noise"][2].sum()
    low, high = wilson(np.array([hits]), np.array([40]), z_of(0.9))
    point = figures["robustness.noise.3.accuracy"]
    assert (point.value, point.low, point.high) == (hits / 40, low[0], high[0])
    assert figures["robustness.noise.3.drop"].value == pytest.approx(1 - hits / 40)
    assert figures["robustness.worst.accuracy"].value == min(rights.mean(1).min() for rights in changed.values())
    assert len(figures) == 1 + 25 * 2 + 2
    assert (found.samples, found.among) == (40, 311)


def test_it_comes_back_from_its_file_whole(tmp_path):
    changed = {kind: np.arange(5 * 40).reshape(5, 40) % 7 > 1 for kind in ASKED.kinds()}
    found = robustness_of(ASKED, np.ones(40, bool), changed, 311, 0.9)
    found.save(tmp_path)
    assert Robustness.load(tmp_path) == found
    assert json.loads((tmp_path / "robustness.json").read_text())["samples"] == 40


def test_a_choice_of_samples_is_even_and_needs_no_chance():
    rows = np.arange(1000) * 3
    assert (evenly(rows, 4) == rows[[125, 375, 625, 875]]).all()
    assert (evenly(rows[:5], 500) == rows[:5]).all()


@pytest.mark.parametrize("table", [False, True])
def test_a_trained_model_is_opened_whole_and_gives_the_same_twice(tmp_path, table):
    features = squares(80)
    recipe = planted_recipe(table=table, epochs=2).model_copy(
        update={"evaluation": EvaluationRecipe(robustness={"samples": 12})}
    )
    trained = train_model(recipe, features, splits(features), tmp_path)
    first, second = (measure_robustness(recipe, trained, features, splits(features).test) for _ in range(2))
    assert first == second
    assert (first.samples, first.among) == (12, 20)


def test_without_a_test_split_there_is_a_message():
    recipe = planted_recipe()
    with pytest.raises(EvaluationError, match=r"Raise data\.split\.test"):
        measure_robustness(recipe, None, squares(8), np.zeros(0, np.int64))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"blur": [0.01, 0.02, 0.02, 0.03, 0.04]}, "each strength must be worse than the one before"),
        ({"jpeg": [5, 10, 20, 30, 40]}, "each strength must be worse than the one before"),
        ({"noise": [1.0, 2.0]}, "at least 5 items"),
        ({"rotation": [1.0, 2.0, 3.0, 4.0, 500.0]}, "less than or equal to 180"),
        (dict.fromkeys(("blur", "noise", "dark", "jpeg", "rotation")), "set 'robustness: null'"),
    ],
)
def test_strengths_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        EvaluationRecipe(robustness=wrong)
