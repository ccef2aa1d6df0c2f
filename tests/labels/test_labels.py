"""Labels that come later: held to the release, kept whole, the last one counts, and joined with what was answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.serving import PICTURE
from totalml.errors import DataError, StoreError
from totalml.evaluation.record import record_of
from totalml.labels import Labels, joined, read_labels, truth_of
from totalml.labels.columns import table_of
from totalml.labels.labels import Segments
from totalml.store import Store, open_store

CLASS = truth_of(PICTURE)
TAGS = record_of("multilabel").truth(("thin", "tall", "warm"))
PRICE = record_of("regression").truth(("price",))
BOTH = record_of("regression").truth(("price", "area"))
START = datetime(2026, 11, 27, tzinfo=UTC)


def labels(truth, *given, after_s=0):
    """Args: given: request_id, id, label."""
    rows = [dict(zip(("request_id", "id", "label"), each, strict=True)) for each in given]
    table = table_of(read_labels(rows, truth), truth, "eve")
    times = [START + timedelta(seconds=after_s)] * len(table)
    return table.set_column(table.column_names.index("time"), "time", pa.array(times, pa.timestamp("us", "UTC")))


@pytest.fixture(params=["here", "there"])
def store(request, tmp_path):
    return Store(tmp_path) if request.param == "here" else open_store(f"memory://{tmp_path}", str(tmp_path))


@pytest.mark.parametrize(
    ("truth", "label", "value"),
    [
        (CLASS, "dark", {"label": "dark"}),
        (TAGS, ["warm", "thin", "warm"], {"labels": ["thin", "warm"]}),
        (TAGS, [], {"labels": []}),
        (PRICE, 3, {"price": 3.0}),
        (BOTH, {"area": -2.5}, {"price": None, "area": -2.5}),
    ],
)
def test_a_label_is_what_the_task_says(truth, label, value):
    (found,) = read_labels([{"request_id": "r", "label": label}], truth)
    assert (found.request_id, found.id, found.values) == ("r", None, value)


@pytest.mark.parametrize(
    ("truth", "given", "told"),
    [
        (CLASS, {"label": "drak"}, "\"drak\" is no class, did you mean 'dark'?"),
        (CLASS, {"label": 7}, "7 is no class; there are dark, light"),
        (CLASS, {}, "label is missing"),
        (CLASS, {"label": "dark", "ids": "a"}, "there is no \"ids\", did you mean 'id'?"),
        (CLASS, {"label": "dark", "request_id": ""}, "request_id wants a text of 1 to 1024 characters"),
        (CLASS, {"label": "dark", "id": "a\0b"}, "id wants a text"),
        (CLASS, {"label": "dark", "id": "\ud800"}, "id wants a text"),
        (CLASS, {"label": "dark", "id": 3}, "id wants a text of 1 to 1024 characters; got 3"),
        (TAGS, {"label": "thin"}, 'the label wants a list, empty where none is right; got "thin"'),
        (TAGS, {"label": ["thin", "tal"]}, "\"tal\" is no label, did you mean 'tall'?"),
        (PRICE, {"label": "3"}, 'price wants a number; got "3"'),
        (PRICE, {"label": True}, "price wants a number; got true"),
        (PRICE, {"label": 10**400}, "price wants a number"),
        (PRICE, {"label": float("nan")}, "price wants a number; got NaN"),
        (BOTH, {"label": 3}, "the label wants an object with price, area; got 3"),
        (BOTH, {"label": {}}, "the label wants an object with price, area"),
        (BOTH, {"label": {"prise": 1, "area": "x"}}, "there is no target \"prise\", did you mean 'price'?; area wants"),
    ],
)
def test_what_cannot_be_a_label_is_explained(truth, given, told):
    with pytest.raises(DataError) as error:
        read_labels([{"request_id": "r", **given}], truth)
    assert f"label 1: {told}" in str(error.value)


def test_all_mistakes_are_named_or_counted():
    wrong = [{"label": "drak"}, *[{"request_id": "r", "label": "dark"}] * 2, *[{"request_id": "r"}] * 30]
    with pytest.raises(DataError) as error:
        read_labels(wrong, CLASS)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("label 1: request_id is missing; ")
    assert [line.partition(":")[0] for line in lines[1:-1]] == [f"label {number}" for number in range(4, 23)]
    assert lines[-1] == "... and 11 more"


def test_the_last_label_of_a_sample_counts(store):
    writer, reader = Segments(store, "pints"), Labels(store, "pints", CLASS)
    assert len(reader.read()) == 0
    writer.save(labels(CLASS, ("r", "a", "dark"), ("r", None, "dark"), ("s", None, "dark"), after_s=1))
    assert said(reader.new()) == {("r", "a"): "dark", ("r", None): "dark", ("s", None): "dark"}
    writer.save(labels(CLASS, ("r", "a", "light"), after_s=2))
    writer.save(labels(CLASS, ("s", None, "light"), after_s=0))  # by a clock that is behind
    assert said(reader.new()) == {("r", "a"): "light", ("s", None): "light"}
    assert len(reader.new()) == 0
    whole = {("r", "a"): "light", ("r", None): "dark", ("s", None): "dark"}
    assert said(reader.read()) == whole == said(Labels(store, "pints", CLASS).read())
    assert len(Labels(store, "others", CLASS).read()) == 0


def said(table):
    return {(row["request_id"], row["id"]): row["label:label"] for row in table.to_pylist()}


def test_only_new_segments_are_read(tmp_path, monkeypatch):
    store, opened = Store(tmp_path), []
    writer, reader = Segments(store, "pints"), Labels(store, "pints", CLASS)
    monkeypatch.setattr(
        Store, "open_file", lambda *given, real=Store.open_file: opened.append(given[1:]) or real(*given)
    )
    for number in range(3):
        writer.save(labels(CLASS, (f"r{number}", None, "dark")))
        reader.read()
    assert len(opened) == len({*opened}) == 3


def test_labels_of_another_task_are_left_out(tmp_path):
    store = Store(tmp_path)
    Segments(store, "pints").save(labels(PRICE, ("r", None, 3)))
    Segments(store, "pints").save(labels(BOTH, ("s", None, {"price": 4}), ("t", None, {"area": 5})))
    assert len(Labels(store, "pints", CLASS).read()) == 0
    assert {*Labels(store, "pints", PRICE).read()["request_id"].to_pylist()} == {"r", "s"}
    assert {*Labels(store, "pints", BOTH).read()["request_id"].to_pylist()} == {"r", "s", "t"}


def test_what_a_killed_writer_left_is_no_segment_and_a_damaged_one_is_named(tmp_path):
    store = Store(tmp_path)
    Segments(store, "pints").save(labels(CLASS, ("r", None, "dark")))
    (segment,) = tmp_path.glob("labels/pints/*/*.parquet")
    segment.with_name(".tmp-1-x.parquet").write_bytes(segment.read_bytes()[:50])
    reader = Labels(store, "pints", CLASS)
    assert len(reader.read()) == 1
    damaged = segment.with_name("000000-00000000-000001.parquet")
    damaged.write_bytes(segment.read_bytes()[:-20])
    with pytest.raises(StoreError, match=f"labels/pints/.*/{damaged.name} is damaged"):
        reader.read()
    damaged.unlink()
    assert len(reader.read()) == 1


# "r" and "sa", "rs" and "a" are one text where nothing stands between them.
REQUESTS, IDS = st.sampled_from(["r", "rs", "t\x01"]), st.sampled_from(["a", "sa", "", "a\0"])
CLASSES = st.sampled_from(["dark", "light"])
TAGGED = st.lists(st.sampled_from(["thin", "tall", "warm"]), unique=True)
NUMBERS = st.floats(-1e6, 1e6) | st.none()
IDS_OF_LABELS = st.sampled_from(["a", "sa", None])


def brute(predictions, given):
    """Of each prediction its label: that of its sample, else that of its request; of several the last."""
    found = {}
    for request, id_, label in given:
        found[request, id_] = label
    for place, (request, id_, _) in enumerate(predictions):
        if (request, id_) in found or (request, None) in found:
            yield place, found.get((request, id_), found.get((request, None)))


def predicted(predictions, answers):
    columns = {"request_id": [each[0] for each in predictions], "id": [each[1] for each in predictions]}
    columns = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5] * (2 * len(predictions)), pa.float32()), 2)
    return pa.table(
        {**columns, "place": pa.array(range(len(predictions)), pa.int64()), **answers, "embedding": vectors}
    )


def kept(tmp_path, truth, given):
    """Each in a segment of its own, as they come."""
    writer = Segments(Store(tmp_path), "pints")
    for number, each in enumerate(given):
        writer.save(labels(truth, each, after_s=number))
    return Labels(Store(tmp_path), "pints", truth).read()


@settings(max_examples=40, deadline=None)
@given(
    predictions=st.lists(st.tuples(REQUESTS, IDS, CLASSES | st.none()), max_size=8),
    given_=st.lists(st.tuples(REQUESTS, IDS_OF_LABELS, CLASSES), max_size=6),
)
def test_classes_are_joined_as_by_hand(tmp_path_factory, predictions, given_):
    table = predicted(predictions, {"answer:predicted": pa.array([each[2] for each in predictions], pa.string())})
    found = joined(table, kept(tmp_path_factory.mktemp("store"), CLASS, given_), CLASS).to_pylist()
    for row, (place, label) in zip(found, brute(predictions, given_), strict=True):
        answer = predictions[place][2]
        wrong = None if answer is None else answer != label
        assert (row["place"], row["label:label"], row["wrong"]) == (place, label, wrong)


@settings(max_examples=40, deadline=None)
@given(
    predictions=st.lists(st.tuples(REQUESTS, IDS, st.lists(st.sampled_from(["thin", "tall", "new"]))), max_size=8),
    given_=st.lists(st.tuples(REQUESTS, IDS_OF_LABELS, TAGGED), max_size=6),
)
def test_several_labels_are_wrong_where_the_sets_differ(tmp_path_factory, predictions, given_):
    answers = pa.array([each[2] for each in predictions], pa.list_(pa.string()))
    table = predicted(predictions, {"answer:predicted": answers})
    found = joined(table, kept(tmp_path_factory.mktemp("store"), TAGS, given_), TAGS).to_pylist()
    for row, (place, label) in zip(found, brute(predictions, given_), strict=True):
        assert (row["place"], {*row["label:labels"]}) == (place, {*label})
        assert row["wrong"] == ({*predictions[place][2]} != {*label})


@settings(max_examples=40, deadline=None)
@given(
    predictions=st.lists(st.tuples(REQUESTS, IDS, st.tuples(NUMBERS, NUMBERS)), max_size=8),
    given_=st.lists(
        st.tuples(
            REQUESTS, IDS_OF_LABELS, st.dictionaries(st.sampled_from(["price", "area"]), st.floats(-9, 9), min_size=1)
        ),
        max_size=6,
    ),
)
def test_numbers_are_off_by_the_answer_minus_the_label(tmp_path_factory, predictions, given_):
    values = {name: [each[2][k] for each in predictions] for k, name in enumerate(("price", "area"))}
    answers = {f"answer:value:{name}": pa.array(each, pa.float64()) for name, each in values.items()}
    found = joined(predicted(predictions, answers), kept(tmp_path_factory.mktemp("store"), BOTH, given_), BOTH)
    for row, (place, label) in zip(found.to_pylist(), brute(predictions, given_), strict=True):
        for name in ("price", "area"):
            known = values[name][place] is not None and name in label
            error = values[name][place] - label[name] if known else None
            assert (row["place"], row[f"error:{name}"]) == (place, error)
            assert row[f"absolute_error:{name}"] == (abs(error) if known else None)


def test_a_segment_says_who_and_has_the_columns_of_the_task(tmp_path):
    for truth, label in ((CLASS, "dark"), (TAGS, ["thin"]), (BOTH, {"price": 1, "area": 2})):
        Segments(Store(tmp_path), truth.__class__.__name__).save(labels(truth, ("r", "a", label)))
    kinds = {}
    for file in tmp_path.glob("labels/*/2026-11-27/000000-*-000001-*.parquet"):
        table = pq.read_table(file)
        assert table["who"].to_pylist() == ["eve"]
        kinds |= {field.name: str(field.type) for field in table.schema if field.name.startswith("label:")}
    numbers = {"label:price": "double", "label:area": "double"}
    assert kinds == {"label:label": "string", "label:labels": "list<element: string>", **numbers}
