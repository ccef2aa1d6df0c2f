from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from totalml.data.columns import metadata_table
from totalml.data.sample import Row, Sample
from totalml.data.screen import misfit
from totalml.errors import SnapshotError


def column(*values):
    rows = [Row(f"s{n}", None, 0, None, None, None, None, {"x": value}) for n, value in enumerate(values)]
    return metadata_table(rows)["x"]


NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        ((1, None, -(2**63)), pa.int64(), [1, None, -(2**63)]),
        ((1, 0.5), pa.float64(), [1.0, 0.5]),
        ((float("nan"), float("inf"), 1.5), pa.float64(), [None, float("inf"), 1.5]),
        ((True, None), pa.bool_(), [True, None]),
        (("é", "", None), pa.string(), ["é", "", None]),
        ((None, None), pa.string(), [None, None]),
        ((np.float32(0.5), np.int64(2)), pa.float64(), [0.5, 2.0]),
        ((np.str_("a"), "b"), pa.string(), ["a", "b"]),
        ((NOON.astimezone(timezone(timedelta(hours=5))), NOON), pa.timestamp("us", "UTC"), [NOON, NOON]),
    ],
)
def test_a_column_takes_the_type_of_its_values(values, kind, kept):
    found = column(*values)
    assert found.type == kind
    assert found.to_pylist() == kept


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("a", 1), r"column 'x' must hold one of .*; it holds int in 's1'; str in 's0'"),
        ((True, 1), "bool in 's0'; int in 's1'"),
        ((NOON, "2024"), "datetime in 's0'; str in 's1'"),
        ((1, [2], [3], [4], [5]), "list in 's1', 's2', 's3' and 1 more"),
        ((1, 2**63), r"is no int64: .*; in 's1'"),
        ((0.5, 2**60 + 1), r"is no double: .*; in 's1'"),
        (("a", "\ud800"), r"is no string: .*; in 's1'"),
        ((NOON, datetime(2024, 1, 1)), "times without a time zone, in 's1'"),
    ],
)
def test_a_column_that_fits_no_type_is_told_with_its_name_and_samples(values, message):
    with pytest.raises(SnapshotError, match=message):
        column(*values)


def test_a_value_that_a_sample_lacks_is_missing():
    rows = [Row(f"s{n}", None, 0, None, None, None, None, {name: 1}) for n, name in enumerate("ba")]
    assert metadata_table(rows).to_pydict() == {"a": [None, 1], "b": [1, None]}


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (Sample("", None, "a"), "its id is empty"),
        (Sample("1", None, ""), "its label is empty"),
        (Sample("1", None, 3), "its label is 3; expected text"),
        (Sample("1", None, "a", group=7), "its group is 7"),
        (Sample("\udcff", None, "a"), "not valid UTF-8"),
        (Sample("1", None, "a", timestamp=datetime(2024, 1, 1)), "no time zone"),
    ],
)
def test_a_sample_whose_own_fields_do_not_fit_is_bad(sample, reason):
    assert reason in misfit(sample)


def test_a_sample_may_have_no_label_group_or_time():
    assert misfit(Sample("1", None, None)) is None
    assert misfit(Sample("1", None, "a", "g", NOON)) is None
