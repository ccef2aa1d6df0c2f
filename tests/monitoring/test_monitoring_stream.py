"""The stream test finds what was planted, is silent otherwise, and goes on after a stop as if there had been none."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from totalml.errors import DataError
from totalml.monitoring import Observations, StreamTest
from totalml.monitoring.once_per_unit import DAY, once_per_unit

RUN = 100_000.0


def table(values, **more):
    return Observations(len(values), numbers={f"column {n}": column for n, column in enumerate(values.T)}, **more)


@pytest.fixture(scope="module")
def reference():
    return table(np.random.default_rng(0).normal(size=(1500, 3)))


@pytest.fixture
def stream(reference):
    return StreamTest.fit(reference, RUN)


def test_a_stream_like_its_reference_is_no_alarm(stream):
    found = stream.update(table(np.random.default_rng(1).normal(size=(20_000, 3))))
    assert not found.alarm
    assert found.moves == ()
    assert found.since.rows is None
    assert -math.inf < found.log_evidence < found.log_threshold == pytest.approx(math.log(RUN))


@pytest.mark.parametrize(
    ("way", "change"),
    [
        ("higher", lambda values: values + 2),
        ("lower", lambda values: values - 2),
        ("wider", lambda values: values * 4),
        ("narrower", lambda values: values / 5),
    ],
)
def test_a_change_is_found_with_its_column_its_way_and_its_row(stream, way, change):
    rows = np.random.default_rng(2).normal(size=(1400, 3))
    rows[1000:, 1] = change(rows[1000:, 1])
    times = 1_700_000_000_000_000 + np.arange(1400) * 60_000_000
    found = stream.update(table(rows, times=times))
    assert 1000 <= found.alarm_row < 1080
    assert (found.moves[0].name, found.moves[0].way) == ("column 1", way)
    since = found.since
    assert abs(since.rows.at - 1000) < 20
    assert since.rows.low <= since.rows.at <= since.rows.high < since.rows.low + 40
    assert since.times.at == times[since.rows.at]
    assert found.moves[0].log_evidence > math.log(RUN)


def test_all_columns_that_moved_are_named(stream):
    rows = np.random.default_rng(3).normal(size=(300, 3)) + np.array([3, 0, -3])
    moved = {(each.name, each.way) for each in stream.update(table(rows)).moves}
    assert moved >= {("column 0", "higher"), ("column 2", "lower")}
    assert "column 1" not in {name for name, _ in moved}


def test_columns_that_move_only_together_are_seen():
    """Each is as before, but they no longer agree."""
    rng = np.random.default_rng(4)
    shared = rng.normal(size=(4000, 1))
    stream = StreamTest.fit(table(shared + 0.1 * rng.normal(size=(4000, 4))), RUN)
    found = stream.update(table(rng.normal(size=(500, 4))))
    assert found.alarm
    assert found.moves[0].name == "all numbers"


def test_less_sure_answers_are_seen():
    rng = np.random.default_rng(5)

    def answers(chance):
        return Observations(len(chance), scores={"answer:a": chance, "answer:b": 1 - chance})

    stream = StreamTest.fit(answers(rng.choice([0.02, 0.98], 1000) + rng.uniform(-0.01, 0.01, 1000)), RUN)
    found = stream.update(answers(rng.uniform(0.4, 0.6, 100)))
    assert found.alarm
    assert found.moves[0].name == "unsure"


def test_an_embedding_that_turns_is_seen():
    rng = np.random.default_rng(6)
    first = rng.normal(size=(2000, 32)).astype(np.float32)
    stream = StreamTest.fit(Observations(2000, embeddings=first), RUN)
    assert not stream.update(Observations(2000, embeddings=rng.normal(size=(2000, 32)).astype(np.float32))).alarm
    now = rng.normal(size=(400, 32)).astype(np.float32)
    now[:, :3] += 4
    found = stream.update(Observations(400, embeddings=now))
    assert found.alarm
    assert found.moves[0].name.startswith("embedding")
    # Those of another release say nothing about this one.
    stream.restart()
    assert not stream.update(Observations(400, embeddings=now[:, :16])).alarm


def test_it_goes_on_as_if_it_had_not_stopped(reference):
    rows = np.random.default_rng(7).normal(size=(700, 3)) + 0.2
    whole, first, second = (StreamTest.fit(reference, RUN) for _ in range(3))
    first.update(table(rows[:333]))
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    assert second.update(table(rows[333:])) == first.update(table(rows[333:]))
    assert second.state() == first.state()
    found = whole.update(table(rows))
    assert whole.state() == first.state()
    assert found.log_evidence == second.update(table(rows[:0])).log_evidence


def test_one_row_at_a_time_is_as_all_at_once(reference):
    rows = np.random.default_rng(8).normal(size=(150, 3))
    rows[100:] += 2
    whole, single = (StreamTest.fit(reference, RUN) for _ in range(2))
    found = whole.update(table(rows))
    each = [single.update(table(rows[at : at + 1])) for at in range(len(rows))]
    assert next(one.alarm_row for one in each if one.alarm) == found.alarm_row
    assert each[-1].log_evidence == pytest.approx(found.log_evidence, abs=1e-12)


def test_an_alarm_that_stands_is_not_looked_into_again(reference, monkeypatch):
    rows = np.random.default_rng(8).normal(size=(300, 3))
    rows[100:] += 2
    whole, parts = (StreamTest.fit(reference, RUN) for _ in range(2))
    quiet = parts.update(table(rows[:50]))
    found = parts.update(table(rows[50:200]), quiet)
    assert not quiet.alarm
    assert found.alarm
    monkeypatch.delattr(StreamTest, "_found")
    after = parts.update(table(rows[200:]), found)
    monkeypatch.undo()
    assert after.log_evidence == whole.update(table(rows)).log_evidence
    assert (after.alarm_row, after.moves, after.since) == (found.alarm_row, found.moves, found.since)


def test_a_state_of_another_reference_is_refused(reference, stream):
    StreamTest.fit(reference, 2 * RUN).restore(stream.state())
    with pytest.raises(DataError, match="restart"):
        StreamTest.fit(reference, RUN, chance=0.1).restore(stream.state())
    with pytest.raises(DataError, match="restart"):
        StreamTest.fit(reference.take(np.arange(900)), RUN).restore(stream.state())
    with pytest.raises(DataError, match="average_run 0 has"):
        StreamTest.fit(reference, 0)


def test_evidence_goes_once_a_change_is_over(stream):
    rng = np.random.default_rng(9)
    assert stream.update(table(rng.normal(size=(3000, 3)) + 3)).alarm
    after = stream.update(table(rng.normal(size=(3000, 3))))
    assert after.log_evidence < after.log_threshold


def test_of_a_unit_and_day_one_row_counts():
    units = np.array([1, 1, 2, 2, 2, 1])
    times = np.array([0, 5, 7, DAY, DAY + 1, DAY])
    rows = Observations(6, times=times, units=units)
    chosen = [once_per_unit(rows, np.random.default_rng(seed)) for seed in range(60)]
    assert {tuple(each) for each in chosen} == {(a, 2, b, 5) for a in (0, 1) for b in (3, 4)}


def test_samples_that_come_together_break_no_promise():
    """Each uploader's pictures are alike; taken as if each stood alone, they are an alarm soon."""
    rng = np.random.default_rng(10)

    def traffic(units):
        values = np.repeat(rng.normal(size=units), 40)[:, None] + 0.1 * rng.normal(size=(40 * units, 1))
        return table(values, units=np.repeat(np.arange(units), 40))

    stream = StreamTest.fit(traffic(800), RUN)
    days = [traffic(5) for _ in range(100)]
    assert not any(stream.update(day).alarm for day in days)
    alone = StreamTest.fit(table(rng.normal(size=(800, 1))), RUN)
    assert any(alone.update(table(np.stack([*day.numbers.values()], axis=1))).alarm for day in days)


def test_too_small_a_reference_says_how_much_it_lacks(reference):
    small = StreamTest.fit(reference.take(np.arange(3)), RUN)
    found = small.update(table(np.full((500, 3), 99.0)))
    assert not found.alarm
    assert found.log_evidence == -math.inf
    enough = StreamTest.fit(reference.take(np.arange(3 + found.too_few)), RUN)
    assert enough.too_few == 0
    assert enough.update(table(np.full((500, 3), 99.0))).alarm


ANYTHING = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, -1e308, 1e308, 5e-324])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_comes_is_answered(data):
    """Ties, constants, infinities, columns that are missing or new, no rows at all: no error, and no warning."""

    def drawn(rows):
        values = data.draw(arrays.arrays(np.float64, (rows, 3), elements=ANYTHING | st.floats(width=64)))
        names = data.draw(st.sets(st.sampled_from(["a", "b", "c"])))
        numbers = {name: values[:, at] for at, name in enumerate("abc") if name in names}
        wide = data.draw(st.sampled_from([0, 2, 3]))
        with np.errstate(over="ignore"):
            embeddings = values[:, :wide].astype(np.float32) if data.draw(st.booleans()) else None
        return Observations(rows, scores={"s": values[:, 0]}, embeddings=embeddings, numbers=numbers)

    repeats = data.draw(st.sampled_from([1, 60]))
    first = drawn(data.draw(st.integers(0, 5)))
    stream = StreamTest.fit(first.take(np.tile(np.arange(first.count), repeats)), RUN)
    for _ in range(2):
        found = stream.update(drawn(data.draw(st.integers(0, 6))))
        assert not math.isnan(found.log_evidence)
    json.dumps(stream.state(), allow_nan=False)
