import pytest

from totalml.data import Sample, take_snapshot
from totalml.data.changes import describe_changes
from totalml.errors import SnapshotError


def test_a_pin_that_matches_lets_the_run_go_on(photos, store, recipe):
    first = take_snapshot(recipe(photos), store)
    assert take_snapshot(recipe(photos, snapshot=first.data_hash), store).data_hash == first.data_hash


def test_a_pin_that_does_not_match_names_what_changed(photos, store, recipe, encoded):
    first = take_snapshot(recipe(photos), store)
    for number in range(12):
        (photos / "cat" / f"new{number:02}.png").write_bytes(encoded(100 + number))
    (photos / "dog" / "4.png").unlink()
    (photos / "dog" / "5.png").write_bytes(encoded(200))
    (photos / "dog" / "6.png").rename(photos / "cat" / "6.png")
    with pytest.raises(SnapshotError) as error:
        take_snapshot(recipe(photos, snapshot=first.data_hash), store)
    told = str(error.value)
    assert f"pinned: {first.data_hash}" in told
    assert "13 added: cat/6.png, cat/new00.png" in told
    assert "cat/new08.png and 3 more" in told
    assert "cat/new09.png" not in told
    assert "2 removed: dog/4.png, dog/6.png" in told
    assert "1 changed: dog/5.png (content)" in told
    now = take_snapshot(recipe(photos), store)
    assert f"now:    {now.data_hash}" in told


def test_a_pin_that_is_not_in_the_store_gives_both_hashes(photos, store, recipe):
    pin = "blake3:" + "0" * 64
    with pytest.raises(SnapshotError, match="What changed cannot be told") as error:
        take_snapshot(recipe(photos, snapshot=pin), store)
    now = take_snapshot(recipe(photos), store)
    assert pin in str(error.value)
    assert now.data_hash in str(error.value)


@pytest.fixture
def change(recipe, store, listed):
    """What is told about the step from one list of samples to another."""

    def take(samples):
        listed[:] = samples
        return take_snapshot(recipe(listed), store)

    return lambda before, after: describe_changes(take(before), take(after))


def two(**fields):
    return [Sample(name, None, **({"label": "a"} | fields)) for name in "12"]


def test_each_field_that_changed_is_named(change):
    assert change(two(), two(label="b")) == "  2 changed: 1 (label), 2 (label)"
    assert change(two(), two(group="g")) == "  2 changed: 1 (group), 2 (group)"
    assert change(two(metadata={"x": 1}), two(metadata={"x": 2})).startswith("  2 changed: 1 (metadata 'x'), 2")


def test_columns_that_came_went_or_changed_type_are_named(change):
    told = change(two(metadata={"x": 1, "y": "1"}), two(metadata={"x": 1.0, "z": "1"}))
    assert "2 changed: 1 (metadata 'y', metadata 'z')" in told
    assert "metadata column 'z' is new" in told
    assert "metadata column 'y' is gone" in told
    assert "metadata column 'x' was int64, is double" in told


def test_a_metadata_column_named_like_a_field_is_told_apart(change):
    told = change(two(metadata={"label": "x"}), two(metadata={"label": "y"}))
    assert told == "  2 changed: 1 (metadata 'label'), 2 (metadata 'label')"
