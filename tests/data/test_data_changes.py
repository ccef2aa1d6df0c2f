"""A sample that only got another name is told to be the same one."""

from totalml.data import Sample, take_snapshot
from totalml.data.changes import describe_changes, snapshot_changes


def test_a_renamed_sample_is_recognised_by_its_content(photos, store, recipe):
    before = take_snapshot(recipe(photos), store)
    (photos / "cat" / "0.png").rename(photos / "cat" / "new name.png")
    after = take_snapshot(recipe(photos), store)
    found = snapshot_changes(before, after)
    assert found.renamed == {"cat/0.png": "cat/new name.png"}
    assert (found.added, found.removed, found.changed) == (("cat/new name.png",), ("cat/0.png",), {})
    assert "1 of them renamed: cat/0.png to cat/new name.png" in describe_changes(before, after)


def test_samples_without_a_picture_are_not_taken_for_each_other(store, recipe, listed):
    snapshots = []
    for name in "xy":
        listed[:] = [Sample(name, None, label="a"), Sample("same", None, label="a")]
        snapshots.append(take_snapshot(recipe(listed), store))
    assert snapshot_changes(*snapshots).renamed == {}


def test_equal_snapshots_have_no_changes(photos, store, recipe):
    snapshot = take_snapshot(recipe(photos), store)
    assert not snapshot_changes(snapshot, snapshot)
