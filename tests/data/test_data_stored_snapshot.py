"""A snapshot that stands in the store is a source: taken whole, and the source it came from is not asked."""

from __future__ import annotations

import pytest

from totalml.component import plain
from totalml.data import StoredSnapshot, remembered_hash, take_snapshot
from totalml.errors import SnapshotError, StoreError
from totalml.recipe import DataRecipe

NOWHERE = "blake3:" + "0" * 64


def test_it_is_taken_though_its_source_is_gone(photos, store, recipe):
    first = take_snapshot(recipe(photos), store)
    (photos / "dog" / "5.png").unlink()
    standing = DataRecipe(source=StoredSnapshot(snapshot=first.data_hash))
    again = take_snapshot(standing, store)
    assert again.data_hash == first.data_hash == remembered_hash(standing, store)
    assert again.samples.equals(first.samples)


def test_what_it_names_is_no_part_of_what_a_recipe_asks():
    one, other = (plain(StoredSnapshot(snapshot="blake3:" + each * 64), where=False) for each in "12")
    assert one == other == {"_target_": "totalml.data.StoredSnapshot"}


def test_one_that_is_not_in_the_store_is_told(store):
    data = DataRecipe(source=StoredSnapshot(snapshot=NOWHERE))
    assert remembered_hash(data, store) is None
    with pytest.raises(StoreError, match="not in the store"):
        take_snapshot(data, store)


def test_nothing_is_chosen_from_it_and_its_labels_are_known(photos, store, recipe):
    source = StoredSnapshot(snapshot=take_snapshot(recipe(photos), store).data_hash)
    data = DataRecipe(source=source, where="label == 'cat'", labels=("cat", "cow"))
    assert remembered_hash(data, store) is None
    with pytest.raises(SnapshotError, match="taken whole") as told:
        take_snapshot(data, store)
    assert "['dog']" in str(told.value)
    with pytest.raises(SnapshotError, match="no longer gives"):
        take_snapshot(DataRecipe(source=source, snapshot=NOWHERE), store)
