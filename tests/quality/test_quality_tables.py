from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from totalml.data import Splits
from totalml.data.snapshot import Snapshot
from totalml.quality import ColumnSchema, MissingValues, Schema, Timestamps

DAY = datetime(2025, 3, 1, tzinfo=UTC)


def messages(check, snapshot, splits=None):
    return [finding.message for finding in check.findings(snapshot, splits)]


def schema(**column):
    return Schema(columns=(ColumnSchema(**column),))


@pytest.fixture
def table(snapshot_of):
    return snapshot_of(
        ["a"] * 4, taste=[0.0, 5.5, None, 11.0], age=[18, 30, 70, 41], pub=["x", "y", "x", "z"], poured=[DAY] * 4
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"name": "tastes"}, "the snapshot has no column 'tastes'; did you mean 'taste'?"),
        ({"name": "pub", "kind": "number"}, "column 'pub' holds text, where number was expected."),
        ({"name": "poured", "kind": "text"}, "column 'poured' holds time, where text was expected."),
        ({"name": "taste", "kind": "whole number"}, "column 'taste' holds number, where whole number was expected."),
        ({"name": "taste", "maximum": 10}, "column 'taste': 1 of 4 samples is above the maximum 10, such as 11.0."),
        ({"name": "age", "minimum": 20.5}, "column 'age': 1 of 4 samples is below the minimum 20.5, such as 18."),
        (
            {"name": "pub", "values": ["x", "y"]},
            "column 'pub': 1 of 4 samples has a value other than 'x', 'y', such as 'z'.",
        ),
        ({"name": "taste", "complete": True}, "column 'taste': 1 of 4 samples has no value."),
        ({"name": "pub", "minimum": 1}, "column 'pub' holds text, which has no minimum or maximum."),
    ],
)
def test_what_breaks_the_schema_is_named(table, column, message):
    assert messages(schema(**column), table) == [message]


@pytest.mark.parametrize(
    "column",
    [
        {"name": "tastes", "required": False},
        {"name": "age", "kind": "number", "minimum": 18, "maximum": 70},
        {"name": "taste", "values": [0, 5.5, 11]},
        {"name": "poured", "kind": "time", "complete": True},
    ],
)
def test_what_keeps_to_the_schema_is_not(table, column):
    assert messages(schema(**column), table) == []


def test_the_samples_that_break_it_are_listed_and_the_run_stops(table):
    [finding] = schema(name="pub", values=["y"]).findings(table, None)
    assert (finding.level, finding.samples) == ("stop", ("s0000", "s0002", "s0003"))


def test_other_columns_are_named_where_none_may_be(table):
    check = Schema(columns=(ColumnSchema(name="taste"), ColumnSchema(name="age")), only=True)
    assert messages(check, table) == [
        "columns that the schema does not name: ['pub', 'poured']. Add them, or set only: false."
    ]


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValidationError, match="minimum 3 is more than maximum 2"):
        ColumnSchema(name="x", minimum=3, maximum=2)


@pytest.fixture
def timed(snapshot_of):
    days = [DAY + timedelta(days=k) for k in range(6)]
    served = [*days[:4], days[4] - timedelta(hours=1), None]
    return snapshot_of(["a"] * 6, timestamps=[*days[:5], None], poured=days, served=served)


def test_times_outside_the_period_are_named(timed):
    early, late = Timestamps(earliest="2025-03-02", latest="2025-03-04T12:00:00+00:00").findings(timed, None)
    assert "1 of 6 samples was taken before earliest 2025-03-02" in early.message
    assert "1 of 6 samples was taken after latest" in late.message
    assert (early.samples, late.samples) == (("s0000",), ("s0004",))


def test_a_time_in_another_zone_is_the_same_moment(timed):
    assert messages(Timestamps(earliest="2025-03-01T02:00:00+02:00"), timed) == []
    assert len(messages(Timestamps(earliest="2025-03-01T02:00:00+01:00"), timed)) == 1


def test_steps_in_the_wrong_order_are_named(timed):
    assert messages(Timestamps(steps=("poured", "timestamp")), timed) == []
    [finding] = Timestamps(steps=("poured", "served")).findings(timed, None)
    assert "1 of 6 samples has 'served' before 'poured'" in finding.message
    assert finding.samples == ("s0004",)
    assert "no column of times 'serve'; did you mean 'served'?" in messages(Timestamps(steps=("serve",)), timed)[0]


def test_training_on_what_came_after_the_test_is_named(timed, splits_of):
    check = Timestamps(splits_in_order=True)
    assert messages(check, timed, splits_of("tttvee")) == []
    [finding] = check.findings(timed, splits_of("tetvte"))
    assert "2 of 6 samples of train are younger than the oldest of validation and test" in finding.message
    assert finding.samples == ("s0002", "s0004")


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01", "2025-01-01T12:00"])
def test_times_that_nobody_can_read_are_refused(text):
    with pytest.raises(ValidationError, match=r"expected a time|no time zone"):
        Timestamps(earliest=text)


def test_a_table_without_times_has_none_in_the_wrong_order(snapshot_of, splits_of):
    check = Timestamps(earliest="2025-01-01", splits_in_order=True)
    assert messages(check, snapshot_of(["a"] * 3), splits_of("tve")) == []


def test_a_group_that_lacks_more_values_than_the_others_is_named(snapshot_of):
    taste = [None if k % 4 == 0 and k % 3 else 1.0 for k in range(240)]
    snapshot = snapshot_of(["a"] * 240, taste=taste, pub=[f"p{k % 4}" for k in range(240)], age=["x", "y", "z"] * 80)
    [finding] = MissingValues(max_share=0.5, columns=("taste",), by=("pub", "age")).findings(snapshot, None)
    assert "no value for 66.7% of the 60 samples of pub 'p0', against 0.0% of the others" in finding.message
    assert "after correction for 7 comparisons" in finding.message
    assert finding.samples[0] == "s0004"


def test_groups_that_lack_as_much_as_each_other_are_not_named(snapshot_of):
    taste = [None if k % 5 == 0 else 1.0 for k in range(240)]
    snapshot = snapshot_of(["a"] * 240, taste=taste, pub=[f"p{k % 4}" for k in range(240)])
    assert messages(MissingValues(max_share=0.5, by=("pub",)), snapshot) == []
    assert "did you mean 'pub'" in messages(MissingValues(max_share=0.5, by=("pubs",)), snapshot)[0]


def test_data_without_any_label_lacks_none():
    """Its truth stands in other columns; a column that is asked for by name is looked at all the same."""
    samples = pa.table({"id": ["a", "b"], "label": pa.array([None, None], pa.string()), "group": ["a", "b"]})
    snapshot = Snapshot("blake3:", samples, pa.table({"price": [1.0, 2.0]}), pa.table({}))
    rows = np.arange(1)
    assert [*MissingValues().findings(snapshot, Splits(rows, rows, rows))] == []
    (named,) = MissingValues(columns=("label",)).findings(snapshot, Splits(rows, rows, rows))
    assert "'label' has no value for 2 of 2" in named.message
