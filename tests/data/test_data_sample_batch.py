"""A table without pictures is taken as columns; one by one, its rows give the same."""

import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from totalml.data import take_snapshot
from totalml.data.table import ImageTable
from totalml.errors import SnapshotError

E, E_AS_TWO = "\u00e9", "e\u0301"
ROWS = {
    "code": ["b", "a", "A", "c", "c", E, E_AS_TWO, None, "k", "h", "g", "f"],
    "label": ["good", "good", "bad", "bad", None, "bad", "Good", "bad", "bad", "odd", "good", "Good"],
    "pub": ["p", None, "p", "", E, E_AS_TWO, "p", "p", "q", "q", "q", "q"],
    "x": [1.5, None, float("nan"), -0.0, float("inf"), 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    "n": [1, 2, 3, None, 5, 6, 7, 8, 9, 10, 11, 12],
    "note": [E_AS_TWO, "", None, "z", "z", "z", "z", "z", "z", "z", "z", E],
    "seen": pa.array([None, *range(11)], pa.timestamp("s")),
    "never": pa.nulls(12, pa.int64()),
}
OPTIONS = [
    {},
    {"id_column": "code"},
    {"id_column": "code", "group_column": "pub", "timestamp_column": "seen"},
    {"id_column": "code", "metadata_columns": ["x", "note", "x"]},
    {"metadata_columns": []},
]
RULES = [{}, {"where": "id != 'h' and label != 'odd'"}, {"labels": {"good": ("Good",), "bad": ()}}]


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr("totalml.data.table.BATCH_ROWS", 5)
    pq.write_table(pa.table(ROWS), tmp_path / "table.parquet")

    def table(**options: object) -> ImageTable:
        return ImageTable(table=str(tmp_path / "table.parquet"), file_column=None, **options)

    return table


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("options", OPTIONS)
def test_columns_give_the_snapshot_of_their_rows(table, listed, store, recipe, options, rules):
    source = table(**options)
    listed += source.samples()
    taken = [take_snapshot(recipe(each, on_bad_sample="skip", **rules), store) for each in (source, listed)]
    assert taken[0].data_hash == taken[1].data_hash
    assert taken[0].skipped == taken[1].skipped
    assert taken[0].metadata.schema == taken[1].metadata.schema


def test_columns_of_much_text_are_put_in_order_a_part_at_a_time(table, store, recipe, monkeypatch):
    data = recipe(table(id_column="code"), on_bad_sample="skip")
    expected = take_snapshot(data, store)
    monkeypatch.setattr("totalml.data.texts.MOST_BYTES", 20)
    monkeypatch.setattr("totalml.data.texts.AT_ONCE", 2)
    parted = take_snapshot(data, store)
    assert parted.samples["id"].num_chunks > expected.samples["id"].num_chunks
    assert (parted.data_hash, parted.metadata) == (expected.data_hash, expected.metadata)


@pytest.mark.parametrize("where", ["nowhere == 1", "n == 'x'"])
def test_a_condition_that_cannot_be_asked_is_told_in_the_same_words(table, listed, store, recipe, where):
    listed += table().samples()
    told = []
    for source in (table(), listed):
        with pytest.raises(SnapshotError) as error:
            take_snapshot(recipe(source, where=where), store)
        told.append(str(error.value))
    assert told[0] == told[1]


def test_no_row_of_a_table_becomes_an_object(tmp_path, store, recipe):
    rows = 20_000
    pq.write_table(pa.table({"pub": ["p"] * rows, "x": [0.5] * rows}), tmp_path / "table.parquet")
    source = ImageTable(table=str(tmp_path / "table.parquet"), file_column=None)
    tracemalloc.start()
    taken = take_snapshot(recipe(source), store)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(taken.samples) == rows
    assert peak_bytes / rows < 100, "objects of Python take ten times as much"
