"""Windows, and what is known late, against a look at every row."""

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.rows_of_series import DAY_US, START, VALUES, listed, series, table
from totalml.errors import FeatureError
from totalml.features import Lags, Window

OF = ("sum", "mean", "min", "max", "count")


def window(**given):
    return Window(**{"owner": "ann", "column": "spend", "entity": ["region"], "last": "3d", "of": OF} | given)


def plainly(values, least=1):
    """What a list of values comes to."""
    there = [value for value in values if value is not None]
    if len(there) < least:
        return {**dict.fromkeys(OF), "count": len(there)}
    total = math.fsum(there)
    return {"sum": total, "mean": total / len(there), "min": min(there), "max": max(there), "count": len(there)}


@settings(deadline=None)
@given(series(step_us=DAY_US // 2), st.booleans(), st.integers(1, 3))
def test_a_window_holds_the_rows_of_its_own_series_and_time(rows, itself, least):
    made = window(itself=itself, least=least).columns(table(rows))
    for place, (name, now, _) in enumerate(rows):
        first, last = now - 3 * DAY_US, now
        within = [
            value
            for other, when, value in rows
            if other == name and (first < when <= last if itself else first <= when < last)
        ]
        expected = plainly(within, least)
        found = {part: listed(made, part)[place] for part in OF}
        # Whole numbers below 2^53 add up exactly; only the mean divides.
        assert {part: found[part] for part in OF if part != "mean"} == {
            part: expected[part] for part in OF if part != "mean"
        }
        assert found["mean"] == pytest.approx(expected["mean"], rel=1e-15) if expected["mean"] is not None else True


@settings(deadline=None)
@given(series(), st.lists(st.floats(-1e9, 1e9), min_size=40, max_size=40))
def test_other_rows_do_not_move_the_last_bit(rows, values):
    told = [(name, when, value) for (name, when, _), value in zip(rows, values, strict=False)]
    whole = window().columns(table(told))
    for place, (name, now, _) in enumerate(told):
        seen = [row for row in told if row[0] == name and now - 3 * DAY_US < row[1] <= now]
        alone = window().columns(table(seen))
        for part in OF:
            assert listed(alone, part)[seen.index(told[place])] == listed(whole, part)[place]


@st.composite
def revised(draw):
    """Rows that become known days later, corrections of a value among them: (series, time, known, value)."""
    key = st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.integers(0, 9))
    chosen = draw(st.lists(key, unique=True, min_size=1, max_size=40))
    return [(name, day * DAY_US, known * DAY_US, draw(VALUES)) for name, day, known in chosen]


def revised_table(rows):
    base = int(START.timestamp()) * 10**6
    known = pa.array([base + known for _, _, known, _ in rows], pa.timestamp("us", "UTC"))
    named = table([(name, when, value) for name, when, _, value in rows])
    ids = pa.array([f"{name}/{when}/{known}" for name, when, known, _ in rows])
    return named.set_column(0, "id", ids).append_column("reported", known)


def as_known(rows, name, now):
    """Time -> value, of what was known of a series then, corrected as far as it was."""
    known = sorted(row for row in [(known, when, value) for other, when, known, value in rows if other == name])
    return {when: value for known, when, value in sorted(known, key=lambda each: each[0]) if known <= now}


@settings(deadline=None)
@given(revised())
def test_what_was_not_known_then_is_not_looked_at(rows):
    rows = list({row[:3]: row for row in rows}.values())
    made = window(known_time="reported").columns(revised_table(rows))
    lags = Lags(owner="ann", column="spend", entity=["region"], every="1d", lags=2, known_time="reported").columns(
        revised_table(rows)
    )
    for place, (name, when, known, _) in enumerate(rows):
        there = as_known(rows, name, known)
        expected = plainly([value for then, value in there.items() if when - 3 * DAY_US < then <= when])
        assert listed(made, "sum")[place] == expected["sum"]
        assert listed(made, "count")[place] == expected["count"]
        for lag in range(3):
            assert listed(lags, f"lag{lag}")[place] == there.get(when - lag * DAY_US)


def test_pairs_are_looked_at_a_few_at_a_time_with_the_same_result(monkeypatch):
    rows = [("a", day * DAY_US, (day + day % 3) * DAY_US, float(day)) for day in range(30)]
    whole = window(known_time="reported").columns(revised_table(rows))
    monkeypatch.setattr("totalml.features.shared.windows.MOST_PAIRS", 2)
    assert window(known_time="reported").columns(revised_table(rows)).equals(whole)


def test_one_report_of_one_time_twice_is_named():
    rows = [("a", 0, 0, 1.0), ("a", 0, DAY_US, 2.0), ("a", 0, DAY_US, 3.0)]
    with pytest.raises(FeatureError, match=f"1 row of one region has the same time as another: 'a/0/{DAY_US}' and"):
        window(known_time="reported").columns(revised_table(rows))
