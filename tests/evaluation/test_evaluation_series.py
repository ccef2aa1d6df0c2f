"""Seasons of one series and of many, with rows missing, against the same said row by row."""

import json

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluation.regressed import regressed
from totalml.evaluation import Evaluation, Known, SampleContext
from totalml.evaluation.paired import paired
from totalml.evaluation.regression.seasonal import Series, seasonal
from totalml.recipe import EvaluationRecipe

WEEK_US = 7 * 86_400_000_000
SEASON = 4


def panel(seed=0, regions=5, weeks=30, missing=0.2):
    """Rows (week, region, value) in no order, some missing; the last region is new in the test split."""
    generator = np.random.default_rng(seed)
    rows = [(week, region) for week in range(weeks) for region in range(regions) if region < regions - 1 or week > 24]
    rows = [row for row in rows if generator.random() > missing]
    generator.shuffle(rows)
    week, region = np.array(rows).T
    values = generator.gamma(2.0, 1.0 + 10.0 ** region[:, None], (len(rows), 2))
    test = np.flatnonzero(week >= 22)
    return week, region, Known(values, np.flatnonzero(week < 18), test, week * WEEK_US)


def regions_of(region) -> SampleContext:
    return SampleContext(pa.table({"region": [f"region-{each}" for each in region]}), np.arange(len(region)))


@pytest.mark.parametrize("seed", range(4))
def test_each_series_is_held_against_its_own_season_and_over_gaps_nothing_is_compared(seed):
    week, region, known = panel(seed)
    stands = {(r, w): known.values[row] for row, (w, r) in enumerate(zip(week.tolist(), region.tolist(), strict=True))}
    trained = {(region[row], week[row]) for row in known.train.tolist()}
    found = seasonal(known, Series([f"r{n}" for n in range(5)], region), SEASON)
    for at, row in enumerate(known.test.tolist()):
        r, w = region[row], week[row]
        expected = stands.get((r, w - SEASON), np.full(2, np.nan))
        assert found.before[at] == pytest.approx(expected, nan_ok=True)
        steps = [abs(stands[r, v] - stands[r, v - SEASON]) for s, v in trained if s == r and (r, v - SEASON) in trained]
        assert found.error[at] == pytest.approx(np.mean(steps, axis=0) if steps else [np.nan] * 2, nan_ok=True)
    assert np.isnan(found.before).any()
    assert np.isnan(found.error).any()
    assert np.isfinite(found.error).any()


def test_mase_and_skill_are_those_of_their_formulas_and_a_new_series_is_told():
    _, region, known = panel()
    truth, season = known.values[known.test], seasonal(known, Series([f"r{n}" for n in range(5)], region), SEASON)
    said = truth + np.random.default_rng(1).normal(size=truth.shape)
    found = regressed(truth, said, known=known, season=SEASON, series="region", context=regions_of(region))
    off = np.abs(said - truth)
    for t, name in enumerate(found.targets):
        figures = found.per_target[name]
        assert figures["mase"].value == pytest.approx(np.nanmean(off[:, t] / season.error[:, t]))
        naive, is_there = np.abs(season.before - truth)[:, t], np.isfinite(season.before[:, t])
        assert figures["skill"].value == pytest.approx(1 - off[is_there, t].mean() / naive[is_there].mean())
    assert set(found.per_series) == {f"region-{n}" for n in range(5)}
    assert found.per_series["region-4"]["mase"].value is None
    assert "no training sample of it" in found.per_series["region-4"]["mase"].note
    of_second = region[known.test] == 1
    mae = (off[of_second] / [found.deviation[name] for name in found.targets]).mean()
    assert found.figures()["per_series.region-1.mae"].value == pytest.approx(mae)


@pytest.mark.parametrize(("reach", "least", "most"), [("constant", 0.0, 1.0), ("proportional", 0.8, 0.97)])
def test_where_errors_grow_with_the_series_only_intervals_in_proportion_hold_in_each(reach, least, most):
    """Sizes from 1 to 1000, of which one width for all holds in the small ones always and in the large one never."""
    generator, series, count = np.random.default_rng(0), np.repeat(np.arange(7), 400), 1400
    said = 10.0 ** (series[:, None] / 2)
    truth = said * (1 + generator.normal(0, 0.1, said.shape))
    order = generator.permutation(len(said))
    asked, fitted = order[:count], order[count:]
    known = Known(truth, fitted, asked)
    given = {"validation": (truth[fitted], said[fitted]), "context": regions_of(series)}
    found = regressed(truth[asked], said[asked], known=known, series="region", reach=reach, **given)
    held = [each["coverage"].value for each in found.per_series.values()]
    assert found.metrics["coverage"].value == pytest.approx(0.9, abs=0.025)
    assert least <= min(held)
    assert max(held) <= most
    assert min(held) < 0.5 or reach == "proportional"


def test_saying_what_stood_a_season_ago_has_no_skill():
    values = np.random.default_rng(0).gamma(2.0, 1.0, (40, 1))
    known = Known(values, np.arange(30), np.arange(30, 40), np.arange(40) * WEEK_US)
    for by, skill in ((1.0, 0.0), (0.25, 0.75), (2.0, -1.0)):
        said = values[30:] + by * (values[26:36] - values[30:])
        assert regressed(values[30:], said, known=known, season=4).metrics["skill"].value == pytest.approx(skill)


def test_months_are_one_period_each_whatever_their_length():
    months = np.arange("2019-01", "2024-01", dtype="datetime64[M]").astype("datetime64[us]").astype(np.int64)
    kept = np.delete(np.arange(60), [7, 8, 30])
    known = Known(kept[:, None].astype(float), np.arange(40), np.arange(57), months[kept])
    found = seasonal(known, Series((), np.zeros(57, np.int64)), 12)
    assert found.before[:, 0] == pytest.approx(
        [each - 12 if each - 12 in kept else np.nan for each in kept], nan_ok=True
    )


@pytest.mark.parametrize(
    ("values", "times", "season", "note"),
    [
        (np.arange(9.0), None, 1, "without timestamps"),
        (np.arange(9.0), np.arange(9), 9, "no training sample stands 9 periods after another of its series"),
        (np.arange(8.0), np.arange(8) // 2, 1, "several samples have one timestamp; task.series can name"),
        (np.tile([1.0, 2.0], 6), np.arange(12), 2, "never changes"),
    ],
)
def test_mase_without_a_season_is_undefined_and_says_why(values, times, season, note):
    every = np.arange(len(values))
    known = Known(values[:, None], every, every, times)
    found = regressed(values[:, None], values[:, None] + 1, known=known, season=season).metrics
    assert found["mase"].value is found["skill"].value is None
    assert note in found["mase"].note
    assert found["skill"].note


def test_a_series_with_two_samples_at_once_does_not_spoil_the_others():
    times, codes = np.tile(np.arange(10), 2), np.repeat([0, 1], 10)
    times[3] = 2
    values = np.random.default_rng(0).normal(size=(20, 1))
    found = seasonal(Known(values, np.arange(20), np.arange(20), times), Series(["a", "b"], codes), 2)
    assert np.isnan(found.error[:10]).all()
    assert found.error[10:] == pytest.approx(np.abs(values[12:] - values[10:18]).mean())


def test_periods_tell_error_and_coverage_as_the_forecast_reaches_further():
    week = np.repeat(np.arange(40), 3)
    truth = np.random.default_rng(0).normal(size=(120, 1))
    said = truth + (week[:, None] / 10.0)
    known = Known(truth, np.arange(120), np.arange(120), week * WEEK_US)
    found = regressed(truth, said, known=known, validation=(truth[:60], truth[:60] + 2.0)).periods["t0"]
    assert len(found) == 12
    assert sum(each.count for each in found) == 120
    assert [found[0].first, found[-1].last] == [0, 39 * WEEK_US]
    for each in found:
        rows = (week * WEEK_US >= each.first) & (week * WEEK_US <= each.last)
        assert each.mae == pytest.approx(week[rows].mean() / 10)
        assert each.coverage.value == pytest.approx((week[rows] <= 20).mean())
        assert each.width == pytest.approx(4.0)
    without = regressed(truth, said, known=known).periods["t0"]
    assert [each.mae for each in without] == [each.mae for each in found]
    assert {each.coverage.value for each in without} == {None}
    assert regressed(truth, said).periods["t0"] == ()


def test_what_is_known_of_series_comes_back_whole_and_compares_with_another_model(tmp_path):
    _, region, known = panel()
    truth = known.values[known.test]
    noise = np.random.default_rng(1).normal(size=truth.shape)
    asked = EvaluationRecipe(bootstrap=30, slices=None)
    given = {"known": known, "season": SEASON, "series": "region", "context": regions_of(region)}
    given["reach"] = "proportional"
    ours, theirs = (regressed(truth, truth + by * noise, asked, **given) for by in (0.5, 1.0))
    ours.save(tmp_path)
    again = Evaluation.load(tmp_path)
    assert again == ours
    differences = again.paired_differences(theirs)
    for name in ("mase", "skill"):
        expected = ours.metrics[name].value - theirs.metrics[name].value
        assert differences[name].value == pytest.approx(expected)
        assert differences[name].low <= expected <= differences[name].high


def test_an_evaluation_from_before_there_were_series_is_read(tmp_path):
    truth = np.arange(9.0)[:, None]
    regressed(truth, truth + 1).save(tmp_path)
    file = tmp_path / "metrics.json"
    values = json.loads(file.read_text())
    del values["periods"], values["per_series"], values["reach"]
    file.write_text(json.dumps(values | {"naive": {"t0": 2.0}}))
    found = Evaluation.load(tmp_path)
    assert found.per_series == found.periods == {}
    assert found.reach == "constant"
    assert found.paired_differences(found)["mae"].value == 0


WEEKS, REGIONS = 16, 12


def forecast(seed=0, shock=0.5, series="region"):
    """Of a panel in which a week moves all regions; nothing is wrong of it in the mean of all weeks."""
    random = np.random.default_rng(seed)
    week, region = np.repeat(np.arange(WEEKS), REGIONS), np.tile(np.arange(REGIONS), WEEKS)
    errors = shock * random.standard_normal(WEEKS)[week] + 0.3 * random.standard_normal(len(week))
    truth = 10 + random.standard_normal(len(week))
    every = np.arange(len(week))
    known = Known(truth[:, None], every, every, week * WEEK_US)
    return regressed(
        truth[:, None],
        (truth + errors)[:, None],
        EvaluationRecipe(bootstrap=400, slices=None),
        known=known,
        series=series,
        context=regions_of(region),
    )


def test_intervals_of_a_panel_hold_where_a_week_moves_all_series():
    """95 % are promised, by as few as 16 weeks rather 90; were each row a fact of its own, it would be half."""
    found = [forecast(seed).metrics["bias"] for seed in range(60)]
    assert np.mean([each.low <= 0 <= each.high for each in found]) >= 0.82  # less by chance in 2 % of such tests
    alone = [forecast(seed, series=None).metrics["bias"] for seed in range(20)]
    assert np.mean([each.low <= 0 <= each.high for each in alone]) <= 0.75


def test_the_difference_of_two_models_on_a_panel_is_told_by_weeks():
    ours, theirs = forecast(1), forecast(1, shock=0.0)
    week = np.repeat(np.arange(WEEKS), REGIONS)
    steps = ours.scores_of(theirs) - ours.sample_scores()
    weekly = np.bincount(week, steps) / REGIONS
    drawn = [weekly[picked].mean() for picked in np.random.default_rng(0).integers(0, WEEKS, (10_000, WEEKS))]
    told = paired(ours, theirs)
    assert [told.low, told.high] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)
    figures = theirs.paired_differences(ours)["mae"]
    assert [figures.low, figures.high] == pytest.approx(-np.percentile(drawn, [97.5, 2.5]), abs=0.02)


def test_rows_of_one_series_or_of_one_moment_are_each_a_fact():
    assert forecast(series=None).drawn_together() is None
    assert forecast().drawn_together().tolist() == np.repeat(np.arange(WEEKS), REGIONS).tolist()
