"""Any number of labels out of a table: however they are written, they are the same labels."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from totalml.data import ImageTable, Snapshot
from totalml.data.columns import metadata_table
from totalml.data.sample import Row, Sample
from totalml.errors import FeatureError, SnapshotError
from totalml.features.targets import Targets
from totalml.recipe import DataRecipe
from totalml.task import MultiLabel

TRUTH = {"a": {"thin", "short"}, "b": set(), "c": {"short"}}
FLAGS = [[1, 1], [0, 0], [1, 0]]  # short, thin


def snapshot(**columns: list) -> Snapshot:
    ids = pa.table({"id": [f"s{row}" for row in range(len(next(iter(columns.values()))))]})
    return Snapshot("blake3:" + "0" * 64, ids, pa.table(columns), pa.table({}))


def read(task: MultiLabel, found: Snapshot, labels: tuple[str, ...] | None = None) -> Targets:
    return task.read_targets(found, DataRecipe(source=ImageTable(table="t.csv"), labels=labels))


def from_table(path, table: pa.Table) -> Snapshot:
    """As a source reads it."""
    pq.write_table(table, path / "t.parquet")
    for name in TRUTH:
        (path / name).write_bytes(b"x")
    samples = [one for one in ImageTable(table=str(path / "t.parquet")).samples() if isinstance(one, Sample)]
    rows = [Row(one.id, None, 0, one.label, None, None, None, one.metadata) for one in samples]
    return Snapshot("", pa.table({"id": [one.id for one in samples]}), metadata_table(rows), pa.table({}))


def written(**columns: list | pa.Array) -> pa.Table:
    return pa.table({"file": list(TRUTH), "label": ["x"] * len(TRUTH), **columns})


@pytest.mark.parametrize(
    ("columns", "task"),
    [
        ({"faults": ["thin;short", "", "short"]}, {"column": "faults"}),
        ({"faults": ["thin | short", " ", "short|"]}, {"column": "faults", "separator": "|"}),
        ({"faults": [["short", "thin"], [], ["short"]]}, {"column": "faults"}),
        ({"short": [True, False, True], "thin": [True, False, False]}, {"labels": ("short", "thin")}),
        ({"short": [1, 0, 1], "thin": [1.0, 0.0, 0.0]}, {"labels": ("short", "thin")}),
    ],
)
def test_labels_are_the_same_however_they_are_written(tmp_path, columns, task):
    missing = {"missing": "no_labels"} if isinstance(columns.get("faults", [[]])[0], str) else {}
    found = read(MultiLabel(**task, **missing), from_table(tmp_path, written(**columns)))
    assert found.names == ("short", "thin")
    assert found.values.dtype == np.float32
    assert found.values.tolist() == FLAGS


def test_data_labels_give_the_order_and_may_name_what_nobody_has():
    found = read(MultiLabel(column="faults"), snapshot(faults=["thin;short", "short"]), ("thin", "tall", "short"))
    assert found.names == ("thin", "tall", "short")
    assert found.values.tolist() == [[1, 0, 1], [0, 0, 1]]


def test_a_label_twice_counts_once():
    assert read(MultiLabel(column="f"), snapshot(f=["a;a;b", "b"])).values.tolist() == [[1, 1], [0, 1]]


def test_all_that_is_wrong_with_joined_labels_is_told_at_once():
    faults = ["thin", None, "thick;short", "thin", None]
    with pytest.raises(FeatureError) as caught:
        read(MultiLabel(column="f"), snapshot(f=faults), ("thin", "short"))
    assert str(caught.value).splitlines() == [
        "task.column cannot be read as labels:",
        "  'f' is empty in 2 samples: 's1', 's4'; fill it in, or set task.missing: no_labels if such samples have none",
        "  'f' holds ['thick'] in 1 sample: 's2'; data.labels lists ['thin', 'short']: add them there, or correct the "
        "source",
    ]


def test_all_that_is_wrong_with_columns_of_labels_is_told_at_once():
    columns = {"thin": [True, None, False], "short": [0, 2, 1], "spill": ["yes", "no", "no"]}
    with pytest.raises(FeatureError) as caught:
        read(MultiLabel(labels=("thin", "short", "spill", "shrt")), snapshot(**columns))
    assert str(caught.value).splitlines() == [
        "task.labels cannot be read as true or false:",
        "  'thin' is empty in 1 sample: 's1'; fill it in or remove the samples",
        "  'short' holds [2] in 1 sample: 's1'; write 1 or 0",
        "  'spill' holds string; write true or false, or 1 or 0",
        "  there is no metadata column 'shrt', did you mean 'short'?",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"faluts": ["a"]}, "task.column: there is no metadata column 'faults', did you mean 'faluts'?"),
        ({"faults": [1]}, "task.column 'faults' holds int64, not text that joins labels with ';'"),
        ({"faults": ["", " ; "]}, "task.column 'faults' holds no label at all; name another column"),
    ],
)
def test_a_column_that_holds_no_labels_is_refused(columns, message):
    with pytest.raises(FeatureError) as caught:
        read(MultiLabel(column="faults"), snapshot(**columns))
    assert str(caught.value) == message


@pytest.mark.parametrize(("torn", "what"), [(["a;b"], "'a;b', which holds a ';'"), ([None], "a missing text")])
def test_a_list_that_its_text_could_not_give_back_is_refused(tmp_path, torn, what):
    column = pa.array([torn, ["a"], None], pa.list_(pa.string()))
    with pytest.raises(SnapshotError, match=rf"column 'faults'.*joined with ';', and in them {what}"):
        from_table(tmp_path, written(faults=column))


def test_a_list_that_is_missing_is_not_an_empty_one(tmp_path):
    found = from_table(tmp_path, written(faults=pa.array([["a"], [], None], pa.list_(pa.string()))))
    with pytest.raises(FeatureError, match="is empty in 1 sample: 'c'"):
        read(MultiLabel(column="faults"), found)
    assert read(MultiLabel(column="faults", missing="no_labels"), found).values.tolist() == [[1], [0], [0]]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "it has neither"),
        ({"labels": ("a",), "column": "b"}, "it has both"),
        ({"labels": ("a", "b", "a")}, r"names \['a'\] more than once"),
        ({"labels": ("a",), "missing": "no_labels"}, "'missing' goes with 'column'"),
    ],
)
def test_a_task_without_one_place_for_its_truth_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        MultiLabel(**fields)


def test_its_columns_are_those_of_the_truth():
    assert MultiLabel(labels=("a", "b")).columns() == ("a", "b")
    assert MultiLabel(column="faults").columns() == ("faults",)
