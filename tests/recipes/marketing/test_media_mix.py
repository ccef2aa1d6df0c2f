"""The model of media finds what it was planted with, says how sure it is, and is released without its code."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recipes.marketing.media_curves import adstock, hill
from recipes.marketing.media_mix import MediaMix
from recipes.marketing.mix_prior import DEMAND
from tests.recipes.marketing.simulated import DECAY, LAGS, loaded, market, recipe, trained
from totalml.errors import ModelError, TrainingError
from totalml.model.inputs import Inputs
from totalml.release.onnx_export import export_onnx
from totalml.training import predict, predict_members
from totalml.training.own_module import create


@pytest.fixture(scope="module")
def planted():
    return market()


@pytest.fixture(scope="module")
def fitted(planted, tmp_path_factory):
    return trained(planted, tmp_path_factory.mktemp("mix"))


def batch_of(market, rows):
    return {
        "numeric": torch.from_numpy(market.features.numeric[rows]),
        "categorical": torch.from_numpy(market.features.categorical[rows]),
    }


def test_what_is_remembered_is_a_mean_of_what_is_known():
    spend = torch.tensor([[[8.0, 4.0, torch.nan], [5.0, 5.0, 5.0]]])
    decay = torch.tensor([[0.5, 0.9], [0.25, 0.1]])
    remembered = adstock(spend, decay)
    assert remembered.shape == (1, 2, 2)
    assert remembered[0, 0, 0] == pytest.approx((8 + 0.5 * 4) / 1.5)
    assert remembered[0, 1, 0] == pytest.approx((8 + 0.25 * 4) / 1.25)
    assert remembered[0, :, 1].tolist() == pytest.approx([5.0, 5.0])


def test_the_curve_is_that_of_hill():
    spend, half, shape = torch.rand(7, 3, 2) * 50, torch.rand(3, 2) * 50 + 1, torch.rand(3, 2) + 0.5
    assert torch.allclose(hill(spend, half, shape), spend**shape / (spend**shape + half**shape), atol=1e-5)
    assert hill(torch.zeros(1, 3, 2), half, shape).max() < 1e-2


def test_it_finds_how_long_media_are_remembered_and_what_they_add(planted, fitted):
    module = loaded(*fitted)
    decay = module.curves().decay.mean(dim=0).tolist()
    assert decay == pytest.approx(list(DECAY.values()), abs=0.1)
    rows = planted.splits.train
    with torch.inference_mode():
        added = module.added(batch_of(planted, rows)).mean(dim=1).sum(dim=0).tolist()
    assert added == pytest.approx([each[rows].sum() for each in planted.added.values()], rel=0.15)


def test_demand_follows_season_and_price_as_least_squares_says_that_knows_what_media_added(planted, fitted):
    """It regresses the log of what is sold without media, by size, on waves, price, trend and regions."""
    module, rows = loaded(*fitted), planted.splits.train
    column = dict(zip(planted.features.numeric_names, planted.features.numeric[rows].T.astype(np.float64), strict=True))
    without = planted.features.targets.values[rows, 0] - sum(each[rows] for each in planted.added.values())
    turns = 2 * np.pi * np.outer(column["day_of_year"], [1, 2, 3]) / 365.25
    regions = np.eye(17)[planted.features.categorical[rows, 0]]
    known = np.column_stack([np.log(column["price"]), np.cos(turns), np.sin(turns), column["trend"], regions])
    elasticity, *waves = np.linalg.lstsq(known, np.log(without / column["size"]), rcond=None)[0][:7]
    believed = module.prior()["demand"].detach().mean(dim=0).numpy() * DEMAND
    assert believed[1] / float(module.spread[1]) == pytest.approx(elasticity, abs=0.1)
    assert believed[2:] == pytest.approx(waves, abs=0.02)
    assert max(np.abs(waves)) > 0.15


def test_it_forecasts_better_than_the_season_before(planted, fitted):
    rows = planted.splits.test
    truth = planted.features.targets.values[:, 0]
    error = np.abs(predict(*fitted, planted.features, rows)[:, 0] - truth[rows]).mean()
    assert error < np.abs(truth[rows] - truth[rows - 52 * 16]).mean() / 2


def test_the_answer_is_the_mean_of_members_which_agree_more_than_without_data(planted, fitted):
    rows = planted.splits.test
    members = predict_members(*fitted, planted.features, rows)
    assert members.shape == (len(rows), 8)
    assert np.allclose(members.mean(axis=1), predict(*fitted, planted.features, rows)[:, 0], rtol=1e-5)
    knowing, believing = loaded(*fitted), create(fitted[0], Inputs.of(planted.features))
    spread = [module.curves().decay.std(dim=0) for module in (knowing, believing)]
    assert (spread[0] < spread[1] / 2).all()


def test_members_weigh_months_alike_however_rows_are_batched():
    module = MediaMix(["team/tv"], members=4000)
    years = torch.tensor([1.0, 1.01, 1.5, 1.0])
    weights = module._weights(years)
    assert torch.equal(weights, torch.cat([module._weights(years[:2]), module._weights(years[2:])]))
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[3])
    assert not torch.equal(weights[0], weights[2])
    # Exponential: mean and deviation are 1.
    assert float(weights[2].mean()) == pytest.approx(1, abs=0.06)
    assert float(weights[2].std()) == pytest.approx(1, abs=0.08)


def test_without_season_and_shocks_media_are_given_what_the_season_sold(planted, fitted, tmp_path):
    blind = trained(planted, tmp_path, season=0, shock=0.0)
    rows = planted.splits.train
    true = sum(each[rows].sum() for each in planted.added.values())
    with torch.inference_mode():
        seeing, unseeing = (
            float(loaded(*each).added(batch_of(planted, rows)).mean(dim=1).sum()) / true for each in (fitted, blind)
        )
    assert abs(seeing - 1) < 0.1
    assert unseeing > seeing + 0.1


def test_what_was_never_seen_is_answered_with_a_number(planted, fitted):
    numeric, categorical = planted.features.numeric[:3].copy(), planted.features.categorical[:3] * 0
    numeric[1, :LAGS], numeric[2, 4:] = np.nan, 0.0
    given = {"numeric": torch.from_numpy(numeric), "categorical": torch.from_numpy(categorical)}
    given["numeric"][:, planted.features.numeric_names.index("size")] = 100.0
    with torch.inference_mode():
        assert loaded(*fitted).predict_step(given, 0).isfinite().all()


def test_the_released_file_answers_as_the_run(planted, fitted, tmp_path):
    features = planted.features
    exported = export_onnx(*fitted, features, planted.splits.test, tmp_path / "model.onnx")
    assert exported.largest_difference < 1e-5
    assert set(exported.inputs) == {"numeric", "categorical"}


def test_all_columns_that_are_missing_are_told_at_once(planted):
    wrong = recipe(channels=["team/tv", "team/radoi"], controls=["prise"], logs=[], region="shop")
    with pytest.raises(ModelError) as caught:
        create(wrong, Inputs.of(planted.features))
    told = str(caught.value)
    assert "'prise', which the features lack, did you mean 'price'?" in told
    assert "'team/radoi'" in told
    assert "categorical column 'shop', which the features lack; there are: region" in told


def test_what_never_changed_in_training_may_change_later(planted, tmp_path):
    numeric = planted.features.numeric.copy()
    numeric[:, planted.features.numeric_names.index("price")] = 5.0
    same = replace(planted, features=replace(planted.features, numeric=numeric))
    given = batch_of(same, planted.splits.test)
    module = loaded(*trained(same, tmp_path, epochs=2))
    with torch.inference_mode():
        before = module.predict_step(given, 0)
        given["numeric"][:, planted.features.numeric_names.index("price")] = 5.5
        assert torch.allclose(module.predict_step(given, 0), before, rtol=0.1)


def test_a_channel_that_was_never_used_or_known_adds_next_to_nothing(planted, tmp_path):
    numeric = planted.features.numeric.copy()
    radio = [at for at, name in enumerate(planted.features.numeric_names) if name.startswith("team/radio")]
    for value in (0.0, np.nan):
        numeric[:, radio] = value
        unused = replace(planted, features=replace(planted.features, numeric=numeric))
        module = loaded(*trained(unused, tmp_path / str(value), epochs=1))
        with torch.inference_mode():
            added = module.added(batch_of(unused, planted.splits.train)).mean(dim=1).sum(dim=0)
        assert added.isfinite().all()
        assert added[1] < added[0] / 1000


def test_a_training_that_stops_goes_on_to_equal_weights(planted, tmp_path, monkeypatch):
    _, whole = trained(planted, tmp_path / "whole", epochs=3)
    learn, steps = MediaMix.training_step, iter(range(60))

    def stops(self, batch, batch_idx):
        if next(steps, None) is None:  # within the second epoch
            raise OSError("the disk is full")
        return learn(self, batch, batch_idx)

    monkeypatch.setattr(MediaMix, "training_step", stops)
    with pytest.raises(TrainingError, match="the disk is full"):
        trained(planted, tmp_path / "stopped", epochs=3)
    monkeypatch.undo()
    _, resumed = trained(planted, tmp_path / "stopped", epochs=3)
    assert resumed.resumed_from == 1
    assert resumed.weights_digest == whole.weights_digest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"members": 0, "season": -1}, "members of 1 or more, season and shock of 0 or more; got 0, -1 and 0.05"),
        ({"logs": ["prices"]}, "logs names 'prices', which stands not in controls"),
        ({"channels": ["team/tv", "price"]}, "as many lags as the others, got team/tv 13, price 1"),
    ],
)
def test_arguments_that_do_not_fit_are_told(planted, arguments, told):
    with pytest.raises(ModelError, match=told):
        create(recipe(**arguments), Inputs.of(planted.features))
