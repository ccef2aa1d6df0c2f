import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import DataError
from totalml.monitoring import StreamQuality, StreamQualityResult, observe
from totalml.monitoring.seen import Seen, row_keys

PROPERTIES = ("brightness", "sharpness", "warmth")
START = datetime(2026, 3, 2, tzinfo=UTC)


def pints(seed: int, count: int = 400) -> pa.Table:
    """Rows as the log has them, one every five minutes or so."""
    rng = np.random.default_rng(seed)
    times = START + np.cumsum(rng.exponential(300, count)) * timedelta(seconds=1)
    columns = {
        "time": pa.array(times.tolist(), pa.timestamp("us", "UTC")),
        "error": pa.array([None] * count, pa.string()),
        "input": pa.array([f"blake3:{seed}-{row}" for row in range(count)]),
        "metadata:age": pa.array(rng.integers(18, 80, count)),
        "metadata:pub": pa.array(rng.choice(["Mulligans", "Kehoes", "Grogans"], count).tolist()),
        "metadata:camera": pa.array(rng.choice(["phone", "tablet"], count, p=[0.8, 0.2]).tolist()),
        "answer:confidence": rng.beta(8, 2, count),
        "strangeness": rng.gamma(2, 1, count),
    }
    looks = {f"property:{name}": (100 + 10 * rng.normal(size=count)).astype(np.float32) for name in PROPERTIES}
    return pa.table(columns | looks)


def with_column(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def of(table: pa.Table, name: str) -> np.ndarray:
    return table[name].to_numpy(zero_copy_only=False).copy()


def result_of(window: pa.Table, **bounds: int) -> StreamQualityResult:
    return StreamQuality.fit(pints(0, 2000), by=["camera"]).test(window, **bounds)


def kinds(result: StreamQualityResult) -> set[tuple[str, str]]:
    return {(fault.kind, fault.column) for fault in result.faults}


def us(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_window_like_the_reference_has_no_fault(seed):
    assert result_of(pints(seed)).faults == ()


def test_columns_that_are_gone_new_or_of_another_type_are_certain():
    window = pints(1).drop_columns(["metadata:age"]).append_column("metadata:glass", pa.array(["tulip"] * 400))
    window = with_column(window, "metadata:camera", list(range(400)))
    result = result_of(window)
    expected = {("gone", "metadata:age"), ("new", "metadata:glass"), ("type", "metadata:camera")}
    assert kinds(result) == expected
    assert {(fault.kind, fault.column) for fault in result.certain} == expected
    assert all(fault.p == 0 for fault in result.certain)


def test_pictures_that_got_dark_are_told_with_the_share_of_them():
    dark = of(pints(1), "property:brightness")
    dark[:80] -= 60
    (fault,) = result_of(with_column(pints(1), "property:brightness", dark)).faults
    assert (fault.kind, fault.column, fault.certain) == ("below", "property:brightness", False)
    assert fault.share == pytest.approx(0.2, abs=0.02)
    assert fault.expected <= 0.005
    assert {*range(80)} <= {*fault.rows.tolist()}
    assert fault.words.startswith("pictures are dark")
    assert not fault.new_inputs
    assert fault.effect > 0.8


@pytest.mark.parametrize(("looks", "is_fault"), [("sharpness", True), ("brightness", False)])
def test_many_pictures_as_the_worst_of_the_reference_are_a_fault_if_the_camera_made_them_so(looks, is_fault):
    """Of a reference in which one of thirty is bad: of such no more than a sixth lie outside of what it holds."""

    def some(seed: int, count: int, bad: float) -> pa.Table:
        table, rng = pints(seed, count), np.random.default_rng(seed)
        values = np.where(rng.random(count) < bad, rng.normal(40, 8, count), of(table, f"property:{looks}"))
        return with_column(table, f"property:{looks}", values)

    quality = StreamQuality.fit(some(0, 2000, 0.03), level=1e-4)
    faults = quality.test(some(1, 100, 0.3)).faults
    assert [fault.words[:21] for fault in faults] == ["pictures are blurred:"] * is_fault
    if is_fault:
        assert faults[0].share == pytest.approx(0.3, abs=0.1)
        assert faults[0].expected == pytest.approx(0.05, abs=0.01)
    assert quality.test(some(2, 2000, 0.06)).faults == ()


def test_swapped_channels_are_told_by_warmth():
    warm = pints(0, 2000)
    turned = with_column(pints(1), "property:warmth", -of(pints(1), "property:warmth"))
    (fault,) = StreamQuality.fit(warm).test(turned).faults
    assert fault.words.startswith("pictures are bluish")


def test_a_median_that_moves_within_the_known_range_is_no_fault():
    narrow = with_column(pints(1), "property:brightness", np.random.default_rng(5).normal(108, 4, 400))
    assert result_of(narrow).faults == ()


def test_a_fault_of_one_population_names_it():
    window = pints(1)
    cameras, sharpness = np.array(window["metadata:camera"].to_pylist()), of(window, "property:sharpness")
    sharpness[cameras == "tablet"] -= 70
    (fault,) = result_of(with_column(window, "property:sharpness", sharpness)).faults
    (carrier,) = fault.carriers
    assert carrier.population == "camera tablet"
    assert carrier.of_fault > 0.95
    assert carrier.of_all == pytest.approx((cameras == "tablet").mean())
    assert "camera tablet has" in fault.words


def test_what_is_usual_of_all_but_not_of_one_population_is_found_there():
    def table(seed: int, wrong: bool) -> pa.Table:
        rng = np.random.default_rng(seed)
        phone = rng.random(1500) < 0.9
        age = np.where(phone, rng.normal(60, 20, 1500), rng.normal(5 + 50 * wrong, 1, 1500))
        return pa.table({"camera": np.where(phone, "phone", "toy").tolist(), "age": age})

    faults = StreamQuality.fit(table(0, wrong=False), by=["camera"]).test(table(1, wrong=True)).faults
    assert [(fault.kind, fault.column, fault.population) for fault in faults] == [("above", "age", "camera toy")]


def test_missing_and_unseen_values_and_strangers_are_told_with_their_rows():
    window = pints(1)
    pubs = window["metadata:pub"].to_pylist()
    pubs[:20], pubs[20:60] = ["Temple Bar"] * 20, [None] * 40
    strange = of(window, "strangeness")
    strange[:30] += 30
    found = result_of(with_column(with_column(window, "metadata:pub", pubs), "strangeness", strange))
    faults = {fault.kind: fault for fault in found.faults}
    assert faults.keys() == {"unseen", "missing", "strange"}
    np.testing.assert_array_equal(faults["unseen"].rows, np.arange(20))
    np.testing.assert_array_equal(faults["missing"].rows, np.arange(20, 60))
    assert {*range(30)} <= {*faults["strange"].rows.tolist()}
    assert "'Temple Bar'" in faults["unseen"].words
    assert {kind for kind, fault in faults.items() if fault.new_inputs} == {"unseen", "strange"}


def test_a_threshold_of_strangeness_replaces_that_of_the_reference():
    quality = StreamQuality.fit(pints(0, 2000), strange_above=100.0)
    window = pints(1)
    strange = of(window, "strangeness")
    strange[:30] += 50
    assert quality.test(with_column(window, "strangeness", strange)).faults == ()
    strange[:30] += 100
    assert kinds(quality.test(with_column(window, "strangeness", strange))) == {("strange", "strangeness")}


def test_inputs_that_come_again_are_told_and_a_block_of_them_is_a_replay():
    window = pints(1)
    inputs = window["input"].to_pylist()
    inputs[300:340] = inputs[100:140]
    faults = {fault.kind: fault for fault in result_of(with_column(window, "input", inputs)).faults}
    assert faults.keys() == {"repeated", "replayed"}
    np.testing.assert_array_equal(faults["replayed"].rows, np.arange(300, 340))
    np.testing.assert_array_equal(faults["repeated"].rows, np.arange(300, 340))
    assert "40 rows as 200 rows before" in faults["replayed"].words


def test_rows_of_few_values_repeat_each_other_without_a_fault():
    def table(seed: int) -> pa.Table:
        rng = np.random.default_rng(seed)
        return pa.table({"a": rng.integers(0, 3, 500), "b": rng.choice(["x", "y"], 500).tolist()})

    for seed in range(1, 20):
        assert StreamQuality.fit(table(0)).test(table(seed)).faults == ()


def test_a_number_that_stays_the_same_is_stuck_and_a_constant_column_is_not():
    window = pints(1)
    age = of(window, "metadata:age")
    age[50:70] = 33
    (fault,) = result_of(with_column(window, "metadata:age", age)).faults
    assert fault.kind == "stuck"
    assert {*range(50, 70)} <= {*fault.rows.tolist()}
    constant = pa.table({"x": np.ones(300), "y": np.arange(300) % 7})
    assert StreamQuality.fit(constant).test(constant).faults == ()


def test_what_people_set_may_stay_and_is_a_new_input_then_but_may_not_be_missing():
    window, age = pints(1), of(pints(1), "metadata:age")
    age[300:] = 0
    off = with_column(window, "metadata:age", age)
    known = pints(0, 2000)
    (stuck,) = (each for each in StreamQuality.fit(known).test(off).faults if not each.new_inputs)
    assert (stuck.kind, f"since {str(off['time'][300])[:16].replace(' ', 'T')} UTC" in stuck.words) == ("stuck", True)
    set_by_people = StreamQuality.fit(known, by=["camera"], levers=["metadata:age"])
    faults = set_by_people.test(off).faults
    assert ("set", "metadata:age") in {(each.kind, each.column) for each in faults}
    assert all(each.new_inputs for each in faults)
    missing = with_column(window, "metadata:age", [None if row > 300 else 40 + row % 9 for row in range(400)])
    assert [each.kind for each in set_by_people.test(missing).faults if not each.new_inputs] == ["missing"]


def test_requests_that_fail_are_held_to_how_many_failed_before():
    def failing(table: pa.Table, count: int) -> pa.Table:
        lacking = [None] * count + of(table, "answer:confidence")[count:].tolist()
        errors = ["too large"] * count + [None] * (len(table) - count)
        return with_column(with_column(table, "error", errors), "answer:confidence", lacking)

    (fault,) = result_of(failing(pints(1), 40)).faults
    assert (fault.kind, fault.share) == ("failed", 0.1)
    usual = StreamQuality.fit(failing(pints(0, 2000), 200))
    assert usual.test(failing(pints(1), 40)).faults == ()
    of_release = StreamQuality.fit(pints(0, 2000).drop_columns(["error", "time", "input"]))
    assert of_release.test(failing(pints(1), 4)).faults == ()
    assert kinds(of_release.test(failing(pints(1), 40))) == {("failed", "")}


def test_times_that_cannot_be_are_certain():
    window = pints(1)
    times = window["time"].to_pylist()
    times[7], times[9] = START + timedelta(days=900), START - timedelta(days=900)
    window = window.set_column(0, "time", pa.array(times, pa.timestamp("us", "UTC")))
    bounds = {"now": us(START + timedelta(days=30)), "since": us(START), "until": us(START + timedelta(days=30))}
    faults = {fault.kind: fault.rows.tolist() for fault in result_of(window, **bounds).certain}
    assert faults["future"] == [7]
    assert faults["out of window"] == [7, 9]
    assert faults["backwards"][:3] == [8, 9, 10]


def test_the_clock_of_each_replica_runs_by_itself():
    late = [row["time"] - timedelta(hours=place % 2) for place, row in enumerate(pints(1).to_pylist())]
    window = pints(1).set_column(0, "time", pa.array(late, pa.timestamp("us", "UTC")))
    window = window.append_column("replica", pa.array(["a", "b"] * 200))
    window = window.append_column("segment", pa.array(np.arange(400) // 10))
    # Files of ten rows, in no order.
    places = np.random.default_rng(0).permutation(40)[np.arange(400) // 10]
    shuffled = window.take(pa.array(np.argsort(places, kind="stable")))
    assert result_of(shuffled).faults == ()
    assert kinds(result_of(shuffled.drop_columns(["segment"]))) == {("backwards", "time")}


def test_a_silence_and_a_burst_are_told_by_the_hour():
    window = pints(1)
    quiet = window.slice(0, 100).to_pylist() + [
        row | {"time": row["time"] + timedelta(hours=9)} for row in window.slice(100).to_pylist()
    ]
    (fault,) = result_of(pa.Table.from_pylist(quiet, window.schema)).faults
    assert fault.kind == "silence"
    assert str(quiet[99]["time"])[:16] in fault.detail
    hasty = window.to_pylist()
    for row in hasty[100:250]:
        row["time"] = hasty[100]["time"] + (row["time"] - hasty[100]["time"]) / 60
    assert "burst" in {fault.kind for fault in result_of(pa.Table.from_pylist(hasty, window.schema)).faults}


def test_a_window_without_rows_is_a_silence_where_rows_were_to_come():
    day = {"since": us(START), "until": us(START + timedelta(days=1))}
    assert [fault.kind for fault in result_of(pints(1, 0), **day).faults] == ["silence"]
    assert result_of(pints(1, 0)).faults == ()


def test_samples_of_one_unit_count_once():
    def uploads(seed: int) -> pa.Table:
        rng = np.random.default_rng(seed)
        who = np.repeat(np.arange(40), 10)
        return pa.table({"who": [f"{seed}-{each}" for each in who], "height": rng.normal(size=40)[who]})

    alarms = [
        kinds(StreamQuality.fit(uploads(seed), unit="who", level=0.05).test(uploads(seed + 500))) for seed in range(40)
    ]
    # Every uploader of every window is unseen, which is no fault where they never come twice.
    assert sum(map(bool, alarms)) <= 5


def test_observations_are_looked_at_as_their_table_is():
    window = with_column(pints(1), "property:brightness", np.full(400, 20.0) + np.random.default_rng(2).random(400))
    whole = result_of(window)
    bare = StreamQuality.fit(observe(pints(0, 2000)), by=["metadata:camera"]).test(observe(window))
    assert ("below", "property:brightness") in kinds(whole) & kinds(bare)


def test_an_empty_reference_and_unknown_populations_are_refused():
    with pytest.raises(DataError, match="no rows with an answer"):
        StreamQuality.fit(pints(0, 0))
    with pytest.raises(DataError, match=r"no column 'camra'.*\n.*no column 'colour'"):
        StreamQuality.fit(pints(0), by=["camra", "colour"])


values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(
    known=st.lists(values, min_size=1, max_size=30),
    numbers=st.lists(values, max_size=30),
    words=st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "unseen", ""])), max_size=30),
    moments=st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_any_window_gets_a_result(known, numbers, words, moments):
    def table(count: int, some: list[float | None]) -> pa.Table:
        return pa.table(
            {
                "time": pa.array((moments * 31)[:count] or [None] * count, pa.timestamp("us", "UTC")),
                "x": pa.array(some[:count], pa.float64()),
                "word": pa.array((words * 31)[:count] or [None] * count, pa.string()),
            }
        )

    quality = StreamQuality.fit(table(len(known) if moments and words else 0 or len(known), known), by=["word", "x"])
    result = quality.test(table(len(numbers), numbers), now=0, since=0, until=10**15)
    assert 0 <= result.p <= 1
    for fault in result.faults:
        assert fault.words
        assert 0 <= fault.p <= 1
        assert (fault.rows < len(numbers)).all()


def test_rows_are_known_again_by_their_input_in_little_memory(monkeypatch):
    monkeypatch.setattr("totalml.monitoring.seen.AT_ONCE", 1000)
    each = [f"blake3:{number:064}" for number in range(20_000)]
    table = pa.table({"input": [*each, None, *reversed(each), None]})
    rows = Seen.of(table)
    tracemalloc.start()
    keys = row_keys(rows, ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (keys[: len(each)] == keys[len(each) + 1 : -1][::-1]).all()
    assert len(np.unique(keys)) == len(each) + 2  # nobody knows whether those without one are equal
    assert peak < 100 * len(rows.inputs)  # as Python strings they alone would take more
