"""A history of series is one future in the order of time, and what sets thresholds is never what they are tried on."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from recipes.marketing.source import MarketSource
from totalml.drill import Pools
from totalml.drill.futures import _scored, draw_future
from totalml.drill.history import DAY_US
from totalml.errors import DataError
from totalml.kinds import Source
from totalml.monitoring import Observations
from totalml.recipe import DrillRecipe

BEGIN = datetime(2025, 1, 6, tzinfo=UTC)
CALM, WEEKS, REGIONS = 4, 6, 2
POPULATIONS = {"base": range(2 * CALM), "other": range(CALM, CALM + 2)}  # of each its futures


def recipe(**changes: object) -> DrillRecipe:
    given = {
        "futures": True,
        "days": 28,
        "from_day": 14,
        "histories": 2,
        "calm_histories": CALM,
        "false_alarms": 0.25,
        "populations": {name: {"source": MarketSource(regions=2, years=7, since="2025-01-06")} for name in POPULATIONS},
        "scenarios": {"changed": {"truth": "concept", "population": "other"}},
    }
    return DrillRecipe.model_validate({**given, **changes})


@pytest.fixture(scope="module")
def pools() -> Pools:
    """Rows that come in any order, after 10 of a reference that have no time."""
    dice = np.random.default_rng(0)
    times, futures, rows, end = [None] * 10, [-1] * 10, {}, 10
    for name, numbers in POPULATIONS.items():
        own = [(number, week) for number in numbers for week in range(WEEKS) for _ in range(REGIONS)]
        own = [own[place] for place in dice.permutation(len(own))]
        times += [BEGIN + timedelta(weeks=week) for _, week in own]
        futures += [number for number, _ in own]
        rows[name] = np.arange(end, end := end + len(own))
    count = len(times)
    table = pa.table({"time": pa.array(times, pa.timestamp("us", "UTC")), "score": dice.random(count)})
    known = np.array([0 if each is None else int(each.timestamp() * 1e6) for each in times])
    return Pools(
        Observations(count, times=known), dice.random(count) < 0.1, rows, table, None, np.arange(10), np.array(futures)
    )


def population_of(pools: Pools, rows: np.ndarray) -> list[str]:
    return [next(name for name, own in pools.rows.items() if row in own) for row in rows]


@pytest.mark.parametrize("number", range(2))
def test_a_future_is_the_usual_one_until_something_happens_and_another_from_then_on(pools, number):
    drawn = draw_future(pools, recipe(), "changed", 0, number)
    assert drawn.day.tolist() == [7 * week for week in range(4) for _ in range(REGIONS)]
    assert population_of(pools, drawn.rows) == ["base"] * 4 + ["other"] * 4
    assert {*pools.futures[drawn.rows]} == {CALM + number}
    assert (drawn.times == drawn.first_us + drawn.day * DAY_US).all()
    assert drawn.first_us == BEGIN.timestamp() * 1e6
    assert drawn.reference_rows.tolist() == [*range(10)]
    assert len({*drawn.rows}) == len(drawn.rows)


def test_calm_futures_that_set_thresholds_are_no_others(pools):
    calm = [draw_future(pools, recipe(), None, 0, number) for number in range(2 * CALM)]
    assert [{*pools.futures[each.rows]} for each in calm] == [{number} for number in range(2 * CALM)]
    tried = {number for n in range(2) for number in pools.futures[draw_future(pools, recipe(), "changed", 0, n).rows]}
    assert not tried & {*range(CALM)}


def test_truths_are_told_of_a_share_and_later(pools):
    drawn = draw_future(pools, recipe(labels={"share": 1.0, "delay_days": 7}), None, 0, 0)
    assert (drawn.known_on == drawn.day + 7).all()
    none = draw_future(pools, recipe(labels={"share": 0.0}), None, 0, 0)
    assert (none.known_on > 10_000).all()


class Fixed(Source):
    """A table that is there, of which nothing else can come."""

    def samples(self):
        yield from ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"populations": {"base": {"source": Fixed()}, "other": {"of": "base"}}}, "futures need a source that draws"),
        ({"populations": {"base": {}, "other": {"of": "base"}}}, "futures need a source that draws"),
        ({"scenarios": {"a": {"truth": "concept", "population": "other", "share": 0.5}}}, "drawn row by row"),
        ({"scenarios": {"a": {"truth": "concept", "population": "other", "volume": 2}}}, "drawn row by row"),
        ({"histories": CALM + 1}, f"take {CALM} or fewer"),
    ],
)
def test_what_futures_cannot_be_is_refused(changes, told):
    with pytest.raises(ValidationError, match=told):
        recipe(**changes)


def test_futures_that_do_not_follow_what_the_release_knows_are_told():
    with pytest.raises(DataError, match="population 'base' of the drill begins on 2025-01-06; it is late"):
        _scored("base", 0, recipe(), None, lambda first: f"begins on {first:%Y-%m-%d}; it is late")
