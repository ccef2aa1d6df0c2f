from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from totalml.data.table import ImageTable
from totalml.data.times import PER_SECOND, as_times
from totalml.errors import SnapshotError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENING = datetime(2024, 3, 17, 18, 30, tzinfo=UTC)
SECONDS = 1710700200  # of that evening; `date -u -d @1710700200` says the same


def times(values: list, kind: pa.DataType | None = None, unit: str | None = None) -> list[datetime | None]:
    return as_times(pa.chunked_array([pa.array(values, kind)]), unit).to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-17T18:30:00Z",
        "2024-03-17 18:30",
        " 2024-03-17T18:30:00.000000000+00:00 ",
        "2024-03-17T19:30:00+01:00",
        "2024-03-17 19:30:00+0100",
        "20240317T183000Z",
        "2024-W11-7T18:30",
        "2024:03:17 18:30:00",  # EXIF: dateutil/dateutil#271, #1446
        "2024:03:17 19:30:00+01:00",
    ],
)
def test_text_with_or_without_a_zone_is_one_moment(text):
    assert times([text, None, ""]) == [EVENING, None, None]


@pytest.mark.parametrize(
    "text", ["yesterday", "17/03/2024", "0000:00:00 00:00:00", "1710700200", "1612111000900", "2024-02-30", "18:30"]
)
def test_other_text_is_told_with_what_was_expected(text):
    with pytest.raises(ValueError, match=rf"'{text}' is no time; expected ISO 8601"):
        times(["2024-03-17", text])


@pytest.mark.parametrize(("unit", "factor"), PER_SECOND.items())
@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.uint64(), pa.string(), pa.decimal128(20, 0)])
def test_numbers_are_read_in_the_unit_that_is_named(unit, factor, kind):
    number = SECONDS * factor
    value = {pa.string(): str, pa.float64(): float, pa.decimal128(20, 0): Decimal}.get(kind, int)(number)
    assert times([value, None], kind, unit) == [EVENING, None]


@given(st.sampled_from(list(PER_SECOND)), st.integers(-62_135_596_800, 253_402_300_799))
def test_any_second_of_the_calendar_can_be_named_where_the_unit_reaches_it(unit, seconds):
    number = seconds * PER_SECOND[unit]
    if -(2**63) <= number < 2**63:
        assert times([number], pa.int64(), unit) == [EPOCH + timedelta(seconds=seconds)]


def test_parts_of_a_second_are_kept_to_the_microsecond():
    assert times([SECONDS + 0.25, float("nan")], unit="s") == [EVENING + timedelta(seconds=0.25), None]
    assert times([SECONDS * 10**9 + 1999], unit="ns") == [EVENING + timedelta(microseconds=1)]


@pytest.mark.parametrize(
    ("number", "readings"),
    [(SECONDS, "s: 2024-03-17"), (SECONDS * 1000, "ms: 2024-03-17"), (float(SECONDS), "s: 2024-03-17")],
)
def test_numbers_without_a_unit_ask_for_it_and_say_what_they_would_be(number, readings):
    with pytest.raises(ValueError, match=rf"timestamp_unit=s, ms, us or ns \(the first would be, as {readings}\)"):
        times([number])


def test_small_numbers_ask_without_a_guess():
    with pytest.raises(ValueError, match=r"such as 2024; .*us or ns$"):
        times([2024])


@pytest.mark.parametrize(
    ("values", "unit", "message"),
    [
        ([True], None, "holds true and false; expected ISO 8601"),
        ([True], "s", "holds true and false"),
        ([time(18, 30)], None, "holds times of day without a date"),
        ([EVENING], "s", r"holds timestamp\[us, tz=UTC\], no numbers; leave out data.source.timestamp_unit"),
        ([SECONDS * 1000], "s", "outside of the years 1 to 9999; is data.source.timestamp_unit right"),
        ([2**62], "s", "out of bounds"),
    ],
)
def test_what_cannot_be_a_time_is_told(values, unit, message):
    with pytest.raises(ValueError, match=message):
        times(values, unit=unit)


def test_times_and_dates_of_arrow_are_taken_as_they_are():
    assert times([date(2024, 3, 17)]) == [datetime(2024, 3, 17, tzinfo=UTC)]
    assert times([datetime(2024, 3, 17, 18, 30)], pa.timestamp("ns")) == [EVENING]
    assert times([EVENING], pa.timestamp("ms", "Europe/Dublin")) == [EVENING]
    assert times([None], pa.null(), "s") == times([None], pa.int64()) == times([None], pa.bool_()) == [None]


def test_a_table_tells_the_column_and_takes_the_unit(tmp_path):
    (tmp_path / "1").write_bytes(b"x")
    pq.write_table(pa.table({"file": ["1"], "label": ["a"], "when": [SECONDS]}), tmp_path / "t.parquet")
    with pytest.raises(SnapshotError, match=r"column 'when' of .*t.parquet cannot be read as timestamp: it holds numb"):
        list(ImageTable(table=str(tmp_path / "t.parquet"), timestamp_column="when").samples())
    source = ImageTable(table=str(tmp_path / "t.parquet"), timestamp_column="when", timestamp_unit="s")
    assert [sample.timestamp for sample in source.samples()] == [EVENING]


def test_text_without_a_zone_in_parquet_is_utc(tmp_path):
    (tmp_path / "1").write_bytes(b"x")
    whens = pa.array(["2024-03-17 18:30:00"]).dictionary_encode()
    pq.write_table(pa.table({"file": ["1"], "label": ["a"], "when": whens}), tmp_path / "t.parquet")
    source = ImageTable(table=str(tmp_path / "t.parquet"), timestamp_column="when")
    assert [sample.timestamp for sample in source.samples()] == [EVENING]
