"""Rows are chosen before their files are read, and split by any column or by a rolling origin."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from totalml.condition import condition
from totalml.data.sample import BadSample, Sample
from totalml.data.snapshot import Snapshot
from totalml.data.split import split_samples
from totalml.data.where import chosen
from totalml.errors import SnapshotError
from totalml.recipe import SplitRecipe

START = datetime(2024, 1, 1, tzinfo=UTC)


def snapshot_of(count=100, groups=None, times=None, **columns) -> Snapshot:
    """A sample an hour, unlabelled."""
    ids = [f"{number:04d}" for number in range(count)]
    hours = [START + timedelta(hours=number) for number in range(count)]
    samples = {
        "id": ids,
        "label": pa.array([None] * count, pa.string()),
        "group": groups or ids,
        "timestamp": pa.array(times or hours, pa.timestamp("us", "UTC")),
    }
    return Snapshot("blake3:" + "0" * 64, pa.table(samples), pa.table(columns), pa.table({}))


def test_only_samples_that_meet_the_condition_are_left_and_bad_ones_stay_to_be_told():
    samples = [Sample(str(year), None, "a", metadata={"year": year}) for year in range(2018, 2024)]
    kept = list(chosen([*samples, BadSample("b", "why")], condition("year >= 2021 and label == 'a'")))
    assert [sample.id for sample in kept] == ["2021", "2022", "2023", "b"]


def test_a_column_that_no_sample_has_is_named():
    with pytest.raises(SnapshotError, match="asks for a column 'yaer' that no sample has, did you mean 'year'"):
        list(chosen([Sample("x", None, "a", metadata={"year": 1})], condition("yaer > 1")))


def test_a_value_that_cannot_be_compared_is_named_with_its_sample():
    with pytest.raises(SnapshotError, match=r"cannot be asked of sample 'x': '1' is held against 1; quote"):
        list(chosen([Sample("x", None, "a", metadata={"year": "1"})], condition("year > 1")))


@pytest.mark.parametrize("kinds", [(["mono"], ["poly"]), ([1, 2], [3]), ([True], [False]), ([0.5], [1.5])])
def test_the_values_of_a_column_say_which_split_they_mean(kinds):
    train, test = kinds
    column = [*train, *test] * 50
    split = SplitRecipe(by="column", column="kind", values={"train": train, "test": test})
    splits = split_samples(split, snapshot_of(len(column), kind=column))
    values = np.array(column, object)
    assert set(values[splits.test]) == set(test)
    assert set(values[splits.train]) | set(values[splits.validation]) == set(train)
    assert 0.08 < len(splits.validation) / (len(splits.validation) + len(splits.train)) < 0.35


def test_a_value_that_means_no_split_is_named_with_the_mend():
    split = SplitRecipe(by="column", column="kind", values={"train": ["a"], "test": ["b"]})
    with pytest.raises(SnapshotError, match=r"holds \['c'\] in 20 samples.*Leave them out with data.where"):
        split_samples(split, snapshot_of(60, kind=["a", "b", "c"] * 20))


def rolling(**given) -> SplitRecipe:
    return SplitRecipe(by="rolling", **{"horizon": "10h", **given})


@pytest.mark.parametrize("fold", [1, 2, 3])
@pytest.mark.parametrize("gap", ["0s", "3h"])
def test_nothing_of_the_future_is_in_an_earlier_split(fold, gap):
    snapshot = snapshot_of()
    splits = split_samples(rolling(folds=3, fold=fold, gap=gap), snapshot)
    hours = 3 if gap == "3h" else 0
    assert len(splits.test) == len(splits.validation) == 10
    assert splits.validation.min() - splits.train.max() == hours + 1
    assert splits.test.min() - splits.validation.max() == hours + 1
    assert splits.test.max() == 99 - 10 * (3 - fold)


def test_a_window_forgets_what_lies_further_back():
    splits = split_samples(rolling(window="20h"), snapshot_of())
    assert len(splits.train) == 20
    assert splits.train.max() + 1 == splits.validation.min()


def test_a_group_is_as_late_as_its_latest_sample():
    groups = [f"{number:04d}" for number in range(100)]
    groups[5] = groups[95]
    splits = split_samples(rolling(), snapshot_of(groups=groups))
    assert 5 in splits.test
    assert 5 not in splits.train


def test_more_folds_than_the_data_reach_are_told():
    with pytest.raises(SnapshotError, match=r"leaves train empty.*Shorten data.split.horizon"):
        split_samples(rolling(folds=12, fold=1), snapshot_of())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": "rolling"}, "'horizon' goes with 'by: rolling'"),
        ({"horizon": "1d"}, "'horizon' goes with 'by: rolling'"),
        ({"by": "rolling", "horizon": "3 fortnights"}, "expected a duration such as 30d"),
        ({"by": "rolling", "horizon": "1d", "fold": 2}, "there are 1 folds"),
        ({"by": "column", "column": "x", "values": {"train": ["a"]}}, "mean test"),
        ({"by": "column", "column": "x", "values": {"train": ["a"], "test": ["a"]}}, "stands in two splits"),
        ({"values": {"train": ["a"], "test": ["b"]}}, "'values' goes with 'by: column'"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_data(given, told):
    with pytest.raises(ValueError, match=told):
        SplitRecipe(**given)
