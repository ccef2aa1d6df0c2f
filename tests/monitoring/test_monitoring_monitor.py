"""A monitor before a reference of its own, with faults, drifts and seasons planted in what it is shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.monitoring.traffic import TRUTH
from totalml.monitoring.budget import Budget
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.traffic import LOSS
from totalml.monitoring.verdict import (
    CONCEPT,
    COVARIATE,
    NONE,
    OF_FAIRNESS,
    OF_LABELS,
    OF_SEASON,
    QUALITY,
    SEASON,
    TOO_FEW,
    UNKNOWN,
)
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.recipe.seasons import SeasonSettings

SPRING = datetime(2025, 5, 1, 12, tzinfo=UTC)
FEAST = datetime(2026, 3, 15, 12, tzinfo=UTC)
COLUMNS = ["answer:predicted", "answer:confidence", "answer:p:bad", "answer:p:good", "property:brightness",
           "metadata:age_group", "embedding"]  # fmt: skip
BUDGET = Budget(false_alarms_per_year=4, rows_per_day=200)


def rows(
    count: int, seed: int, since: datetime, wrong: float = 0.05, shift: float = 0.0, brightness: float = 100.0
) -> pa.Table:
    """Args: wrong: share of answers; shift: of embeddings and confidence, in deviations; brightness: the mean."""
    random = np.random.default_rng(seed)
    good = np.clip(0.5 + 0.35 * np.sign(random.normal(size=count)) + 0.05 * random.normal(size=count), 0.01, 0.99)
    said = np.where(good > 0.5, "good", "bad")
    label = np.where(random.random(count) < wrong, np.where(said == "good", "bad", "good"), said)
    times = [since + timedelta(seconds=30 * number) for number in range(count)]
    embedding = random.normal(size=(count, 4)).astype(np.float32)
    embedding[:, 0] += shift
    return pa.table(
        {
            "request_id": [f"{seed}-{number}" for number in range(count)],
            "id": ["0"] * count,
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "label": label,
            "answer:predicted": said,
            "answer:confidence": np.maximum(good, 1 - good),
            "answer:p:bad": 1 - good,
            "answer:p:good": good,
            "property:brightness": (brightness + 10 * random.normal(size=count)).astype(np.float32),
            "metadata:age_group": random.choice(["18-25", "26-40"], count),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(embedding.ravel()), 4),
        }
    )


REFERENCE = rows(1200, 1, SPRING)


def monitor(seasons: tuple[SeasonSettings, ...] = (), reference: pa.Table = REFERENCE) -> Monitor:
    settings = MonitoringRecipe(slices=("age_group",), seasons=seasons)
    return Monitor(reference, COLUMNS, settings, BUDGET, LossOf.fit(reference, TRUTH))


def labelled(window: pa.Table) -> pa.Table:
    """Of all of its rows, told at once."""
    wrong = np.asarray(window["label"]) != np.asarray(window["answer:predicted"])
    return window.append_column(LOSS, pa.array(wrong.astype(np.float64))).append_column("labelled", window["time"])


def look(watching: Monitor, window: pa.Table, told: bool = True):
    return watching.look(window, labelled(window) if told else labelled(window.slice(0, 0)), window)


def days(count: int, **changed: float) -> list[pa.Table]:
    return [rows(200, 10 + day, FEAST + timedelta(days=30 + day), **changed) for day in range(count)]


def test_days_like_the_reference_are_nothing():
    watching = monitor()
    assert [look(watching, day).cause for day in days(4)] == [NONE] * 4


def test_a_model_that_errs_more_is_concept_though_its_inputs_look_as_ever():
    watching = monitor()
    causes = [look(watching, day).cause for day in days(3, wrong=0.25)]
    assert CONCEPT in causes
    assert {*causes} <= {NONE, CONCEPT}


def test_a_window_without_labels_says_nothing_of_errors_again():
    watching = monitor()
    causes = [look(watching, day).cause for day in days(4, wrong=0.4)]
    assert causes[-1] == CONCEPT
    assert look(watching, days(5)[4], told=False).cause == NONE


def test_new_inputs_without_labels_are_unknown_and_say_what_moved_and_who_shows_it():
    watching = monitor()
    window = rows(200, 5, FEAST)
    new = rows(80, 6, FEAST + timedelta(hours=2), shift=4.0)
    verdict = look(watching, pa.concat_tables([window, new]), told=False)
    assert verdict.cause == UNKNOWN
    assert any("embedding" in name for name in verdict.moved)
    shown = verdict.of("window").rows
    assert np.mean([row >= 200 for row in shown]) > 0.9  # the rows that are new


def test_new_inputs_that_labels_say_are_answered_rightly_become_new_covariate():
    watching = monitor()
    for day in days(2):  # that it is right on these says nothing of what comes
        look(watching, day)
    first, *others = days(4, shift=3.0, wrong=0.02)
    assert look(watching, first, told=False).cause == UNKNOWN
    assert [look(watching, day).cause for day in others][-1] == COVARIATE


def test_a_column_of_another_type_stops_no_window():
    window = rows(200, 7, FEAST)
    place = window.column_names.index("property:brightness")
    words = window.set_column(place, "property:brightness", window["property:brightness"].cast(pa.string()))
    verdict = look(monitor(), words)
    assert verdict.cause == QUALITY
    assert "is of another type (words, numbers in the reference; let it hold numbers again)" in verdict.told


def test_dark_pictures_are_data_quality_and_outweigh_what_follows_from_them():
    verdict = look(monitor(), rows(200, 7, FEAST, brightness=30.0, wrong=0.1), told=False)
    assert verdict.cause == QUALITY
    assert "pictures are dark" in verdict.told


def test_a_column_that_is_gone_is_data_quality():
    assert look(monitor(), rows(200, 8, FEAST).drop_columns("metadata:age_group")).cause == QUALITY


def feast(**changed: float) -> SeasonSettings:
    return SeasonSettings(name="feast", dates="03-14..03-20", reference="year_before")


def test_a_season_like_the_one_before_is_stated_and_another_is_not_excused():
    last_year = rows(400, 2, FEAST - timedelta(days=365), shift=2.0, wrong=0.2)
    watching = monitor((feast(),), pa.concat_tables([REFERENCE, last_year]))
    same = look(watching, rows(200, 3, FEAST, shift=2.0, wrong=0.2))
    assert same.cause == SEASON
    assert not same.alarms
    other = look(watching, rows(200, 4, FEAST + timedelta(days=1), shift=-3.0, wrong=0.2), told=False)
    assert other.of(OF_SEASON).alarm
    assert other.cause == UNKNOWN


def test_days_after_a_season_do_not_remember_it():
    last_year = rows(60, 2, FEAST - timedelta(days=365), shift=2.0, wrong=0.2)
    watching = monitor((feast(),), pa.concat_tables([REFERENCE, last_year]))
    week = [look(watching, rows(200, 3 + n, FEAST + timedelta(days=n), shift=2.0, wrong=0.2)).cause for n in range(6)]
    after = [look(watching, rows(200, 20 + n, FEAST + timedelta(days=6 + n))).cause for n in range(3)]
    assert {*week} == {SEASON}
    assert {*after} == {NONE}


def test_a_season_excuses_no_more_errors_than_it_had_before():
    last_year = rows(400, 2, FEAST - timedelta(days=365), shift=2.0, wrong=0.05)
    watching = monitor((feast(),), pa.concat_tables([REFERENCE, last_year]))
    causes = [
        look(watching, rows(200, 20 + n, FEAST + timedelta(days=n), shift=2.0, wrong=0.4)).cause for n in range(3)
    ]
    assert CONCEPT in causes


def test_what_callers_may_leave_out_is_not_gone_where_they_do():
    made = REFERENCE, COLUMNS, MonitoringRecipe(slices=("age_group",), unit="age_group"), BUDGET
    watching = Monitor(*made, LossOf.fit(REFERENCE, TRUTH), optional=("metadata:age_group",))
    silent = pa.nulls(200, pa.string())
    for window in days(1):
        told = window.set_column(window.column_names.index("metadata:age_group"), "metadata:age_group", silent)
        assert look(watching, told).cause == NONE
        assert look(watching, told.drop_columns("metadata:age_group")).cause == NONE


def test_a_group_that_is_chosen_less_often_is_named():
    made = REFERENCE, COLUMNS, MonitoringRecipe(slices=("age_group",)), BUDGET
    watching = Monitor(*made, LossOf.fit(REFERENCE, TRUTH), positive="good")
    window = rows(300, 30, FEAST)
    young = np.asarray(window["metadata:age_group"]) == "18-25"
    good = np.where(young & (np.arange(300) % 3 > 0), 0.15, np.asarray(window["answer:p:good"]))
    for name, values in (("answer:p:good", good), ("answer:predicted", np.where(good > 0.5, "good", "bad"))):
        window = window.set_column(window.column_names.index(name), name, pa.array(values))
    shares = look(watching, window, told=False).of(OF_FAIRNESS)
    assert shares.alarm
    assert any("18-25" in name for name in shares.moved)
    assert not look(watching, rows(300, 31, FEAST), told=False).of(OF_FAIRNESS).alarm


def test_too_few_rows_are_not_enough_and_say_how_many_are_lacking():
    watching = Monitor(REFERENCE, COLUMNS, MonitoringRecipe(), BUDGET, None)
    window = rows(20, 9, FEAST)
    verdict = look(watching, window, told=False)
    assert verdict.of("window").more == 30
    assert verdict.cause in (NONE, TOO_FEW)  # row after row it may have been enough


def test_one_restored_says_what_one_that_never_stopped_says():
    through, stopped = monitor(), monitor()
    for day in days(3, wrong=0.12):
        state = json.loads(json.dumps(stopped.state(), allow_nan=False))
        stopped = monitor()
        stopped.restore(state)
        assert look(stopped, day).as_json() == look(through, day).as_json()


def test_looking_along_changes_nothing_of_what_is_said_at_the_end():
    along, once = monitor(), monitor()
    for day in days(2, wrong=0.15):
        for end in (50, 51, 120, 200):
            along.would_alarm(day.slice(0, end), labelled(day.slice(0, end)))
        assert look(along, day).of(OF_LABELS).value == pytest.approx(look(once, day).of(OF_LABELS).value)


def test_labels_of_other_settings_begin_anew():
    watching, other = monitor(), Monitor(REFERENCE, COLUMNS, MonitoringRecipe(), BUDGET, LossOf.fit(REFERENCE, TRUTH))
    look(watching, days(1)[0])
    other.restore(watching.state())
    assert look(other, days(2)[1]).cause == NONE
