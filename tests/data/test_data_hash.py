import struct
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from totalml.data.data_hash import data_hash

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
FIELDS = ("blob", "size_bytes", "label", "group", "timestamp", "mask")
COLUMNS = {"n": pa.int64(), "x": pa.float64(), "b": pa.bool_(), "s": pa.string(), "t": pa.timestamp("us", "UTC")}
ROW = st.fixed_dictionaries(
    {
        "blob": st.none() | TEXT,
        "size_bytes": st.integers(0, 2**40),
        "label": st.none() | TEXT,
        "group": TEXT,
        "timestamp": st.none() | st.integers(-(2**40), 2**40),
        "mask": st.none() | TEXT,
        "n": st.none() | st.integers(-(2**63), 2**63 - 1),
        "x": st.none() | st.floats(allow_nan=False),
        "b": st.none() | st.booleans(),
        "s": st.none() | TEXT,
        "t": st.none() | st.integers(-(2**40), 2**40),
    }
)
SAMPLES = st.dictionaries(TEXT, ROW, min_size=1, max_size=5)
TYPES = {"size_bytes": pa.int64(), "timestamp": pa.timestamp("us", "UTC")}


def hash_of(rows: dict[str, dict]) -> str:
    samples = {"id": pa.array(list(rows), pa.string())}
    samples |= {name: pa.array([row[name] for row in rows.values()], TYPES.get(name, pa.string())) for name in FIELDS}
    own = {name: pa.array([row[name] for row in rows.values()], kind) for name, kind in COLUMNS.items()}
    return data_hash(pa.table(samples), pa.table(own))


def by_hand(rows: dict[str, dict]) -> str:
    """The definition again, a value at a time."""

    def digest(domain: str, payload: bytes) -> str:
        return "blake3:" + blake3(payload, derive_key_context=f"totalml {domain}").hexdigest()

    def column(name: str, tag: str, values: list) -> str:
        payload = b"".join(struct.pack("<q", len(text.encode())) + text.encode() for text in (name, tag))
        payload += struct.pack("<q", len(values))
        bits = "".join("1" if value is None else "0" for value in values)
        payload += bytes(int(bits[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(bits), 8))
        if tag == "string":
            raw = [(value or "").encode() for value in values]
            payload += b"".join(struct.pack("<q", len(value)) for value in raw) + b"".join(raw)
        else:
            code = {"float64": "<d", "bool": "<b"}.get(tag, "<q")
            payload += b"".join(struct.pack(code, 0 if value is None else value) for value in values)
        return digest("data column v1", payload)

    tags = {"size_bytes": "int64", "timestamp": "timestamp us UTC"}
    tags |= {"n": "int64", "x": "float64", "b": "bool", "t": "timestamp us UTC"}
    ids = sorted(rows, key=lambda name: name.encode())
    names = ("blob", "size_bytes", "label", "group", "timestamp", "mask", *sorted(COLUMNS))
    parts = [column("id", "string", ids)]
    parts += [column(name, tags.get(name, "string"), [rows[sample][name] for sample in ids]) for name in names]
    return digest("data v1", struct.pack("<qqq", len(rows), 7, len(COLUMNS)) + "".join(parts).encode())


@settings(max_examples=60, deadline=None)
@given(rows=SAMPLES)
def test_the_hash_is_as_defined(rows):
    assert hash_of(rows) == by_hand(rows)


@settings(max_examples=40, deadline=None)
@given(rows=SAMPLES, data=st.data())
def test_the_order_of_rows_does_not_matter(rows, data):
    order = data.draw(st.permutations(list(rows)))
    assert hash_of({name: rows[name] for name in order}) == hash_of(rows)


@settings(max_examples=100, deadline=None)
@given(rows=SAMPLES, other=ROW, field=st.sampled_from([*FIELDS, *COLUMNS]), data=st.data())
def test_another_value_gives_another_hash(rows, other, field, data):
    name = data.draw(st.sampled_from(list(rows)))
    assume(struct.pack("<d", other["x"] or 0) != struct.pack("<d", rows[name]["x"] or 0) or field != "x")
    assume(other[field] != rows[name][field] or field == "x")
    assert hash_of({**rows, name: {**rows[name], field: other[field]}}) != hash_of(rows)


@settings(max_examples=60, deadline=None)
@given(rows=SAMPLES, name=TEXT, row=ROW)
def test_another_sample_or_id_gives_another_hash(rows, name, row):
    assume(name not in rows)
    first = next(iter(rows))
    renamed = {name if key == first else key: value for key, value in rows.items()}
    assert len({hash_of(rows), hash_of({**rows, name: row}), hash_of(renamed)}) == 3


@settings(max_examples=60, deadline=None)
@given(text=TEXT, cut=st.integers(0, 4), other=st.integers(0, 4), fields=st.permutations(["label", "group", "blob"]))
def test_text_that_moves_to_the_next_field_or_row_gives_another_hash(text, cut, other, fields):
    assume(text[:cut] != text[:other])
    blank = dict.fromkeys([*FIELDS, *COLUMNS]) | {"size_bytes": 0, "group": ""}

    def beside(place: int) -> str:
        return hash_of({"a": blank | {fields[0]: text[:place], fields[1]: text[place:]}})

    def below(place: int) -> str:
        return hash_of({"a": blank | {fields[0]: text[:place]}, "b": blank | {fields[0]: text[place:]}})

    assert beside(cut) != beside(other)
    assert below(cut) != below(other)


@pytest.fixture
def samples() -> pa.Table:
    return pa.table(
        {
            "id": ["b/2.jpg", "a/é.jpg"],
            "blob": ["blake3:" + "11" * 32, None],
            "size_bytes": [5, 0],
            "label": ["b", None],
            "group": ["g", "a/é.jpg"],
            "timestamp": pa.array([datetime(2024, 3, 17, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "mask": pa.array([None, None], pa.string()),
        }
    )


def test_the_hash_stays_what_it_was(samples):
    own = pa.table({"x": [0.5, None], "n": [1, 2], "b": [True, None], "s": ["x", None]})
    assert data_hash(samples, pa.table({})) == GOLDEN_BARE
    assert data_hash(samples, own) == GOLDEN


def test_the_order_of_metadata_columns_does_not_matter_and_their_names_do(samples):
    own = pa.table({"x": [1, 2], "y": [1, 2]})
    assert data_hash(samples, own) == data_hash(samples, own.select(["y", "x"]))
    assert data_hash(samples, own) != data_hash(samples, own.rename_columns(["x", "z"]))


def test_the_type_counts(samples):
    kinds = (pa.int64(), pa.float64(), pa.string(), pa.bool_())
    hashes = {data_hash(samples, pa.table({"x": pa.array([None, None], kind)})) for kind in kinds}
    hashes.add(data_hash(samples, pa.table({"x": [0, 0]})))
    assert len(hashes) == 5


def test_how_the_table_lies_in_memory_does_not_count(samples):
    own = pa.table({"b": [True, False], "s": ["xyz", None]})
    expected = data_hash(samples, own)
    chunked = pa.concat_tables([samples.slice(0, 1), samples.slice(1, 1)])
    padded = pa.concat_tables([own, own, own]).combine_chunks().slice(2, 2)
    assert data_hash(chunked, padded) == expected


def test_what_lies_in_memory_where_a_value_is_missing_does_not_count(samples):
    """Arrow masks values and leaves them where they are."""
    missing = pa.py_buffer(b"\x02")  # the first of two
    text = pa.array(["left over", "x"])
    number = pa.array([7, 2])
    masked = {
        "s": pa.Array.from_buffers(pa.string(), 2, [missing, *text.buffers()[1:]]),
        "n": pa.Array.from_buffers(pa.int64(), 2, [missing, number.buffers()[1]]),
    }
    assert data_hash(samples, pa.table(masked)) == data_hash(samples, pa.table({"s": [None, "x"], "n": [None, 2]}))


def test_a_metadata_column_is_not_mistaken_for_a_field_of_the_sample(samples):
    moved = samples.set_column(3, "label", pa.array([None, None], pa.string()))
    assert data_hash(samples, pa.table({})) != data_hash(moved, pa.table({"label": samples["label"]}))


GOLDEN_BARE = "blake3:03745a991b3edf89b07deb900edc4d105ca13d22b097f22b191c4fe6b743b3b6"
GOLDEN = "blake3:385555064f64f070f071c1c2b02e3206641ecee0e33be723630bf3fc4003ae6f"
