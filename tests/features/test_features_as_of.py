"""Point-in-time joins against brute force, and against the joins of pandas and DuckDB."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import FeatureError
from totalml.features.as_of import entities, join, join_batches

KINDS = {"text": pa.string(), "dictionary": pa.dictionary(pa.int8(), pa.string()), "whole": pa.int32()}
TIME = pa.timestamp("us", "UTC")

hours = st.one_of(st.none(), st.integers(-3, 12))
kinds = st.sampled_from(sorted(KINDS))
ttls = st.sampled_from([None, 0, 1, 4])


def rows(*columns: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Of few entities and times, so that ties, late corrections and unknown entities come up."""
    entity = st.one_of(st.none(), st.integers(0, 3))
    return st.lists(st.tuples(entity, entity, *columns), min_size=least, max_size=14)


def table(found: Sequence[tuple[Any, ...]], names: str, kind: str = "whole") -> pa.Table:
    """Columns named by single letters: `a` and `b` entities, `t`, `e` and `k` times, `v` the number of the row."""
    columns = dict(zip(names, zip(*found, strict=True), strict=True)) if found else dict.fromkeys(names, ())
    types = dict.fromkeys("ab", KINDS[kind]) | dict.fromkeys("tek", pa.int64()) | {"v": pa.int64()}
    columns |= {"v": range(len(found))}
    return pa.table({name: pa.array(map(written(name, kind), values), types[name]) for name, values in columns.items()})


def written(name: str, kind: str) -> Callable[[Any], Any]:
    # Texts of which one begins the other, and one is empty.
    return lambda value: "é" * value if name in "ab" and kind != "whole" and value is not None else value


def by_brute_force(left: pa.Table, right: pa.Table, by: str, known: str, ttl: int | None) -> list[int | None]:
    answers = []
    for asked in left.to_pylist():
        best: tuple[int, int, int] | None = None
        for row in right.to_pylist():
            same = all(row[name] == asked[name] is not None for name in by)
            if not same or None in (asked["t"], row["e"], row[known]):
                continue
            if max(row["e"], row[known]) <= asked["t"] and (ttl is None or asked["t"] - row["e"] <= ttl):
                best = max(best or (row["e"], row[known], row["v"]), (row["e"], row[known], row["v"]))
        answers.append(best and best[-1])
    return answers


@given(rows(hours), rows(hours, hours), st.sampled_from(["ab", "a", ""]), kinds, kinds, ttls)
@settings(max_examples=150, deadline=None)
def test_each_row_is_given_what_brute_force_finds(lefts, rights, by, left_kind, right_kind, ttl):
    if "whole" in (left_kind, right_kind):
        left_kind = right_kind
    left, right = table(lefts, "abt", left_kind), table(rights, "abek", right_kind)
    for known in ("k", None):
        found = join(left, right, list(by), "t", "e", known, ["v", "e"], ttl)
        assert found["v"].to_pylist() == by_brute_force(left, right, by, known or "e", ttl)
        times = right["e"].to_pylist()
        assert found["e"].to_pylist() == [None if row is None else times[row] for row in found["v"].to_pylist()]


@given(rows(hours), rows(hours, hours), ttls, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_hashes_that_collide_mix_up_no_entities(lefts, rights, ttl, differing):
    left, right = table(lefts, "abt", "text"), table(rights, "abek", "text")
    with pytest.MonkeyPatch.context() as patched:
        hashed = entities.hashed
        patched.setattr(entities, "hashed", lambda *given: hashed(*given) % np.uint64(differing))
        found = join(left, right, ["a", "b"], "t", "e", "k", ["v"], ttl)
    assert found["v"].to_pylist() == by_brute_force(left, right, "ab", "k", ttl)


@given(rows(hours, least=1), rows(hours, hours), ttls, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_batches_come_out_as_they_went_in(lefts, rights, ttl, size):
    left, right = table(lefts, "abt"), table(rights, "abek")
    batches = left.to_batches(max_chunksize=size)
    found = list(join_batches(iter(batches), right, ["a"], "t", "e", "k", ["v"], ttl))
    assert [len(batch) for batch in found] == [len(batch) for batch in batches]
    assert pa.Table.from_batches(found) == join(left, right, ["a"], "t", "e", "k", ["v"], ttl).combine_chunks()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 12)), min_size=1),
    st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 12)), min_size=1),
    ttls,
)
@settings(max_examples=40, deadline=None)
def test_pandas_agrees_where_all_is_known_at_once(lefts, rights, ttl):
    import pandas as pd

    left, right = table(lefts, "at"), table(rights, "ae")
    expected = pd.merge_asof(
        left.to_pandas().assign(row=range(len(left))).sort_values("t", kind="stable"),
        right.select(["a", "e", "v"]).to_pandas().rename(columns={"v": "found"}).sort_values("e", kind="stable"),
        left_on="t",
        right_on="e",
        by="a",
        tolerance=ttl,
    ).sort_values("row")
    found = join(left, right, ["a"], "t", "e", None, ["v"], ttl)
    assert found["v"].to_pandas().fillna(-1).tolist() == expected["found"].fillna(-1).tolist()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 12)), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 12)), min_size=1, max_size=12, unique=True),
)
@settings(max_examples=25, deadline=None)
def test_duckdb_agrees_where_all_is_known_at_once(lefts, rights):
    duckdb = pytest.importorskip("duckdb")
    left, right = table(lefts, "at"), table(rights, "ae")
    with duckdb.connect() as connection:
        connection.register("asked", left)
        connection.register("known", right)
        answers = connection.execute(
            "select known.v from asked asof left join known on asked.a = known.a and asked.t >= known.e "
            "order by asked.v"
        ).fetchall()
    assert join(left, right, ["a"], "t", "e", None, ["v"], None)["v"].to_pylist() == [value for (value,) in answers]


def at(hour: float) -> datetime:
    return datetime(2026, 3, 17, tzinfo=UTC) + timedelta(hours=hour)


def test_rows_alike_in_entity_and_time_are_each_kept():
    """feast-dev/feast#6787: of two orders of one customer at one time, one was dropped."""
    left = pa.table({"pub": ["Toner", "Toner", "Cobblestone", None, "Toner"], "at": [at(5)] * 4 + [at(4)]})
    right = pa.table({"pub": ["Toner"], "at": [at(5)], "pints": [7]})
    assert join(left, right, ["pub"], "at", "at", None, ["pints"], None)["pints"].to_pylist() == [
        7,
        7,
        None,
        None,
        None,
    ]


def test_a_late_correction_counts_from_when_it_was_known_on():
    """feast-dev/feast#6615: rows of before a correction were given what it said."""
    right = pa.table(
        {"pub": ["Toner"] * 3, "sold": [at(0), at(0), at(1)], "known": [at(1), at(9), at(3)], "pints": [50, 41, 60]}
    )
    left = pa.table({"pub": ["Toner"] * 5, "at": [at(0), at(1), at(3), at(9), at(2)]})
    found = join(left, right, ["pub"], "at", "sold", "known", ["pints"], None)
    assert found["pints"].to_pylist() == [None, 50, 60, 60, 50]
    only_corrected = join(left, right.slice(0, 2), ["pub"], "at", "sold", "known", ["pints"], None)
    assert only_corrected["pints"].to_pylist() == [None, 50, 50, 41, 50]


@pytest.mark.parametrize("newcomer", ["a", "n", "z"])
def test_a_series_that_begins_late_is_given_no_other_series_values(newcomer):
    """feast-dev/feast#5590 and Nixtla/mlforecast#493: lags reached over into the series that stands before."""
    weeks = [at(168 * week) for week in range(4)]
    right = pa.table(
        {"item": ["b"] * 4 + ["y"] * 4 + [newcomer], "at": [*weeks, *weeks, weeks[3]], "sales": [*range(8), 99]}
    )
    left = pa.table({"item": [newcomer] * 4, "at": weeks})
    assert join(left, right, ["item"], "at", "at", None, ["sales"], None)["sales"].to_pylist() == [None] * 3 + [99]


def test_an_entity_is_told_by_all_its_columns_together():
    right = pa.table({"a": ["ab", "a"], "b": ["c", "bc"], "at": [1, 1], "v": [1, 2]})
    left = pa.table({"a": ["a", "ab", "abc"], "b": ["bc", "c", ""], "at": [1, 1, 1]})
    assert join(left, right, ["a", "b"], "at", "at", None, ["v"], None)["v"].to_pylist() == [2, 1, None]


def test_hashes_are_the_same_on_every_machine():
    """Files of latest values hold them."""
    texts, numbers = ["", "a", "é\0z", "pub-0001"], [0, 1, -1, 2**62]
    found = entities.hashed([pa.array(texts, pa.large_string()), pa.array(numbers, pa.int64())], 4)

    def mixed(word: int) -> int:
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            word = (word ^ word >> shift) * factor % 2**64
        return word

    base = 0x100000001B3
    words = [sum((byte + 1) * base**place for place, byte in enumerate(text.encode(), 1)) % 2**64 for text in texts]
    firsts = [mixed(word) for word in words]
    expected = [mixed((first * base + number) % 2**64) for first, number in zip(firsts, numbers, strict=True)]
    assert found.tolist() == expected


def test_numbers_match_whatever_type_holds_them():
    values = [1.0, -0.0, float("nan"), None, 2.5]
    right = pa.table({"a": pa.array(values, pa.float32()), "at": [0] * 5, "v": range(5)})
    for kind, asked in ((pa.int8(), [0, 1]), (pa.uint64(), [0, 1]), (pa.float64(), [0.0, 1.0])):
        left = pa.table({"a": pa.array([*asked, None], kind), "at": [0] * 3})
        assert join(left, right, ["a"], "at", "at", None, ["v"], None)["v"].to_pylist() == [1, 0, None]
    large = pa.table({"a": pa.array([2**64 - 1], pa.uint64()), "at": [0], "v": [7]})
    assert join(large, large, ["a"], "at", "at", None, ["v"], None)["v"].to_pylist() == [7]


def test_whole_numbers_of_which_some_are_missing_match_though_floats_hold_them():
    right = pa.table({"a": pa.array([3, 4], pa.int64()), "at": [0, 0], "v": [7, 8]})
    left = pa.table({"a": pa.array([4.0, float("nan"), None], pa.float32()), "at": [0] * 3})
    assert join(left, right, ["a"], "at", "at", None, ["v"], None)["v"].to_pylist() == [8, None, None]


def test_times_of_any_unit_are_compared_as_moments():
    right = pa.table({"at": pa.array([date(2026, 3, 17)]), "v": ["St Patrick"]})
    zoned = pa.array([at(-0.001), at(0)], pa.timestamp("ms", "Europe/Dublin"))
    for column in (zoned, zoned.cast(pa.timestamp("ns", "UTC")), zoned.cast(pa.timestamp("us")).cast(pa.int64())):
        found = join(pa.table({"at": column}), right, [], "at", "at", None, ["v"], None)
        assert found["v"].to_pylist() == [None, "St Patrick"]


def test_ages_beyond_all_numbers_are_too_old():
    right = pa.table({"at": [-(2**63)], "v": [1]})
    left = pa.table({"at": [2**63 - 1]})
    assert join(left, right, [], "at", "at", None, ["v"], 2**63 - 1)["v"].to_pylist() == [None]
    assert join(left, right, [], "at", "at", None, ["v"], None)["v"].to_pylist() == [1]


def test_values_come_without_what_was_said_of_their_table():
    fields = [pa.field("at", pa.int64()), pa.field("v", pa.int64(), nullable=False)]
    right = pa.table([[5], [1]], schema=pa.schema(fields, {"pandas": "{}"}))
    found = join(pa.table({"at": [0]}), right, [], "at", "at", None, ["v"], None)
    assert found.schema == pa.schema([("v", pa.int64())])
    assert found.schema.metadata is None


def test_every_type_of_column_is_carried_over():
    right = pa.table(
        {
            "at": [0, 1],
            "text": ["", None],
            "time": pa.array([at(0), None], TIME),
            "vector": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
            "code": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    names = ["vector", "code", "text", "time"]
    found = join(pa.table({"at": [-1, 1, 0]}), right, [], "at", "at", None, names, None)
    assert found.schema.types == right.select(names).schema.types
    assert found.to_pylist() == [dict.fromkeys(names), *right.select(names).to_pylist()[::-1]]


def test_all_that_is_wrong_is_told_at_once():
    left = pa.table({"pub": [1], "plaice": ["x"], "at": ["today"]})
    right = pa.table({"pub": ["x"], "place": ["x"], "at": [0.5], "v": [1]})
    with pytest.raises(FeatureError) as told:
        join(left, right, ["pub", "place"], "at", "at", "known", ["v", "w"], -1)
    assert str(told.value).splitlines() == [
        "the tables cannot be joined as of a time:",
        "  the right table has no column 'known'",
        "  the right table has no column 'w'",
        "  'at' of the right table is double; make it timestamps, dates, or microseconds since 1970",
        "  the left table has no column 'place', did you mean 'plaice'?",
        "  'at' of the left table is string; make it timestamps, dates, or microseconds since 1970",
        "  entity column 'pub' is int64 where it is asked for and string where it is known; make both text",
        "  ttl_us is -1; it must be 0 or more, or None",
    ]


def test_a_batch_of_another_shape_is_told_when_its_turn_comes():
    right = pa.table({"a": [1], "at": [0], "v": [1]})
    batches = [pa.RecordBatch.from_pydict({"a": [1], "at": [0]}), pa.RecordBatch.from_pydict({"at": [0]})]
    found = join_batches(batches, right, ["a"], "at", "at", None, ["v"], None)
    assert next(found).to_pylist() == [{"v": 1}]
    with pytest.raises(FeatureError, match="the left table has no column 'a'"):
        next(found)


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ({"a": [2.5], "at": [0]}, {"a": [1], "at": [0]}, "entity column 'a' holds a double that is no int64"),
        ({"a": [-1], "at": [0]}, {"a": pa.array([1], pa.uint64()), "at": [0]}, "holds a int64 that is no uint64"),
        ({"a": [1], "at": pa.array([1], pa.timestamp("ns"))}, {"a": [1], "at": [0]}, "'at' do not fit microseconds"),
        ({"a": [True], "at": [0]}, {"a": [True], "at": [0]}, "'a' of the right table is bool; make it text or whole"),
    ],
)
def test_what_cannot_be_compared_is_told(left, right, told):
    with pytest.raises(FeatureError, match=told):
        join(pa.table(left), pa.table(right), ["a"], "at", "at", None, ["at"], None)
