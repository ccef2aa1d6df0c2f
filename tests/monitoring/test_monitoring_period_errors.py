"""A season at another time is told by the week that it left and the week it came to, and calm weeks by nothing."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.monitoring.panels import SERIES, START_US, WEEK_US, periods
from totalml.evaluation.regression.truth import NumbersTruth
from totalml.evaluation.shares import wilson
from totalml.monitoring.budget import OF_SERIES, SHARES, WITH_LEVERS, Budget
from totalml.monitoring.far import how_far, times_as_much
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.panel import Panel
from totalml.monitoring.period_errors import BEFORE, PeriodErrors, rarity
from totalml.monitoring.row_seasons import RowSeasons
from totalml.monitoring.verdict import CONCEPT, OF_PERIODS, PAGE
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.release.period_errors import Answered
from totalml.release.periods import Scale

WEEKS, JUDGED, YEAR = 300, 26, 52
LEVEL, USUAL = 0.002, 0.02
FEAST = WEEKS + 10  # 8 December 2025
SETTINGS = MonitoringRecipe(
    window={"hours": 168, "rows": SERIES}, seasons=[{"name": "harvest", "dates": "12-10..12-12"}]
)


def errors_of(weeks: int, seed: int) -> np.ndarray:
    """Of all series at once, by week; half of each is there in the next."""
    fresh = USUAL * np.random.default_rng(seed).standard_normal(weeks)
    for week in range(1, weeks):
        fresh[week] = 0.5 * fresh[week - 1] + np.sqrt(0.75) * fresh[week]
    return fresh


def panel_of(errors: np.ndarray, learnt: int | None = None, targets: tuple[str, ...] = ("sold",)) -> Panel:
    """Args: errors: (P,) or (P, T). learnt: how many of the first periods were learnt from."""
    count = len(errors)
    learnt = count - JUDGED if learnt is None else learnt
    return Panel(
        series="metadata:region",
        season=YEAR,
        starts=START_US + np.arange(count) * WEEK_US,
        usual_rows=float(SERIES),
        values=np.zeros((count, 0)),
        errors=errors.reshape(count, len(targets)),
        error_scales={name: Scale(0.0, {}) for name in targets},
        learnt=np.arange(count) < learnt,
    )


def watch_of(panel: Panel, level: float = LEVEL) -> PeriodErrors:
    return PeriodErrors(panel, level, RowSeasons(SETTINGS))


def labelled(errors: dict[int, float], rows: int = SERIES) -> pa.Table:
    """Week -> how far all of its series are from what was answered, as a logarithm; each a little beside."""
    weeks = np.repeat([*errors], rows)
    beside = np.tile(np.linspace(-0.02, 0.02, rows), len(errors))
    return pa.table(
        {
            "time": pa.array(START_US + weeks * WEEK_US, pa.timestamp("us", "UTC")),
            "metadata:region": [f"s{place}" for place in range(rows)] * len(errors),
            "answer:value": np.full(len(weeks), 200.0),
            "label:sold": 200.0 * np.exp(np.repeat([*errors.values()], rows) + beside),
        }
    )


def future(seed: int, weeks: int = YEAR, **changed: float) -> dict[int, float]:
    """Args: changed: `w310` -> how much is added."""
    drawn = errors_of(weeks, seed)
    return {WEEKS + place: each + changed.get(f"w{WEEKS + place}", 0.0) for place, each in enumerate(drawn)}


@pytest.fixture(scope="module")
def known() -> Panel:
    return panel_of(errors_of(WEEKS, 0))


@pytest.mark.parametrize("level", [0.1, 0.02, 0.004])
def test_a_chance_is_what_it_says_where_tails_fall_as_a_power_does(level):
    drawn = np.random.default_rng(1).random((4000, 101)) ** -0.4
    chances = np.array([rarity(np.sort(each[:-1]), float(each[-1])) for each in drawn])
    low, high = wilson((chances <= level).sum(), np.array(len(chances)), 2.0)
    assert low <= level <= high


def test_of_tails_that_fall_faster_less_is_told_than_chance_would():
    drawn = np.abs(np.random.default_rng(2).standard_normal((4000, 101)))
    chances = np.array([rarity(np.sort(each[:-1]), float(each[-1])) for each in drawn])
    assert 0 < (chances <= 0.004).mean() < 0.004


def test_a_rank_is_all_there_is_where_most_periods_were_right_to_the_last_digit():
    assert rarity(np.zeros(99), 5.0) == 0.01
    assert rarity(np.ones(99), 5.0) == 0.01
    assert rarity(np.arange(1.0, 100.0), 50.0) == 0.51


def test_a_season_that_comes_later_is_told_by_what_it_left_and_where_it_came(known):
    watch = watch_of(known)
    told = [watch.look(labelled({week: error})) for week, error in future(3, 14, w310=-0.3, w311=0.3).items()]
    assert [each.alarm for each in told] == [week in (10, 11) for week in range(14)]
    said = "than answered in all series at once in the period from"
    assert told[10].told == f"sold 23% lower {said} 2025-12-08 (harvest expected)"
    after = "after sold 23% lower in that from 2025-12-08: as if what was expected came later"
    assert told[11].told == f"sold 38% higher {said} 2025-12-15, {after}"
    assert told[10].since == "2025-12-08T00:00:00+00:00"


def test_a_season_that_comes_earlier_is_told_so_once_it_does_not_come(known):
    found = watch_of(known).look(labelled(future(3, 14, w309=0.3, w310=-0.3)))
    assert found.told.endswith("in that from 2025-12-01: as if what was expected had come earlier")


def test_calm_weeks_are_told_no_more_often_than_promised(known):
    watch, level = watch_of(known, 0.01), 0.01
    new = watch.state()
    found = 0
    for seed in range(40):
        watch.restore(new)
        found += len(watch.look(labelled(future(100 + seed))).facts["found"])
    assert wilson(np.array(found), np.array(40 * YEAR), 2.0)[0] < level
    assert found  # or it would tell of nothing at all


def test_what_a_model_learnt_by_heart_does_not_make_a_usual_week_odd():
    errors = errors_of(WEEKS, 5)
    errors[: WEEKS - JUDGED] *= 0.3
    found = [
        len(watch_of(panel_of(errors, learnt=each)).look(labelled(future(6))).facts["found"]) for each in (0, None)
    ]
    assert found[0] > 3  # as if it had erred by so little in weeks that it did not know
    assert found[1] == 0


def test_a_level_that_stays_is_no_news_after_a_quarter(known):
    later = {week: error + 0.3 for week, error in future(7, 40).items()}
    found = watch_of(known).look(labelled(later)).facts["found"]
    assert 1 <= len(found) <= BEFORE // 2 + 2
    assert max(found) < "2025-11-24"


def test_killed_and_started_again_it_says_the_same(known):
    weeks = future(8, 14, w310=-0.3, w311=0.3)
    whole, broken = watch_of(known), watch_of(known)
    for week, error in weeks.items():
        expected = whole.look(labelled({week: error}))
        state = json.loads(json.dumps(broken.state()))
        broken = watch_of(known)
        broken.restore(state)
        assert broken.look(labelled({week: error})) == expected
    assert whole.state() == broken.state()


def test_a_week_counts_once_and_only_if_half_of_it_came(known):
    watch = watch_of(known)
    odd = {FEAST: -0.3}
    assert not watch.look(labelled(odd, rows=2)).alarm
    assert watch.look(labelled(odd)).alarm
    assert not watch.look(labelled(odd)).alarm


def test_series_whose_truth_nobody_knows_are_left_out(known):
    rows = labelled({FEAST: -0.3})
    some = pa.array([*rows["label:sold"].to_pylist()[:4], None, float("nan")])
    assert watch_of(known).look(rows.set_column(3, "label:sold", some)).alarm
    assert watch_of(known).look(rows.set_column(3, "label:sold", pa.nulls(SERIES, pa.float64()))).told.startswith("no ")


def test_of_two_targets_the_one_that_is_odd_is_named():
    both = np.stack([errors_of(WEEKS, 9), 10 * errors_of(WEEKS, 10)], axis=1)
    rows = labelled({WEEKS: 0.0})
    rows = rows.rename_columns(["time", "metadata:region", "answer:value:sold", "label:sold"])
    rows = rows.append_column("answer:value:left", rows["answer:value:sold"])
    rows = rows.append_column("label:left", pa.array(np.full(SERIES, 200 * np.exp(-2.0))))
    assert watch_of(panel_of(both, targets=("sold", "left"))).look(rows).told.startswith("left 87% lower")
    rows = rows.set_column(rows.column_names.index("label:left"), "label:left", pa.array(np.full(SERIES, 150.0)))
    assert not watch_of(panel_of(both, targets=("sold", "left"))).look(rows).alarm


@pytest.mark.parametrize(
    ("panel", "lacking"),
    [
        (replace(panel_of(np.zeros(99)), error_scales={}, errors=np.zeros((0, 0))), "keeps no errors of its periods"),
        (panel_of(errors_of(99, 0), learnt=90), "3 more periods that the model did not learn from"),
        (panel_of(errors_of(40, 0), learnt=20), "14 more periods of the release"),
    ],
)
def test_a_release_that_knows_too_little_says_what_it_lacks(panel, lacking):
    watch = watch_of(panel)
    found = watch.look(labelled({FEAST: -0.9}))
    assert lacking in found.told
    assert not found.alarm
    watch.restore(json.loads(json.dumps(watch.state())))


def test_shares_of_a_budget_add_up_to_one():
    assert [sum(shares.values()) for shares in (SHARES, OF_SERIES, WITH_LEVERS)] == pytest.approx([1.0] * 3)


def test_a_release_keeps_errors_of_amounts_by_ratio_and_of_others_as_they_are():
    random, weeks = np.random.default_rng(11), 3
    truth, said = random.uniform(1, 9, (2, weeks * SERIES))
    learnt = np.repeat([True, False, False], SERIES) | (np.arange(weeks * SERIES) == SERIES)
    table = periods(weeks, answered=Answered({"sold": truth, "left": -truth}, {"sold": said, "left": -said}, learnt))
    panel = Panel.of(table)
    assert panel is not None
    off = np.stack([np.log(truth / said), said - truth], axis=1).reshape(weeks, SERIES, 2)
    np.testing.assert_allclose(panel.errors, np.median(off, axis=1), atol=2e-3)
    assert panel.learnt.tolist() == [True, True, False]  # of the second one row
    assert panel.error_scales["left"].floor is None


def test_a_monitor_calls_an_odd_week_a_concept_and_says_which(known):
    rows = labelled(dict.fromkeys(range(WEEKS - JUDGED, WEEKS), 0.0))
    reference = rows.rename_columns(["timestamp", *rows.column_names[1:3], "metadata:sold"])
    budget, losses = Budget(2.0, SERIES / 7, 7.0, OF_SERIES), LossOf.fit(reference, NumbersTruth(("sold",)))
    columns = ["metadata:region", "answer:value"]

    def new() -> Monitor:
        return Monitor(reference, columns, SETTINGS, budget, losses, panel=replace(known, season=None))

    week = labelled({FEAST: -0.3})
    ahead = labelled({WEEKS + 20_000: 0.0})  # wrong dates
    came = pa.chunked_array([*week["time"].chunks, *week["time"].chunks])
    told = pa.concat_tables([week, ahead]).append_column("labelled", came)
    told = told.append_column("loss", pa.array(np.ones(2 * SERIES)))
    sent, start = week.drop_columns("label:sold"), START_US + FEAST * WEEK_US
    monitor = new()
    verdict = monitor.look(sent, told, sent, (start, start + WEEK_US))
    assert (verdict.cause, verdict.severity) == (CONCEPT, PAGE)
    beside = "sold 25% lower than answered in all series at once in the period from 2025-12-08 (harvest expected)"
    assert verdict.told == f"The model errs more than it did: {beside}."
    assert monitor.state()["periods"]["recent"][-1][0] == FEAST
    again = new()
    again.restore(json.loads(json.dumps(monitor.state())))
    assert not again.look(sent, told, sent, (start, start + WEEK_US)).of(OF_PERIODS).alarm  # it counts once


@pytest.mark.parametrize("far", [700.0, 1e300, np.inf])
def test_a_label_that_is_absurd_is_told_in_words_and_kept_as_plain_json(known, far):
    watch, rows = watch_of(known), labelled({FEAST: 0.0})
    absurd = pa.array(np.full(SERIES, np.exp(far) if far < 710 else far))
    found = watch.look(rows.set_column(3, "label:sold", absurd))
    assert found.told.startswith("sold more than a thousand times higher than answered")
    json.dumps(watch.state(), allow_nan=False)


def test_values_as_far_apart_as_numbers_go_are_told_and_the_weeks_after_are_judged(known):
    watch = watch_of(replace(known, error_scales={"sold": Scale(None, {})}))
    rows = labelled({FEAST: 0.0, FEAST + 1: 0.0})
    ends = np.repeat([1.7e308, -1.7e308], SERIES)
    rows = rows.set_column(2, "answer:value", pa.array(-ends)).set_column(3, "label:sold", pa.array(ends))
    found = watch.look(rows)
    assert found.told.startswith("sold 1e+300 higher")
    json.dumps([watch.state(), found.value], allow_nan=False)


@pytest.mark.parametrize(
    ("news", "words"),
    [(0.5, "65% higher"), (-800.0, "100% lower"), (7.0, "more than a thousand times higher"), (6.9, "99127% higher")],
)
def test_a_ratio_is_a_share_until_nobody_would_read_it_as_one(news, words):
    assert how_far(Scale(0.0, {}), news) == words


@pytest.mark.parametrize(
    ("news", "words"),
    [
        (np.log(1000), "about 1e+03 times"),
        (800.0, "more than a billion times"),
        (-800.0, "less than a billionth of"),
    ],
)
def test_another_unit_is_a_number_until_nobody_counts_in_it(news, words):
    assert times_as_much(news) == words


def test_a_label_dated_after_it_came_makes_no_later_week_old(known):
    panel = replace(known, usual_rows=1.0)
    both = labelled({FEAST: 0.0, WEEKS + 20_000: 0.0}, rows=1)
    came = pa.array([START_US + (FEAST + 1) * WEEK_US] * 2, pa.timestamp("us", "UTC"))
    watch = watch_of(panel)
    watch.look(panel.without_ahead(both.append_column("labelled", came)))
    assert watch.look(labelled({FEAST + 1: -0.9}, rows=1)).alarm
