"""Rows in columns have the JSON that each has alone, or nobody would find a person's row again."""

from __future__ import annotations

import pyarrow as pa
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.release.canonical_rows import canonical_rows
from totalml.release.log_rows import input_hash, input_hashes

NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**18), 10**18))
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
ROWS = st.lists(st.tuples(NUMBERS, TEXTS), min_size=1, max_size=20)
EDGES = [0.0, -0.0, 1e-4, 9.99e-5, 1e-7, 999_999_999.5, 1e9 + 0.5, 1e15 + 0.5, 2.0**53 - 1, 2.0**53, 1e16, 1e21, 5e-324]


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_a_row_is_written_as_json_has_it(rows):
    ages = [None if number is None else float(number) for number, _ in rows]
    towns = [text for _, text in rows]
    table = pa.table({"town": pa.array(towns, pa.string()), "age": pa.array(ages, pa.float64())})
    found = canonical_rows(table, ("town", "left out", "age"))
    assert found == [
        rfc8785.dumps({"age": age, "left out": None, "town": town}) for age, town in zip(ages, towns, strict=True)
    ]


@pytest.mark.parametrize("number", [*EDGES, *(-each for each in EDGES)])
def test_numbers_at_the_edges_of_spellings_are_written_as_json_has_them(number):
    assert canonical_rows(pa.table({"x": [number, None]}), ("x",))[0] == rfc8785.dumps({"x": number})


def test_names_stand_in_the_order_of_json_and_are_escaped_too():
    names = ("\U0001f37a", "￮", 'a "pub"', "Z")  # beyond the first 65,536 characters, JSON has another order
    table = pa.table({name: [float(place)] for place, name in enumerate(names)})
    assert canonical_rows(table, names) == [rfc8785.dumps({name: place for place, name in enumerate(names)})]


def test_other_types_are_written_too_and_rows_without_cells():
    assert canonical_rows(pa.table({"n": [1, None], "b": [True, False]}), ("n", "b")) == [
        b'{"b":true,"n":1}',
        b'{"b":false,"n":null}',
    ]
    assert canonical_rows(pa.table({"n": [1, 2]}), ()) == [b"{}", b"{}"]
    assert canonical_rows(pa.table({"n": [1, 2]}), ("m",)) == [b'{"m":null}'] * 2


def test_a_row_is_found_by_the_hash_that_it_has_alone():
    found = input_hashes(canonical_rows(pa.table({"age": [1.0, 2.5], "town": ["Cork", None]}), ("age", "town")))
    assert found == [input_hash(b"", {"age": 1, "town": "Cork"}), input_hash(b"", {"age": 2.5, "town": None})]
