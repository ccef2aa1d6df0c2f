"""A monitor's promise, measured on its own reference: no row twice, whole units, and drifts that are found."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.monitoring.released import release, rows
from tests.monitoring.traffic import MODEL, TRUTH
from tests.workers.pickled import Pickled
from totalml.cli import main
from totalml.errors import DataError
from totalml.monitoring import observe
from totalml.monitoring.calibrate import told
from totalml.monitoring.calibrated import Calibration, Rate
from totalml.monitoring.calibration import bearable, calibrate
from totalml.monitoring.drawn_traffic import DrawnTraffic, as_logged, profile_of, split_off, with_maps_of
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.planted import SHARE, drifts_for
from totalml.monitoring.traffic import LOSS, compared
from totalml.monitoring.verdict import CONCEPT, OF_ATTRIBUTION, OF_WINDOW
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.store import Store

SUBJECT = "attribution:subject"
SETTINGS = MonitoringRecipe(false_alarms_per_year=30, window={"rows": 20})
EAGER = MonitoringRecipe(false_alarms_per_year=60, window={"rows": 20})


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.integers(0, 99), st.booleans())
def test_a_split_keeps_units_whole_and_gives_no_row_twice(units, seed, alone):
    wanted = len(units) // 2
    together = None if alone else np.array(units)
    left, drawn = split_off(len(units), together, wanted, np.random.default_rng(seed))
    assert sorted([*left, *drawn]) == [*range(len(units))]
    assert len(drawn) >= wanted
    if not alone:
        assert not {units[row] for row in left} & {units[row] for row in drawn}
        runs = [units[row] for row in drawn]
        assert sum(one != other for one, other in pairwise(runs)) == len({*runs}) - 1


def logged(count: int = 2000) -> pa.Table:
    reference = rows(count)
    columns = compared(reference.column_names, ("age", "pub", "uploader"))
    known = LossOf(TRUTH, {}).of_reference(reference)
    return as_logged(reference, known, np.arange(count) * 10_000_000, columns)


def test_what_is_planted_is_what_it_is_called():
    calm, random = logged(), np.random.default_rng(0)
    planted = {each.name: each.change(calm, random) for each in drifts_for(observe(calm), True, "uploader")}
    wrong, age, pub, missing, repeated = planted.values()
    assert [*planted][1:4] == ["age one deviation higher", "no more pub a", "age missing in one row in ten"]
    before, after = (np.asarray(each[LOSS]) for each in (calm, wrong))
    assert (after >= before).all()
    assert (after - before)[before == 0].mean() == pytest.approx(SHARE, abs=0.03)
    ages = calm["metadata:age"].to_numpy()
    assert np.allclose(age["metadata:age"].to_numpy() - ages, ages.std())
    assert {*pub["metadata:pub"].to_pylist()} == {"b", "c"}
    assert missing["metadata:age"].null_count == pytest.approx(SHARE * len(calm), rel=0.3)
    assert len(repeated) == pytest.approx((1 + SHARE) * len(calm), rel=0.03)
    assert len({*repeated["request_id"].to_pylist()}) == len(repeated)
    assert repeated["time"].to_pylist() == sorted(repeated["time"].to_pylist())


def test_drawn_traffic_gives_each_row_and_its_label_in_the_time_in_which_it_came():
    traffic = DrawnTraffic(logged(10))
    times = traffic.table["time"].to_pylist()
    assert traffic.first() == times[0]
    assert traffic.rows(times[2], times[5])["time"].to_pylist() == times[2:5]
    assert traffic.labelled(times[2], times[5])["labelled"].to_pylist() == times[2:5]


def test_where_the_reference_tells_no_times_all_hours_are_alike():
    assert (profile_of(rows(10), "UTC", 240.0).rates == 10).all()


def test_large_drifts_are_found_and_nothing_else():
    reference = rows(1300)
    found = calibrate(reference, SETTINGS, 100, LossOf(TRUTH, {}), histories=10)
    assert found.alarms.alarms <= 2  # 30 a year in ten histories of two weeks at most
    assert found.is_kept
    assert found.alarms.days == pytest.approx(10 * found.days, rel=0.2)
    assert 650 <= found.fitted < 1300
    by = {each.drift: each for each in found.drifts}
    age = by["age one deviation higher"]
    assert (age.found, age.histories) == (2, 2)
    assert age.days is not None
    assert age.days <= 2
    assert age.rows == pytest.approx(100 * age.days, rel=0.4)
    wrong = by["one right answer in ten turned wrong"]
    assert wrong.truth == CONCEPT
    assert {*wrong.called} <= {CONCEPT}


def test_of_drawn_traffic_as_much_is_known_of_what_a_model_looked_at_as_of_a_log():
    reference = rows(700)
    reference = reference.append_column(SUBJECT, pa.array(np.random.default_rng(3).beta(6, 6, 700), pa.float32()))
    table = as_logged(reference, np.zeros(700), np.arange(700), [SUBJECT, "metadata:age"])
    kept = with_maps_of(table, 0.25, np.random.default_rng(4))
    known = kept[SUBJECT].is_valid().to_numpy()
    assert known.mean() == pytest.approx(0.25, abs=0.05)
    assert kept[SUBJECT].filter(pa.array(known)).equals(table[SUBJECT].filter(pa.array(known)))
    assert kept.drop_columns(SUBJECT).equals(table.drop_columns(SUBJECT))
    asked = [
        {each.name: each.asked for each in calibrate(reference, EAGER, 50, histories=8, maps=maps).detectors}
        for maps in (1.0, 0.02)
    ]
    assert asked[0][OF_ATTRIBUTION] > 0.5
    assert asked[1][OF_ATTRIBUTION] == 0
    assert asked[0][OF_WINDOW] == asked[1][OF_WINDOW]


def test_samples_that_come_together_are_drawn_so_and_a_monitor_that_is_not_told_is_found_out(monkeypatch):
    """Each uploader has one age, so row by row a window of a few uploaders looks like no other one."""

    class Untold(Monitor):
        def __init__(self, reference, columns, settings, *more, **named) -> None:
            super().__init__(reference, columns, settings.model_copy(update={"unit": None}), *more, **named)

    reference, settings = rows(1300, each=30), EAGER.model_copy(update={"unit": "uploader"})
    assert calibrate(reference, settings, 100, histories=8).alarms.alarms <= 2
    monkeypatch.setattr("totalml.monitoring.calibration.Monitor", Untold)
    assert not calibrate(reference, settings, 100, histories=8).is_kept


def test_a_monitor_that_breaks_its_promise_is_found_out(monkeypatch):
    class Careless(Monitor):
        def __init__(self, reference, columns, settings, budget, *more, **named) -> None:
            super().__init__(
                reference, columns, settings, replace(budget, false_alarms_per_year=9999.0), *more, **named
            )

    assert calibrate(rows(700), EAGER, 50, histories=8).is_kept
    monkeypatch.setattr("totalml.monitoring.calibration.Monitor", Careless)
    found = calibrate(rows(700), EAGER, 50, histories=8)
    assert not found.is_kept
    assert sum(each.alarms for each in found.causes) == found.alarms.alarms
    assert max(each.alarms for each in found.detectors) <= found.alarms.alarms
    assert "surely broken" in "\n".join(told(found))


@pytest.mark.parametrize(("asked", "more"), [(0.4, ", but hardly tried of window, which more"), (1.0, "")])
def test_a_promise_is_told_with_the_time_and_the_windows_that_it_was_held_against(asked: float, more: str):
    window = Rate("window", 0, 3652.5, asked, "16 rows too few")
    alarms = replace(window, name="all", alarms=1, asked=1.0)
    text = "\n".join(told(Calibration(2.0, 24.0, 50, 100.0, 300, 200, 18.3, alarms, (window,), (), ())))
    assert "windows of at least 24 hours and 50 rows" in text
    assert f"over 10 years of such windows: surely kept{more}" in text
    assert ("window had enough to be asked in 40 % of the windows" in text) == bool(more)


def test_what_is_too_small_is_refused_with_the_rows_that_are_wanted():
    with pytest.raises(DataError, match=r"a reference of 300 rows .* so ([\d,]+) rows are wanted") as refused:
        calibrate(rows(300), EAGER, 50, histories=5)
    wanted = int(str(refused.value).partition(", so ")[2].split()[0].replace(",", ""))
    with pytest.raises(DataError):
        calibrate(rows(wanted - 1), EAGER, 50, histories=5)
    here = calibrate(rows(wanted), EAGER, 50, histories=5)
    assert here == calibrate(rows(wanted), EAGER, 50, histories=5, crew=Pickled())


def test_as_many_rows_a_day_come_as_a_reference_can_bear():
    reference = rows(400)
    borne = bearable(reference, EAGER, 1000, histories=20)
    assert 1 < borne < 1000
    calibrate(reference, EAGER, borne, histories=20)
    with pytest.raises(DataError, match="is too small"):
        calibrate(reference, EAGER, 1.2 * borne, histories=20)
    assert bearable(rows(900), EAGER, 10, histories=20) == 10


def test_one_unit_that_holds_most_cannot_be_split():
    reference = rows(900, each=300)
    settings = SETTINGS.model_copy(update={"unit": "uploader"})
    with pytest.raises(DataError, match=r"one uploader holds 300 of the 900 rows.* 1,200 rows are wanted"):
        calibrate(reference, settings, 100, histories=15)


def test_the_command_tells_it_and_refuses_what_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    release(Store(tmp_path / ".totalml"), rows(600), {"false_alarms_per_year": 100, "window": {"rows": 10}})

    def tell(*words: str, expect: int = 0) -> str:
        code = main(["monitor", "calibrate", MODEL, "--histories", "5", *words])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return out or err

    assert "with 67 rows, monitors fitted" in tell()  # as many as the reference can bear
    text = tell("--rows-per-day", "60")
    assert "nothing happens: 5 histories of" in text
    assert "windows of at least 24 hours and 10 rows\n" in text
    assert "promised: at most 100 a year of all detectors together\n" in text
    plain = json.loads(tell("--rows-per-day", "60", "--json"))
    assert [each["name"] for each in plain["detectors"]] == ["quality", "labels", "slices", "window", "stream"]
    assert plain["promised"] == 100
    assert "rows are wanted" in tell("--rows-per-day", "9999", expect=4)
    mistakes = tell("--rows-per-day", "-1", "--histories", "0", expect=2)
    assert "--rows-per-day -1" in mistakes
    assert "--histories 0" in mistakes
