"""A season of a panel is no news, a price that is changed is, and all rows of a week are one fact."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.monitoring.panels import SEASON, SERIES, START_US, WEEK_US, WEEKS, panel, periods, rows_of
from tests.monitoring.released import release, rows
from tests.monitoring.traffic import MODEL
from totalml.cli import main
from totalml.evaluation.regression.truth import NumbersTruth
from totalml.monitoring.budget import Budget
from totalml.monitoring.label_watch import LabelWatch
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.panel import means
from totalml.monitoring.panel_labels import PanelLabels
from totalml.monitoring.same_weeks import SameWeeks
from totalml.monitoring.season_watch import SeasonWatch
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.store import Store

BUDGET = Budget(false_alarms_per_year=4.0, rows_per_day=1 / 7, window_days=7.0)
LATER = np.arange(WEEKS, WEEKS + 2 * SEASON)


@pytest.fixture(scope="module")
def known():
    return panel()


def look(watch: SeasonWatch, rows: pa.Table):
    return watch.look(rows, np.arange(len(rows)))


def week(number: int, **factors: float) -> pa.Table:
    return rows_of(np.array([number]), **factors)


def watched(known, weeks: np.ndarray, **factors: float):
    watch = SeasonWatch(known, BUDGET)
    return [look(watch, week(number, **factors)) for number in weeks]


def test_what_says_which_week_it_is_and_what_lags_behind_are_not_compared(known):
    assert list(known.scales) == ["metadata:spend", "metadata:price", "metadata:warmth"]


def test_a_row_is_of_the_period_that_its_sender_told_and_not_of_the_day_on_which_it_came(known):
    rows = week(7).append_column("metadata:timestamp", pa.array(["2020-03-02", *["soon"] * (SERIES - 1)]))
    assert set(known.numbers(rows)) == {7}  # some are no times, so the column is none
    told = pa.array(["2020-03-02T00:00:00Z"] * 2 + [None] * (SERIES - 2))
    assert known.numbers(week(7).append_column("metadata:timestamp", told)).tolist() == [9, 9, 7, 7, 7, 7]


def test_a_year_before_is_the_same_week_by_the_calendar(known):
    assert [known.earlier(years) for years in (1, 2, 3, 5)] == [52, 104, 157, 261]
    assert panel(season=13).earlier(3) == 39


def test_what_is_expected_is_the_median_of_earlier_years_at_the_level_of_the_last(known):
    weeks, number = SameWeeks(known), WEEKS
    values, now = known.values, known.summary(week(number), np.array([number]))[0]
    each = []
    for years in range(1, 6):
        lag = round(years * 365.25 / 7)
        pairs = [(t, t - lag) for t in range(number - 52, number) if t - lag >= 0]
        if number - lag >= 0 and len(pairs) >= 13:
            each.append(now - values[number - lag] - np.median([values[a] - values[b] for a, b in pairs], axis=0))
    assert len(each) == 4
    np.testing.assert_allclose(weeks.apart(number, now), np.median(each, axis=0), atol=1e-12)


def test_series_that_stay_away_move_nothing_that_is_the_same_in_all(known):
    some = week(WEEKS).slice(SERIES // 2)
    np.testing.assert_allclose(
        known.summary(some, np.array([WEEKS]))[0, 1:], known.summary(week(WEEKS), np.array([WEEKS]))[0, 1:], atol=1e-6
    )


def test_neither_season_nor_trend_is_news_for_two_years(known):
    found = watched(known, LATER)
    assert sum(each.alarm for one in found for each in one.evidence) <= 2  # of 8 that are promised at most
    assert not any(one.faults for one in found)


def test_a_price_that_changes_is_told_at_once_with_what_it_was_held_against(known):
    window, _ = watched(known, LATER[:1], price=1.1)[0].evidence
    assert window.alarm
    assert window.moved == ("metadata:price",)
    assert window.told == "price 9% higher than the same weeks of earlier years let expect"
    assert str(window.since).startswith("2024-12-23")


def test_a_channel_that_is_switched_off_is_no_other_unit(known):
    found = watched(known, LATER[:1], spend=0.0)[0]
    assert found.evidence[0].moved == ("metadata:spend",)
    assert not found.faults


@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_another_unit_is_a_fault_of_the_data_and_is_not_remembered(known, factor):
    watch = SeasonWatch(known, BUDGET)
    (fault,) = look(watch, week(WEEKS, spend=factor)).faults
    assert (fault.kind, fault.column, fault.certain, fault.new_inputs) == ("units", "metadata:spend", True, False)
    assert fault.words.startswith("spend is counted in another unit (about ")
    after = look(watch, week(WEEKS + 1))
    assert not after.faults
    assert not after.evidence[0].alarm


def test_what_stays_higher_is_told_in_time(known):
    alarms = [one.evidence[1].alarm for one in watched(known, LATER[:30], spend=2.2)]
    assert any(alarms)
    assert not any(one.evidence[1].alarm for one in watched(known, LATER[:30]))


def test_killed_and_started_again_it_says_the_same(known):
    watch, other = SeasonWatch(known, BUDGET), SeasonWatch(known, BUDGET)
    for number in LATER[:5]:
        look(watch, week(number))
    other.restore(json.loads(json.dumps(watch.state())))
    assert look(other, week(LATER[5])) == look(watch, week(LATER[5]))
    nothing = look(other, week(LATER[5]))  # a week counts once
    assert nothing.evidence[0].more == 1


def test_half_a_week_waits_for_its_other_half(known):
    watch = SeasonWatch(known, BUDGET)
    assert look(watch, week(WEEKS).slice(0, SERIES // 2 - 1)).evidence[0].told == "no period is whole yet"
    assert look(watch, week(WEEKS)).evidence[0].more == 0


def test_a_release_of_two_years_says_how_many_weeks_it_lacks():
    found = watched(panel(weeks=130), np.array([130]))[0].evidence[0]
    assert found.more == 1
    assert found.told.startswith("1 more period would be needed")


def labelled(rows: pa.Table, losses: np.ndarray) -> pa.Table:
    return rows.append_column("labelled", rows["time"]).append_column("loss", pa.array(losses))


def test_labels_of_a_week_are_one_fact_however_many_they_are(known):
    before, random = rows_of(np.arange(WEEKS - 26, WEEKS)), np.random.default_rng(0)
    wrong = random.random(len(before)) < 0.1
    watch = PanelLabels(known, (before, wrong * 1.0), {}, 100.0, ("region",), 0.03)
    bound = watch._whole._tests[""].bound
    weekly = means(wrong * 1.0, [known.numbers(before)])[1]
    assert len(weekly) == 26
    alone = LabelWatch((before, weekly.repeat(SERIES)), {}, 100.0, (), 0.03)
    assert bound > alone._tests[""].bound  # of as many facts as there are rows it would be nearer
    watch.add(labelled(week(WEEKS), np.ones(SERIES)), np.full(SERIES, ""))
    assert watch._whole._tests[""]._labels == 1
    watch.add(labelled(week(WEEKS), np.ones(SERIES)), np.full(SERIES, ""))
    assert watch._whole._tests[""]._labels == 1  # a week counts once
    watch.add(labelled(week(WEEKS + 1).slice(0, 2), np.ones(2)), np.full(2, ""))
    assert watch._whole._tests[""]._labels == 1  # and only if half of it came


def test_labels_of_weeks_find_a_model_that_is_always_wrong_and_the_slice_alone_that_is(known):
    before = rows_of(np.arange(WEEKS - 52, WEEKS))
    wrong = np.random.default_rng(1).random(len(before)) < 0.1

    def told(wrong_series: int) -> list[bool]:
        watch = PanelLabels(known, (before, wrong * 1.0), {}, 100.0, ("region",), 0.03)
        for number in range(WEEKS, WEEKS + 25):
            losses = (np.arange(SERIES) < wrong_series) * 1.0
            watch.add(labelled(week(number), losses), np.full(SERIES, ""))
            evidence = watch.end("", False, None)
        return [each.alarm for each in evidence]

    assert told(SERIES) == [True, True]
    assert told(1) == [False, True]
    assert told(0) == [False, False]


def reference_rows() -> pa.Table:
    rows = rows_of(np.arange(WEEKS - 40, WEEKS)).rename_columns(
        ["timestamp", "metadata:region", *(f"metadata:{name}" for name in ("spend", "price", "warmth", "w", "lag"))]
    )
    truth = np.random.default_rng(2).normal(100, 5, len(rows))
    sold = {"metadata:sold": truth, "answer:value": np.full(len(rows), 100.0)}
    for name, values in sold.items():
        rows = rows.append_column(name, pa.array(values))
    return rows


def test_a_monitor_of_a_panel_is_quiet_through_a_season_and_calls_cents_a_fault(known):
    reference, truth = reference_rows(), NumbersTruth(("sold",))
    columns = ["metadata:region", "metadata:spend", "metadata:price", "metadata:warmth", "answer:value"]
    settings = MonitoringRecipe(window={"hours": 168, "rows": SERIES}, slices=["region"])

    def looked(panel, weeks, **factors: float):
        monitor = Monitor(reference, columns, settings, BUDGET, LossOf.fit(reference, truth), panel=panel)
        found = []
        for number in weeks:
            rows = week(number, **factors).append_column("answer:value", pa.array(np.full(SERIES, 100.0)))
            rows = rows.select(["time", *columns])
            start = START_US + int(number) * WEEK_US
            found.append(
                monitor.look(rows, pa.table({"loss": pa.array([], pa.float64())}), rows, (start, start + WEEK_US))
            )
        return found

    summer = LATER[20:32]
    assert {each.cause for each in looked(known, summer)} == {"none"}
    assert "unknown" in {each.cause for each in looked(None, summer)}  # else its half year is what all is held against
    (cents,) = looked(known, summer[:1], spend=100.0)
    assert cents.cause == "data quality"
    assert "spend is counted in another unit" in cents.told
    assert cents.severity == "page"
    (dear,) = looked(known, summer[:1], price=1.2)
    assert dear.cause == "unknown"
    assert "same weeks of earlier years" in dear.told


def test_start_of_a_period(known):
    assert datetime.fromtimestamp(known.start(1) / 1e6, UTC).date().isoformat() == "2020-01-06"


def test_calibration_refuses_series_whose_weeks_follow_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    release(Store(tmp_path / ".totalml"), rows(60), {}, periods=periods(60))
    assert main(["monitor", "calibrate", MODEL]) == 4
    assert "let totalml monitor backtest look at a time in which nothing happened" in capsys.readouterr().err
