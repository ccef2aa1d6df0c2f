"""Strangers are flagged and others no oftener than stated, against worlds where both are known."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.evaluation.pictured import Drawn, thirds, whole
from tests.in_memory import feature_set
from tests.training.planted import recipe as planted_recipe
from tests.training.planted import splits, squares
from totalml.data import ImageTable, take_snapshot
from totalml.errors import EvaluationError
from totalml.evaluation import OutOfDistribution, measure_out_of_distribution
from totalml.evaluation.out_of_distribution.detector import Detector, fit, shrunk_covariance
from totalml.evaluation.out_of_distribution.embed import embedded, embedded_changed
from totalml.evaluation.out_of_distribution.measure import Scored, detected, record_of
from totalml.evaluation.out_of_distribution.strangers import STRANGERS
from totalml.features import build_features
from totalml.features.build import sample_keys
from totalml.recipe import DataRecipe, EvaluationRecipe, FeaturesRecipe, ImageFeatures
from totalml.store import Store
from totalml.task import Classification
from totalml.training import train_model

CLOTHING = Path(__file__).parents[3] / "shared" / "data" / "clothing" / "labels.csv"
ASKED = EvaluationRecipe()


def glasses(count, seed, side=24):
    """Dark glasses with a pale head before a brown wall; good ones have a higher head."""
    chance = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = chance.normal([90, 60, 40], 12, (count, side, side, 3)) * chance.uniform(0.7, 1.3, (count, 1, 1, 1))
    for row, label in enumerate(labels):
        left, top = chance.integers(4, 10), chance.integers(3, 7)
        pixels[row, top:22, left : left + 10] = [25, 18, 15]
        pixels[row, top : top + 2 + 3 * label, left : left + 10] = [225, 210, 180]
    return np.clip(pixels, 0, 255).astype(np.uint8), labels


def meadows(count, seed, side=24):
    """Another world: green below, blue above, and white spots."""
    chance = np.random.default_rng(seed)
    pixels = chance.normal([60, 140, 50], 15, (count, side, side, 3))
    pixels[:, : side // 2] = chance.normal([120, 170, 230], 10, (count, side // 2, side, 3))
    for row in range(count):
        y, x = chance.integers(0, side - 4, 2)
        pixels[row, y : y + 4, x : x + 4] = 250
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_another_world_is_flagged_and_the_same_one_no_oftener_than_stated():
    flagged = count = 0
    for seed in range(8):
        pixels, labels = glasses(600, seed)
        network = Drawn(seed)
        found = detected(whole(network, feature_set(pixels, labels=labels)), ASKED, thirds(600))
        others = feature_set(meadows(60, seed), labels=np.zeros(60, np.int64))
        strangers = found.detector.score(embedded(whole(network, others), np.arange(60))[0])
        assert found.detector.flagged(strangers).mean() > 0.95
        assert found.record.strangers["noise"].value == found.record.strangers["flat"].value == 1.0
        assert not found.record.strange
        flagged, count = flagged + found.record.scores["flagged"].to_numpy().sum(), count + 200
    # Both the validation split, which sets the threshold, and the test split are of 200.
    assert 0.01 < flagged / count <= 0.05 + 2.6 * (2 * 0.05 * 0.95 / count) ** 0.5


def test_a_test_split_with_a_third_of_strangers_is_told():
    pixels, labels = glasses(600, 1)
    test = thirds(600).test
    pixels[test[::3]] = meadows(len(test[::3]), 1)
    record = detected(whole(Drawn(1), feature_set(pixels, labels=labels)), ASKED, thirds(600)).record
    assert record.strange
    assert record.flagged.value == pytest.approx(0.33, abs=0.08)


@pytest.mark.parametrize("samples", [60, 5000])
def test_the_covariance_is_ledoit_and_wolf_s(samples):
    theirs = pytest.importorskip("sklearn.covariance").ledoit_wolf
    values = np.random.default_rng(0).normal(size=(samples, 12)) @ np.random.default_rng(1).normal(size=(12, 12))
    values -= values.mean(axis=0)
    assert shrunk_covariance(values) == pytest.approx(theirs(values, assume_centered=True)[0])


def test_the_score_is_mahalanobis_distance_to_the_nearest_class():
    chance = np.random.default_rng(2)
    labels = np.arange(400) % 3
    values = chance.normal(size=(400, 6)) @ chance.normal(size=(6, 6)) + 5 * labels[:, None]
    means = [values[labels == k].mean(axis=0) for k in range(3)]
    inverse = np.linalg.inv(shrunk_covariance(values - np.stack(means)[labels]))
    new = chance.normal(size=(20, 6)) * 4
    expected = [min((one - m) @ inverse @ (one - m) for m in means) for one in new]
    detector = fit(values, labels)
    assert detector.score(new) == pytest.approx(np.sqrt(np.array(expected) / 6), rel=1e-4)
    assert np.sqrt((detector.score(values) ** 2).mean()) == pytest.approx(1, abs=0.1)


def test_embeddings_that_are_all_alike_have_a_score_too():
    detector = fit(np.ones((20, 4), np.float32), np.arange(20) % 2)
    assert np.isfinite(detector.score(np.ones((3, 4)))).all()


@pytest.mark.parametrize("validation", [19, 60, 400])
def test_a_threshold_lets_through_as_many_as_stated(validation):
    chance, shares = np.random.default_rng(3), []
    detector = Detector(np.eye(2, dtype=np.float32), np.zeros((1, 2), np.float32))
    for _ in range(400):
        set_ = detector.with_threshold(chance.random(validation), 0.05)
        shares.append(set_.flagged(chance.random(500)).mean())
    assert 0.05 - 1 / validation - 0.005 < np.mean(shares) < 0.05 + 0.005


def test_too_small_a_validation_split_sets_no_threshold_and_says_so():
    detector = fit(np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2)
    scores = np.arange(18.0)
    detector = detector.with_threshold(scores, 0.05)
    assert detector.threshold is None
    scored = Scored(scores, scores, scores > 3, {"noise": scores})
    record = record_of(detector, scored, [f"s{k}" for k in range(18)], 50, 0.05, 0.95)
    assert "18 validation samples are too few" in record.threshold.note
    assert record.figures()["out_of_distribution.false_alarms"].value is None
    assert not record.scores["flagged"].to_numpy().any()


def test_what_was_fitted_and_found_comes_back_from_its_files(tmp_path):
    pixels, labels = glasses(90, 4)
    found = detected(whole(Drawn(4), feature_set(pixels, labels=labels)), ASKED, thirds(90))
    found.save(tmp_path)
    loaded, detector = OutOfDistribution.load(tmp_path), Detector.load(tmp_path)
    assert loaded == found.record
    assert loaded.scores.column_names == ["id", "score", "flagged"]
    new = np.random.default_rng(0).normal(size=(9, 24)).astype(np.float32)
    assert (detector.score(new) == found.detector.score(new)).all()
    assert detector.threshold == found.record.threshold.value
    assert set(found.record.figures()) >= {
        "out_of_distribution.false_alarms",
        "out_of_distribution.noise.flagged",
        "out_of_distribution.accuracy.flagged",
    }


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_holds_no_detector_is_refused(tmp_path, content):
    (tmp_path / "out_of_distribution.safetensors").write_bytes(content)
    with pytest.raises(EvaluationError, match="cannot be read"):
        Detector.load(tmp_path)


def test_strangers_are_what_their_names_say():
    images = torch.from_numpy(glasses(40, 5)[0])
    keys = torch.from_numpy(sample_keys([f"s{k}" for k in range(40)]))
    made = {kind: change(images, keys) for kind, change in STRANGERS.items()}
    assert all(one.shape == images.shape and one.dtype == torch.uint8 for one in made.values())
    assert made["noise"].float().mean().item() == pytest.approx(127.5, abs=1.5)
    assert made["noise"].float().std().item() == pytest.approx(256 / 12**0.5, rel=0.01)
    assert (made["flat"] == made["flat"][:, :1, :1]).all()
    assert len(made["flat"][:, 0, 0].unique(dim=0)) > 35
    pixels = [one.reshape(40, -1, 3).sort(dim=1).values for one in (images, made["tiles"])]
    assert (pixels[0] == pixels[1]).all()
    assert (made["tiles"] != images).flatten(1).any(dim=1).float().mean() > 0.95
    assert (
        (images[0, :6, :6] == made["tiles"][0].unfold(0, 6, 6).unfold(1, 6, 6).permute(0, 1, 3, 4, 2))
        .flatten(2)
        .all(dim=2)
        .any()
    )
    assert (made["negative"].int() + images.int() == 255).all()
    for kind, change in STRANGERS.items():
        assert (change(images[7:9], keys[7:9]) == made[kind][7:9]).all()


@pytest.mark.parametrize("table", [False, True])
def test_what_enters_the_head_of_a_trained_model_is_heard(tmp_path, table):
    from totalml.training.end_to_end import end_to_end_network

    features = squares(80)
    recipe = planted_recipe(table=table, epochs=2)
    trained = train_model(recipe, features, splits(features), tmp_path)
    rows = splits(features).test
    with end_to_end_network(recipe, trained, features) as opened:
        values, said = embedded(opened, rows)
        kept = embedded_changed(opened, rows, lambda images, keys: images)
        head = opened.network.head
        scores = values @ head.weight.detach().numpy().T + head.bias.detach().numpy()
        assert said == pytest.approx(scores, abs=1e-4)
        assert values == pytest.approx(kept)
        assert not head._forward_pre_hooks
    first, second = (measure_out_of_distribution(recipe, trained, features, splits(features)) for _ in range(2))
    assert first.record == second.record


@pytest.mark.real_data
@pytest.mark.skipif(not CLOTHING.exists(), reason="the photos of clothing are not here")
def test_photos_of_clothing_are_strangers_to_a_model_of_glasses(tmp_path):
    store = Store(tmp_path)
    data = DataRecipe(source=ImageTable(table=str(CLOTHING), group_column="sender_id"))
    snapshot = take_snapshot(data, store)
    photos = build_features(FeaturesRecipe(image=ImageFeatures(size=24)), data, Classification(), snapshot, store)
    pixels, labels = glasses(600, 6)
    network = Drawn(6)
    found = detected(whole(network, feature_set(pixels, labels=labels)), ASKED, thirds(600))
    scores = found.detector.score(embedded(whole(network, photos), np.arange(0, len(photos), 5))[0])
    assert found.detector.flagged(scores).mean() > 0.8
