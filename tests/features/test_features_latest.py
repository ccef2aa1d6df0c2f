"""The file of latest values against a dict, against the join that it stands for, and against damage."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import FeatureError, StoreError
from totalml.features.as_of import join
from totalml.features.latest import open_latest, write_latest

names = st.one_of(st.none(), st.sampled_from(["", "a", "a\0", "aa", "é" * 40, "pub"]))
hours = st.one_of(st.none(), st.integers(-3, 12))
rows_known = st.lists(st.tuples(names, st.integers(0, 2), hours, hours), max_size=14)
asked_for = st.lists(st.tuples(names, st.integers(0, 2), hours), max_size=8)


def table(found: list[tuple], columns: str) -> pa.Table:
    """Entities `a` and `b`, times `t`, `e` and `k`; `v` is the number of the row."""
    kinds = {"a": pa.string()} | dict.fromkeys("btek", pa.int64())
    values = zip(*found, strict=True) if found else [()] * len(columns)
    made = {name: pa.array(each, kinds[name]) for name, each in zip(columns, values, strict=True)}
    return pa.table(made | {"v": pa.array(range(len(found)), pa.int64())})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latest") / "pubs.latest"


@given(rows_known, asked_for, st.integers(-3, 12), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_a_dict_of_lists_tells_the_same(path, known, asked, until, count):
    write_latest(path, table(known, "abek"), ["a", "b"], "e", "k", ["v"], until, count)
    events: dict[tuple, dict[int, tuple[int, int]]] = {}
    for number, (a, b, event, known_from) in enumerate(known):
        if None not in (a, event, known_from) and max(event, known_from) <= until:
            held = events.setdefault((a, b), {})
            held[event] = max(held.get(event, (known_from, number)), (known_from, number))
    expected = {key: [held[event][1] for event in sorted(held)][-count:] for key, held in events.items()}

    latest = open_latest(path)
    assert (len(latest), latest.by, latest.columns, latest.until_us) == (len(events), ("a", "b"), ("v",), until)
    questions = table([(a, b, until) for a, b, _ in asked], "abt")
    lists = [expected.get((a, b), []) for a, b, _ in asked]
    assert latest.lookup(questions, "t", None)["v"].to_pylist() == [([None, *held])[-1] for held in lists]
    which, found = latest.history(questions, "t", None)
    pairs = [(row, value) for row, held in enumerate(lists) for value in held]
    assert list(zip(which.tolist(), found["v"].to_pylist(), strict=True)) == pairs


@given(rows_known, asked_for, st.integers(-3, 12), st.sampled_from([None, 0, 2, 5]))
@settings(max_examples=80, deadline=None)
def test_requests_are_answered_as_the_join_answers_rows(path, known, asked, until, ttl):
    right = table(known, "abek")
    write_latest(path, right, ["a", "b"], "e", "k", ["v", "e"], until)
    left = table([(a, b, None if time is None else until + max(time, 0)) for a, b, time in asked], "abt")
    had = [None not in (event, told) and max(event, told) <= until for _, _, event, told in known]
    expected = join(left, right.filter(pa.array(had, pa.bool_())), ["a", "b"], "t", "e", "k", ["v", "e"], ttl)
    assert open_latest(path).lookup(left, "t", ttl).to_pylist() == expected.to_pylist()


@given(rows_known, asked_for, st.sampled_from([None, 0, 2, 5]))
@settings(max_examples=60, deadline=None)
def test_nothing_is_told_before_it_was_known(path, known, asked, ttl):
    write_latest(path, table(known, "abek"), ["a", "b"], "e", "k", ["v", "e", "k"], 12, 3)
    which, found = open_latest(path).history(table(asked, "abt"), "t", ttl)
    for row, value in zip(which.tolist(), found.to_pylist(), strict=True):
        time = asked[row][-1]
        assert max(value["e"], value["k"]) <= time
        assert ttl is None or time - value["e"] <= ttl


def test_every_byte_counts(tmp_path):
    path = tmp_path / "pubs.latest"
    write_latest(path, table([("a", 0, 1, 1), ("b", 0, 1, 1)], "abek"), ["a"], "e", "k", ["v"], 9)
    whole = path.read_bytes()
    for place in [*range(64), *range(64, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StoreError, match=r"pubs\.latest: its bytes are not|pubs\.latest: it does not begin"):
            open_latest(path)
    for size in (0, 1, 63, 64, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(StoreError, match="Write them again"):
            open_latest(path)
    path.unlink()
    with pytest.raises(StoreError, match="Write them again"):
        open_latest(path)
    path.write_bytes(whole)
    assert len(open_latest(path)) == 2


ENTITIES = 500


def written(path: Path, version: int) -> None:
    values = {"a": np.arange(ENTITIES), "e": np.zeros(ENTITIES, np.int64), "v": np.full(ENTITIES, version)}
    write_latest(path, pa.table(values), ["a"], "e", None, ["v"], version)


def versions_seen(path: Path, times: int) -> list[int]:
    """Each of one file: opened once, asked twice."""
    seen = []
    asked = pa.table({"a": np.arange(ENTITIES), "t": np.full(ENTITIES, 10**6)})
    for _ in range(times):
        latest = open_latest(path)
        for _ in range(2):
            (only,) = {*latest.lookup(asked, "t", None)["v"].to_pylist(), latest.until_us}
            seen.append(only)
    return seen


def test_readers_see_one_version_whole_while_others_take_its_place(tmp_path):
    path = tmp_path / "numbers.latest"
    written(path, 1)
    opened = open_latest(path)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as readers:
        told = [readers.submit(versions_seen, path, 150) for _ in range(2)]
        version = 1
        while not all(each.done() for each in told):
            written(path, version := version + 1)
    for each in told:
        seen = each.result()
        assert seen == sorted(seen)
        assert seen[::2] == seen[1::2]
    asked = pa.table({"a": [3, ENTITIES], "t": [1, 1]})
    assert opened.lookup(asked, "t", None)["v"].to_pylist() == [1, None]
    assert open_latest(path).lookup(asked, "t", None)["v"].to_pylist() == [version, None]
    assert [file.name for file in tmp_path.iterdir()] == ["numbers.latest"]


def test_what_is_opened_is_mapped_and_not_copied(tmp_path):
    written(tmp_path / "numbers.latest", 1)
    before = pa.total_allocated_bytes()
    latest = open_latest(tmp_path / "numbers.latest")
    assert len(latest) == ENTITIES
    assert pa.total_allocated_bytes() - before < 8 * ENTITIES  # less than any one column


def test_what_is_wrong_with_a_question_is_told(tmp_path):
    path = tmp_path / "pubs.latest"
    known = pa.table({"pub": ["Toner"], "at": [0], "pints": [50]})
    with pytest.raises(FeatureError, match="no column 'pins', did you mean 'pints'"):
        write_latest(path, known, ["pub"], "at", None, ["pins"], 0)
    with pytest.raises(FeatureError, match="rows is 0; keep at least 1"):
        write_latest(path, known, ["pub"], "at", None, ["pints"], 0, 0)
    assert not path.exists()
    write_latest(path, known, ["pub"], "at", None, ["pints"], 0)
    with pytest.raises(FeatureError) as told:
        open_latest(path).lookup(pa.table({"pub": [1]}), "at", -1)
    assert str(told.value).splitlines()[1:] == [
        "  what is asked for has no column 'at'",
        "  entity column 'pub' is int64 where it is asked for and large_string where it is known; make both text",
        "  ttl_us is -1; it must be 0 or more, or None",
    ]
