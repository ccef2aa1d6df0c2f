import os
import time

import pytest

from totalml.store.stat_cache import RACY_NS, FileState, StatCache, state_of

OLD = FileState(10, 1_000, 2_000, 7)
DIGEST = bytes(range(32))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache.bin"


def remembered(path, *records):
    cache = StatCache(path)
    for name, state in records:
        cache.add(name, state, DIGEST, time.time_ns())
    cache.save()
    return StatCache(path)


@pytest.mark.parametrize("name", ["a b.jpg", "a\nb", "日本.png", "caf\udce9.jpg", ""])
def test_an_unchanged_file_is_found_whatever_its_name(path, name):
    assert remembered(path, (name, OLD), ("another", OLD)).find(name, OLD) == DIGEST


@pytest.mark.parametrize("field", FileState._fields)
def test_a_change_of_any_field_is_noticed(path, field):
    changed = OLD._replace(**{field: getattr(OLD, field) + 1})
    assert remembered(path, ("a", OLD)).find("a", changed) is None


def test_a_file_touched_just_before_it_was_read_is_not_trusted(path):
    now = time.time_ns()
    fresh = OLD._replace(changed_ns=now - RACY_NS // 2)
    settled = OLD._replace(changed_ns=now - 2 * RACY_NS)
    future = OLD._replace(modified_ns=now + 10**12)
    cache = StatCache(path)
    for name, state in (("fresh", fresh), ("settled", settled), ("future", future)):
        cache.add(name, state, DIGEST, now)
    cache.save()
    again = StatCache(path)
    assert again.find("fresh", fresh) is None
    assert again.find("future", future) is None
    assert again.find("settled", settled) == DIGEST


def test_files_that_went_away_are_forgotten_and_found_ones_kept(path):
    cache = remembered(path, ("gone", OLD), ("kept", OLD))
    cache.find("kept", OLD)
    cache.save()
    again = StatCache(path)
    assert again.find("gone", OLD) is None
    assert again.find("kept", OLD) == DIGEST


def test_an_unchanged_cache_is_not_written_again(path):
    cache = remembered(path, ("a", OLD))
    cache.find("a", OLD)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    cache.save()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: b"", lambda raw: raw[:20] + b"?" + raw[21:]])
def test_a_damaged_cache_only_costs_time(path, damage):
    remembered(path, ("a", OLD))
    path.write_bytes(damage(path.read_bytes()))
    assert StatCache(path).find("a", OLD) is None


def test_an_empty_cache_can_be_saved_and_read(path):
    cache = remembered(path, ("a", OLD))
    cache.save()  # nothing was looked up
    assert StatCache(path).find("a", OLD) is None
    assert StatCache(path).find("", OLD) is None


def test_the_state_is_that_of_the_file(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"123")
    before = state_of(file.stat())
    os.utime(file, ns=(0, before.modified_ns + 1))
    assert before.size == 3
    assert state_of(file.stat()) != before
