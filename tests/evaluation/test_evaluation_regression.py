"""Figures against their formulas, intervals against the share of truths that they hold."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.regressed import after, regressed
from totalml.errors import EvaluationError
from totalml.evaluation import Evaluation, Predicted
from totalml.evaluation.paired import paired
from totalml.evaluation.regression.conformal import intervals, least_samples, rank_of
from totalml.evaluation.regression.values import Values
from totalml.evaluation.regression.weighted import WeightedFigures, bootstrap
from totalml.recipe import EvaluationRecipe
from totalml.task import Regression


def some(samples=200, targets=2, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.gamma(2.0, [3.0, 400.0][:targets], (samples, targets))
    return truth, truth + generator.normal(0.3, 1.0, (samples, targets)) * [1.0, 100.0][:targets]


def test_figures_are_those_of_their_formulas():
    truth, said = some()
    found = regressed(truth, said)
    for t, name in enumerate(found.targets):
        y, e = truth[:, t], said[:, t] - truth[:, t]
        expected = {
            "mae": np.mean(np.abs(e)),
            "rmse": np.mean(e**2) ** 0.5,
            "r2": 1 - np.sum(e**2) / np.sum((y - y.mean()) ** 2),
            "bias": np.mean(e),
        }
        assert {key: found.per_target[name][key].value for key in expected} == pytest.approx(expected)


def test_several_targets_are_told_together_in_deviations():
    truth, said = some()
    found, training = regressed(truth, said), truth.std(axis=0)
    errors = np.abs(said - truth)
    assert found.metrics["mae"].value == pytest.approx((errors / training).mean())
    assert found.metrics["rmse"].value == pytest.approx((np.sqrt((errors**2).mean(axis=0)) / training).mean())
    assert found.metrics["r2"].value == pytest.approx(np.mean([found.per_target[t]["r2"].value for t in found.targets]))
    scaled = regressed(truth * [1, 1000], said * [1, 1000])
    assert scaled.metrics["mae"].value == pytest.approx(found.metrics["mae"].value)


def test_one_target_is_told_in_its_own_unit():
    truth, said = some(targets=1)
    found = regressed(truth, said, units={"t0": "mm"})
    assert found.metrics["mae"].value == pytest.approx(np.abs(said - truth).mean())
    assert found.unit == "mm"


def test_r2_of_truths_that_are_all_alike_is_undefined():
    found = regressed(np.full((9, 1), 0.1), np.arange(9.0)[:, None])
    assert found.metrics["r2"].value is None
    assert "the same 't0'" in found.metrics["r2"].note
    assert found.metrics["mae"].value == pytest.approx(np.abs(np.arange(9) - 0.1).mean())


def test_each_resample_has_the_figures_of_its_samples():
    truth, said = some(40)
    error = np.random.default_rng(3).uniform(1, 2, truth.shape) * [1.0, np.nan]
    values = Values(truth, said, said - 1, said + 1, np.array([1.0, 100.0]), truth + error, error)
    counts = np.random.default_rng(2).multinomial(40, np.full(40, 1 / 40), 30)
    weighted = WeightedFigures(values).of(counts)
    for row, count in enumerate(counts):
        drawn = np.repeat(np.arange(40), count)
        alone = WeightedFigures(values.taken(drawn)).of(np.ones((1, 40), int))
        for key, each in alone.per_target.items():
            assert weighted.per_target[key][row] == pytest.approx(each[0], nan_ok=True)
            assert weighted.overall[key][row] == pytest.approx(alone.overall[key][0], nan_ok=True)
    # All of one sample: no spread of the truth to explain.
    alike = np.eye(40, dtype=int)[:1] * 40
    assert np.isnan(WeightedFigures(values).of(alike).per_target["r2"]).all()


def test_intervals_of_the_error_hold_it_as_often_as_stated():
    """The mean absolute error of a normal deviate is sqrt(2 / pi)."""
    held = 0
    for seed in range(200):
        errors = np.random.default_rng(seed).normal(size=(120, 1))
        asked = EvaluationRecipe(bootstrap=300, slices=None)
        mae = regressed(np.zeros((120, 1)), errors, asked, seed=seed).metrics["mae"]
        held += mae.low <= (2 / np.pi) ** 0.5 <= mae.high
    assert 0.89 <= held / 200 <= 0.99


def test_the_same_seed_gives_the_same_resamples():
    values = Values(
        *(np.zeros((9, 1)), np.arange(9.0)[:, None]),
        *[np.full((9, 1), np.nan)] * 2,
        np.ones(1),
        *[np.ones((9, 1))] * 2,
    )
    one, same, other = (bootstrap(values, 20, seed).overall["mae"] for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("reach", ["constant", "proportional"])
@pytest.mark.parametrize("quantiles", [False, True])
@pytest.mark.parametrize(("coverage", "samples"), [(0.9, 19), (0.8, 50), (0.5, 7)])
def test_intervals_hold_the_truth_at_least_as_often_as_promised(quantiles, coverage, samples, reach):
    """Over many draws of validation and test, of a bad model of skewed truths: the promise needs no good one."""
    generator, held = np.random.default_rng(3), []
    for _ in range(2000):
        truth = generator.exponential(size=(samples + 20, 1)) * generator.uniform(0.5, 3, (samples + 20, 1))
        said = np.repeat(generator.normal(1, 0.3, (samples + 20, 1)), 3 if quantiles else 1, axis=1)
        if quantiles:
            said += [-0.3, 0.0, 0.2]
        _, low, high = intervals(said[samples:], truth[:samples], said[:samples], coverage, reach)
        held.append(((truth[samples:] >= low) & (truth[samples:] <= high)).mean())
    assert np.mean(held) >= coverage - 2 * np.std(held) / len(held) ** 0.5
    # Nor much wider than need be; bounds of quantiles never pass what is said, so those may hold more.
    assert quantiles or np.mean(held) <= coverage + 1 / (samples + 1) + 0.01


def test_the_rank_is_the_one_of_finite_samples():
    assert [rank_of(0.9, n) for n in (8, 9, 19, 20, 99)] == [9, 9, 18, 19, 90]
    assert [least_samples(coverage) for coverage in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]
    truth = np.arange(10.0)[:, None]
    _, low, high = intervals(np.zeros((1, 1)), truth, np.zeros((10, 1)), 0.8)
    assert (low[0, 0], high[0, 0]) == (-8.0, 8.0)  # the ninth of 0 .. 9


def test_quantiles_are_widened_by_what_they_miss_and_narrowed_by_what_they_need_not():
    answers = np.tile([-2.0, 0.0, 2.0], (1, 1))
    validation = np.tile([-2.0, 0.0, 2.0], (9, 1))
    for truths, expected in ((np.full((9, 1), 3.0), (-3.0, 3.0)), (np.full((9, 1), 1.0), (-1.0, 1.0))):
        _, low, high = intervals(answers, truths, validation, 0.9)
        assert (low[0, 0], high[0, 0]) == expected


def test_in_proportion_an_interval_reaches_the_same_share_of_what_is_said_to_either_side():
    said, truth = np.array([[100.0], [-40.0], [0.0]]), np.array([[101.0], [110.0], [97.0], [104.0]])
    _, low, high = intervals(said, truth, np.full((4, 1), 100.0), 0.8, "proportional")
    assert (high - said)[:, 0] == pytest.approx([10.0, 4.0, 0.0], abs=1e-6)
    assert low == pytest.approx(2 * said - high)


def test_an_answer_of_nothing_makes_no_interval_that_is_no_number():
    for wrong, bound in ((1, 0.0), (5, np.inf)):
        said = np.full((9, 1), 100.0)
        said[:wrong] = 0.0
        _, low, high = intervals(np.full((1, 1), 100.0), np.full((9, 1), 100.0), said, 0.8, "proportional")
        assert np.isfinite([low, high]).all()
        assert (high - low <= bound).all()


def test_too_few_validation_samples_make_no_interval_and_say_so():
    truth, said = some(30, 1)
    for validation in (None, (truth[:8], said[:8])):
        found = regressed(truth, said, validation=validation)
        assert found.metrics["coverage"].value is None
        assert "too few for intervals of 90 %; 9 are enough" in found.metrics["interval_width"].note
        assert found.predictions["lower"].null_count == 30
        assert found.thirds["t0"] == ()
    assert regressed(truth, said, validation=(truth[:9], said[:9])).metrics["coverage"].value is not None


def test_coverage_by_third_of_the_answer_finds_where_intervals_are_too_narrow():
    generator = np.random.default_rng(0)
    said = generator.uniform(0, 10, (900, 1))
    truth = said + generator.normal(0, 0.2 + said / 5)
    found = regressed(truth[300:], said[300:], validation=(truth[:300], said[:300]))
    low, _, high = found.thirds["t0"]
    assert low.coverage.value > 0.95 > 0.9 > high.coverage.value
    assert low.high <= high.low
    assert low.count == high.count == 200


def test_what_was_measured_can_be_read_back(tmp_path):
    truth, said = some(60)
    asked = EvaluationRecipe(bootstrap=20, slices=None)
    for targets in (1, 2):
        validation = (truth[:, :targets], said[:, :targets])
        found = regressed(*validation, asked, validation=validation, units={"t0": "mm"})
        found.save(tmp_path)
        again = Evaluation.load(tmp_path)
        assert again == found
        assert json.loads((tmp_path / "metrics.json").read_text())["units"] == {"t0": "mm"}
        assert again.given_columns == (("id", "truth") if targets == 1 else ("id", "truth:t0", "truth:t1"))
        assert set(again.given_columns) < set(again.predictions.column_names)
        assert again.answers().shape == (60, 3 * targets)


def test_figures_have_the_names_that_gates_use():
    figures = regressed(*some()).figures()
    assert {"mae", "rmse", "r2", "bias", "mase", "coverage", "interval_width"} <= figures.keys()
    assert {"per_target.t0.mae", "per_target.t1.interval_width"} <= figures.keys()


def test_intervals_that_held_every_time_may_miss_the_next():
    truth, said = some(30, 1)
    asked = EvaluationRecipe(bootstrap=20, slices=None)
    found = regressed(truth, said, asked, validation=(truth, said + 100))
    assert found.metrics["coverage"].value == 1
    for name in ("coverage", "per_target.t0.coverage"):
        assert found.figures()[name].low == pytest.approx(30 / (30 + 1.959964**2))


def test_always_answering_the_middle_is_what_a_model_must_beat():
    truth, said = some(100, 1)
    found = regressed(truth, said, known=after([[1.0], [2.0], [30.0]], truth))
    assert found.always == {"t0": 2.0}
    assert found.always_mae == pytest.approx(np.abs(truth - 2).mean())


def test_two_models_are_told_apart_on_the_same_samples():
    truth, said = some(150)
    asked = EvaluationRecipe(bootstrap=400, slices=None)
    worse, better = (regressed(truth, truth + (said - truth) * by, asked) for by in (1.0, 0.9))
    order = np.random.default_rng(5).permutation(150)
    shuffled = replace(better, predictions=better.predictions.take(order))
    differences = shuffled.paired_differences(worse)
    for name in ("mae", "rmse", "r2", "per_target.t1.mae"):
        expected = better.figures()[name].value - worse.figures()[name].value
        assert differences[name].value == pytest.approx(expected)
        assert differences[name].low <= expected <= differences[name].high
    # The errors move together, so that a tenth is sure where each interval alone holds both.
    assert differences["mae"].high < 0
    assert better.metrics["mae"].high > worse.metrics["mae"].low
    assert paired(worse, shuffled).difference == pytest.approx(-differences["mae"].value)
    assert not better.asks_the_same(replace(worse, targets=("t1", "t0")))


def test_the_same_answers_are_no_better_for_having_learnt_from_other_samples():
    truth, said = some(60, 2)
    narrow, wide = (regressed(truth, said, known=after(truth * spread, truth)) for spread in (1.0, [1.0, 9.0]))
    assert not np.allclose(narrow.sample_scores(), wide.sample_scores())
    assert paired(narrow, wide).difference == 0


def test_a_prediction_that_is_no_number_is_refused():
    with pytest.raises(EvaluationError, match="1 of 3 predictions are no numbers, first that of sample 's00001'"):
        regressed(np.zeros((3, 1)), [[0.0], [np.nan], [1.0]])
    with pytest.raises(EvaluationError, match="test split is empty"):
        regressed(np.zeros((0, 1)), np.zeros((0, 1)))


@pytest.mark.parametrize("reach", ["constant", "proportional"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_answers_about_other_samples_have_the_intervals_of_the_evaluation(outputs, reach):
    generator = np.random.default_rng(5)
    truth = generator.normal(size=(60, 2))
    answers = np.sort(truth[:, :, None] + generator.normal(0, 0.3, (60, 2, outputs)), axis=2).reshape(60, -1)
    predicted = Predicted(("a", "b"), [str(n) for n in range(30)], truth[:30], answers[:30], 0, None)
    predicted = replace(predicted, validation=(truth[30:], answers[30:]))
    task = Regression(targets=("a", "b"), intervals=reach)
    found = task.evaluate(EvaluationRecipe(depth="metrics", bootstrap=0), predicted)
    again = found.answer_columns(answers[:30])
    for name, column in again.items():
        assert np.allclose(np.asarray(column), found.predictions[name].to_numpy()), name
    assert set(again) == {f"{part}:{target}" for part in ("value", "lower", "upper") for target in "ab"}
