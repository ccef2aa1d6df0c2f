"""`totalml monitor backtest`: it says what a monitor said, of the time that was asked for, and leaves no trace."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import poisson

from tests.monitoring.released import answer, release, rows
from tests.monitoring.traffic import MIDNIGHT, MODEL, OTHER, every
from totalml.cli import main
from totalml.monitoring.budget import alarms_per_year
from totalml.store import Store

SETTINGS = {"rows_per_day": 144, "false_alarms_per_year": 10.0}
DAYS, DRIFT = 6, 4


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A project of which the last days of the log have ages that nobody had before; what `totalml` prints there."""
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / ".totalml")
    bundle = release(store, rows(400), SETTINGS)
    came = rows(144 * DAYS, seed=1)
    ages = came["metadata:age"].to_numpy().copy()
    ages[144 * DRIFT :] += 25
    came = came.set_column(came.column_names.index("metadata:age"), "metadata:age", pa.array(ages))
    answer(store, came, every(10, 144 * DAYS), bundle.hash)

    def tell(*words: str, expect: int = 0) -> str:
        code = main(["monitor", *words])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return out or err

    return tell


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_says_what_the_monitor_says_and_writes_nothing(tell, tmp_path):
    before = files(tmp_path)
    told = tell("backtest", MODEL, "--from", "2026-03-02", "--to", "2026-03-07", "--json", expect=3)
    assert files(tmp_path) == before
    *windows, last = map(json.loads, told.splitlines())
    live = [json.loads(line) for line in tell(MODEL, "--json", expect=3).splitlines()]
    assert files(tmp_path) != before
    live = [each for each in live if each["end"] <= windows[-1]["end"]]
    for each in (*windows, *live):
        del each["state"]
    assert windows == live
    summary = last["summary"]
    assert (summary["windows"], summary["days"], summary["rows"]) == (DAYS, DAYS, 144 * DAYS)
    alarmed = [each["verdict"]["severity"] != "" for each in windows]
    assert alarmed == [False] * DRIFT + [True] * (DAYS - DRIFT)
    assert summary["alarms"] == {"unknown": 2}


def test_each_window_that_alarms_names_its_alert_below_it_and_the_verb_that_shows_it_once(tell):
    lines = tell(MODEL, expect=3).splitlines()
    windows = [number for number, line in enumerate(lines) if " rows, " in line]
    alerts = [number for number, line in enumerate(lines) if line == f"  alert {MODEL}-1"]
    ends = [*windows[1:], len(lines)]
    assert [any(start < each < end for each in alerts) for start, end in zip(windows, ends, strict=True)] == [
        "(ticket)" in lines[start] for start in windows
    ]
    assert len(alerts) == DAYS - DRIFT
    about = [each for each in lines if "since about" in each]
    assert all(re.fullmatch(r"  since about 2026-03-0\dT\d\d:\d\d UTC", each) for each in about), about
    assert [each for each in lines if "alerts list" in each] == [f"totalml alerts list {MODEL} shows what is open"]


def test_only_the_time_that_is_asked_for_counts(tell):
    told = tell("backtest", MODEL, "--from", "2026-03-03", "--to", "2026-03-04")
    assert "2026-03-03T00:00 to 2026-03-04T00:00  144 rows" in told
    assert "2 windows, 2 days, 288 rows, 0 labels: no alarm. Nothing was written." in told
    assert told.count("rows,") == 3


def test_a_day_that_is_not_whole_begins_with_the_hour_that_is_asked_for(tell):
    told = tell("backtest", MODEL, "--from", "2026-03-03T12:00", "--to", "2026-03-04T00:00")
    assert "1 window, 0.5 days, 72 rows" in told


@pytest.mark.parametrize(
    ("since", "until", "code", "message"),
    [
        ("2026-03-05", "2026-03-03", 2, "--to 2026-03-03 is before --from 2026-03-05"),
        ("yesterday", "2026-02-30", 2, "'yesterday' is no day or time"),
        ("yesterday", "2026-02-30", 2, "'2026-02-30' is no day or time"),
        ("2999-01-01", "2999-01-02", 2, "--from 2999-01-01 is not over yet"),
        ("9999-12-31", "9999-12-31", 2, "9999-12-31"),
        ("2025-03-02", "2025-03-03", 4, "nothing of pints is kept of that time"),
        ("2026-03-02T01:00", "2026-03-02T02:00", 4, "no window is over"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(tell, since, until, code, message):
    assert message in tell("backtest", MODEL, "--from", since, "--to", until, expect=code)


def test_of_another_release_it_names_the_one_that_answered(tell, tmp_path):
    answer(Store(tmp_path / ".totalml"), rows(5), every(10, 5, MIDNIGHT.replace(month=1)), OTHER)
    told = tell("backtest", MODEL, "--from", "2026-01-01", "--to", "2026-01-31", expect=4)
    assert f"then answered pints@{OTHER} (5 rows)" in told


@pytest.mark.parametrize("alarms", [0, 1, 7, 2000])
def test_the_bounds_of_a_rate_are_those_beyond_which_so_many_would_be_rare(alarms):
    found = alarms_per_year(alarms, 365.25 * 2)
    assert found.value == alarms / 2
    assert np.isclose(poisson.cdf(alarms, 2 * found.high), 0.025)
    assert found.low == 0 if not alarms else np.isclose(poisson.sf(alarms - 1, 2 * found.low), 0.025)
