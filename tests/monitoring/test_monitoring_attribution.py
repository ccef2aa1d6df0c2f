"""A model that looks elsewhere is found by a few rows that say what it looked at, and calm is left in peace."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.monitoring.test_monitoring_monitor import BUDGET, COLUMNS, FEAST, REFERENCE, labelled
from tests.monitoring.test_monitoring_monitor import rows as of_log
from tests.monitoring.traffic import TRUTH
from totalml.monitoring.attribution_watch import AttributionWatch
from totalml.monitoring.budget import SHARES, WITH_LEVERS
from totalml.monitoring.cause import RIGHT, judge
from totalml.monitoring.checked import check
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.traffic import compared
from totalml.monitoring.verdict import (
    CONCEPT,
    COVARIATE,
    NONE,
    OF_ATTRIBUTION,
    OF_LABELS,
    OF_QUALITY,
    OF_WINDOW,
    QUALITY,
    SEASON,
    TICKET,
    UNKNOWN,
    Evidence,
)
from totalml.recipe.monitoring import MonitoringRecipe, WindowRecipe
from totalml.recipe.seasons import SeasonSettings

SUBJECT, ENTROPY = "attribution:subject", "attribution:entropy"
NAMES = [SUBJECT, ENTROPY]
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def looked(count: int, seed: int, subject: float = 6.0, told: float = 1.0, each: int = 1) -> pa.Table:
    """Args: subject: of a beta distribution, with 6 half of it is on the subject; told: share; each: rows of a unit."""
    random = np.random.default_rng(seed)
    units = -(-count // each)
    share, entropy = (np.repeat(random.beta(*by, units), each)[:count] for by in ((subject, 6.0), (14.0, 6.0)))
    silent = random.random(count) >= told
    share[silent], entropy[silent] = np.nan, np.nan
    times = [BEGIN + timedelta(seconds=row) for row in range(count)]
    return pa.table(
        {
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "metadata:uploader": [f"u{seed}-{row // each}" for row in range(count)],
            SUBJECT: pa.array(share, from_pandas=True),
            ENTROPY: pa.array(entropy, from_pandas=True),
        }
    )


def watch(seed: int = 1, **more) -> AttributionWatch:
    found = AttributionWatch.fit(looked(600, seed), NAMES, **more)
    assert found is not None
    return found


def look(watching: AttributionWatch, rows: pa.Table):
    return watching.look(rows, rows)


def test_the_parts_of_the_budget_add_up_to_one():
    for shares in (SHARES, WITH_LEVERS):
        assert sum(shares.values()) == pytest.approx(1)


def test_attribution_that_leaves_the_subject_is_told_in_words_with_the_rows_that_show_it():
    rows = looked(80, 2, subject=2.0)
    found = look(watch(), rows)
    assert found.alarm
    told = "the model looks elsewhere: 24% of what decides lies where the subject usually is, 49% before"
    assert found.told == told
    assert found.moved[0] == SUBJECT
    shares = np.asarray(rows[SUBJECT])
    assert shares[list(found.rows[:5])].tolist() == sorted(shares)[:5]


def test_rows_are_gathered_until_they_are_enough_and_the_level_is_that_of_all_these_windows():
    watching = watch(level=0.001, least=50)
    found = [look(watching, looked(200, 10 + day, told=0.08)) for day in range(8)]
    asked = [day for day, each in enumerate(found) if not each.more]
    assert asked
    assert asked[0] > 1
    assert found[asked[0]].level == pytest.approx(0.001 * (asked[0] + 1))
    assert [each.more for each in found[: asked[0]]] == sorted((each.more for each in found[: asked[0]]), reverse=True)


@pytest.mark.parametrize("told", [1.0, 0.1])
def test_calm_histories_alarm_no_more_often_than_is_promised(told):
    """Of references of 600 rows and ten windows each; a bound that chance passes in one of a thousand runs."""
    level, histories, windows = 0.02, 120, 10
    alarms = 0
    for number in range(histories):
        watching = watch(1000 + number, level=level, least=50)
        for day in range(windows):
            alarms += look(watching, looked(200, 100_000 + 50 * number + day, told=told)).alarm
    mean = level * histories * windows
    assert alarms <= mean + 3.1 * mean**0.5


def test_rows_of_one_unit_are_one_fact():
    """Twenty uploaders with twenty pictures each, all alike: as four hundred facts they would alarm nearly always."""
    alarms = 0
    for number in range(40):
        reference = looked(600, 2000 + number)
        known = AttributionWatch.fit(reference, NAMES, unit="uploader", level=0.01, least=15)
        assert known is not None
        alarms += look(known, looked(400, 3000 + number, each=20)).alarm
    assert alarms <= 3


def test_killed_and_resumed_it_says_the_same():
    days = [looked(200, 10 + day, told=0.1, subject=2.0 if day > 4 else 6.0) for day in range(12)]
    through, stopped = watch(level=0.001), watch(level=0.001)
    whole = [look(through, day) for day in days]
    found = []
    for day in days:
        again = watch(level=0.001)
        again.restore(json.loads(json.dumps(stopped.state())))
        stopped = again
        found.append(look(stopped, day))
    assert found == whole
    assert any(each.alarm for each in whole)
    other = AttributionWatch.fit(looked(600, 1), [SUBJECT])
    assert other is not None
    other.restore({"windows": 3, "rows": {"attribution:middle": [0.5]}})
    assert other.state() == {"windows": 0, "rows": {SUBJECT: []}}


@pytest.mark.parametrize("lacks", ["old log", "nobody was asked", "no rows"])
def test_a_window_that_does_not_tell_is_not_asked(lacks):
    rows = looked(0 if lacks == "no rows" else 50, 3, told=0.0)
    if lacks == "old log":  # of which a reader gives nulls of no type
        rows = rows.set_column(2, SUBJECT, pa.nulls(50)).set_column(3, ENTROPY, pa.nulls(50))
    found = look(watch(), rows)
    assert (found.alarm, found.more) == (False, 50)
    assert not look(watch(), rows.drop_columns(NAMES)).alarm


def test_a_reference_that_does_not_tell_has_no_such_watch():
    assert AttributionWatch.fit(looked(50, 1, told=0.0), NAMES) is None
    assert AttributionWatch.fit(looked(50, 1).drop_columns(NAMES), []) is None


def both(log: pa.Table, seed: int, **how: float) -> pa.Table:
    told = looked(len(log), seed, **how)
    for name in NAMES:
        log = log.append_column(name, told[name])
    return log


def day(number: int, **how: float) -> pa.Table:
    log = of_log(200, 10 + number, FEAST + timedelta(days=30 + number))
    return both(log, 500 + number, told=0.3, **how)


@pytest.fixture(scope="module")
def reference() -> pa.Table:
    return both(REFERENCE, 9)


def monitor(reference: pa.Table) -> Monitor:
    settings = MonitoringRecipe(window=WindowRecipe(rows=50))
    return Monitor(reference, [*COLUMNS, *NAMES], settings, BUDGET, LossOf.fit(reference, TRUTH))


def test_a_model_that_looks_at_the_background_while_its_scores_stay_is_a_ticket(reference):
    watching = monitor(reference)
    calm = [watching.look(each, labelled(each.slice(0, 0)), each) for each in map(day, range(2))]
    assert [each.cause for each in calm] == [NONE] * 2
    found = [
        watching.look(each, labelled(each.slice(0, 0)), each) for each in (day(n, subject=1.5) for n in range(2, 5))
    ]
    verdict = next(each for each in found if each.alarms)
    assert (verdict.cause, verdict.severity) == (UNKNOWN, TICKET)
    assert [each.detector for each in verdict.evidence if each.alarm] == [OF_ATTRIBUTION]
    assert "the model looks elsewhere" in verdict.told
    assert {*verdict.moved} <= {*NAMES}
    assert len(verdict.rows) > 10


def test_other_evidence_names_the_cause():
    elsewhere = Evidence(OF_ATTRIBUTION, True, "the model looks elsewhere")
    quiet = Evidence(OF_WINDOW, False, "nothing moved")
    right = Evidence(OF_LABELS, False, "right", facts={"model": RIGHT})
    assert judge([quiet, elsewhere, right]).cause == COVARIATE
    assert judge([quiet, elsewhere, replace(right, alarm=True)]).cause == CONCEPT
    assert judge([quiet, elsewhere, Evidence(OF_QUALITY, True, "dark")]).cause == QUALITY
    few = judge([Evidence(OF_WINDOW, False, "few", more=3), Evidence(OF_ATTRIBUTION, False, "few", more=50)])
    assert few.told == "Too little came to say anything; 3 more rows would do."


def test_a_monitor_that_is_resumed_says_the_same(reference):
    days = [day(number, subject=1.5 if number > 2 else 6.0) for number in range(5)]
    through, state, found = monitor(reference), None, []
    whole = [through.look(each, labelled(each), each) for each in days]
    for each in days:
        again = monitor(reference)
        if state is not None:
            again.restore(state)
        found.append(again.look(each, labelled(each), each))
        state = json.loads(json.dumps(again.state()))
    assert [each.of(OF_ATTRIBUTION) for each in found] == [each.of(OF_ATTRIBUTION) for each in whole]


def in_season(number: int, **how: float) -> pa.Table:
    """A day of the feast, of which the reference has the last."""
    return both(of_log(200, 40 + number, FEAST + timedelta(days=number)), 700 + number, told=0.3, **how)


@pytest.fixture(scope="module")
def with_season(reference) -> pa.Table:
    """As the model was validated, on ordinary days and in the last feast, in which it looked elsewhere."""
    feast = both(of_log(400, 60, FEAST - timedelta(days=365)), 61, subject=1.5)
    return pa.concat_tables([reference, feast])


def told_of_season(reference: pa.Table) -> Monitor:
    feast = SeasonSettings(name="feast", dates="03-14..03-20", reference="year_before")
    settings = MonitoringRecipe(window=WindowRecipe(rows=50), seasons=(feast,))
    ordinary = reference.slice(0, len(REFERENCE))
    seasons = {"feast": reference.slice(len(REFERENCE))}
    return Monitor(ordinary, [*COLUMNS, *NAMES], settings, BUDGET, LossOf.fit(reference, TRUTH), seasons=seasons)


def attributed(watching: Monitor, days: list[pa.Table]) -> list[tuple[str, bool]]:
    """Of each day the cause, and whether the model looks elsewhere."""
    verdicts = [watching.look(each, labelled(each.slice(0, 0)), each) for each in days]
    return [(each.cause, each.of(OF_ATTRIBUTION).alarm) for each in verdicts]


def test_in_an_expected_season_the_model_may_look_where_it_did_in_the_one_before(with_season):
    found = attributed(told_of_season(with_season), [in_season(number, subject=1.5) for number in range(5)])
    assert {cause for cause, _ in found} <= {SEASON, NONE}
    outside = attributed(told_of_season(with_season), [day(number, subject=1.5) for number in range(3)])
    assert (UNKNOWN, True) in outside


def test_what_it_looked_at_in_a_season_says_nothing_of_the_days_after(with_season):
    """The season ends while rows are gathered."""
    watching = told_of_season(with_season)
    attributed(watching, [in_season(0, subject=1.5).slice(0, 120)])
    assert attributed(watching, [day(number) for number in range(4)]) == [(NONE, False)] * 4


def test_in_an_expected_season_a_model_that_looks_elsewhere_than_in_the_one_before_is_told(with_season):
    found = attributed(told_of_season(with_season), [in_season(number, subject=30.0) for number in range(5)])
    assert (UNKNOWN, True) in found


def test_traffic_has_these_columns_of_a_reference_and_tables_are_held_against_each_other_by_them(reference):
    assert {*NAMES} <= {*compared(reference.column_names, ())}
    moved = check(reference, day(1, subject=1.5))
    assert "the model looks elsewhere" in moved.told
    assert check(reference, day(1)).cause == NONE


def test_no_more_is_remembered_than_counts():
    """Of one who sends all day one row."""
    known = AttributionWatch.fit(looked(600, 1), NAMES, unit="uploader")
    assert known is not None
    assert look(known, looked(500, 7, each=500)).more == 49
    assert len(known.state()["rows"][SUBJECT]) == 1
