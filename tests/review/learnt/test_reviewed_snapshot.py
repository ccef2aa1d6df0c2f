"""What people said becomes a snapshot: nothing else moves, each change is listed, and twice gives the same."""

from __future__ import annotations

import json

import pytest

from tests.review.learnt.lessons import asked_of, of_parent, released, reviews_of, snapshot_of
from tests.review.queues.traffic import MODEL, NOW
from totalml.data import load_snapshot
from totalml.data.snapshot import snapshot_folder
from totalml.errors import DataError
from totalml.prediction_log.sampled_pictures import remove_pictures
from totalml.recipe.review import ReviewRecipe
from totalml.review.learnt.relabelled import SHARES
from totalml.review.learnt.reviewed_snapshot import reviewed_snapshot
from totalml.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def parent(tmp_path, store):
    return snapshot_of(tmp_path / "photos", store)


@pytest.fixture
def bundle(store, parent):
    return released(store, parent)


def labels_of(snapshot) -> dict[str, str]:
    return dict(zip(*(snapshot.samples[name].to_pylist() for name in ("id", "label")), strict=True))


def made_of(store, bundle, parent, *said, soft="leave-out"):
    return reviewed_snapshot(reviews_of(store, *said), bundle, parent.data_hash, ReviewRecipe(), soft, store)


def test_labels_change_where_people_say_otherwise_and_requests_become_samples(store, bundle, parent):
    items = asked_of(store, bundle)
    wrong, right = of_parent(parent, "dark/0.png"), of_parent(parent, "light/1.png")
    made = made_of(store, bundle, parent, (wrong, "light", "ann"), (right, "light", "ann"), (items[0], "dark", "bob"))
    new = f"review/{items[0].input.removeprefix('blake3:')}"
    assert labels_of(made.snapshot) == {**labels_of(parent), "dark/0.png": "light", new: "dark"}
    assert [(each.id, each.before, each.after, each.people) for each in made.changes] == [
        ("dark/0.png", "dark", "light", 1),
        (new, None, "dark", 1),
    ]
    assert load_snapshot(made.snapshot.data_hash, store).samples.equals(made.snapshot.samples)
    (row,) = [each for each in made.snapshot.samples.to_pylist() if each["id"] == new]
    assert row["timestamp"] == NOW
    assert store.read(row["blob"])
    manifest = json.loads((snapshot_folder(made.snapshot.data_hash, store) / "manifest.json").read_text())
    assert manifest["source"]["review"] == made.lineage
    assert made.lineage["parent"] == parent.data_hash
    assert made.lineage["last_event"] == 2


def test_the_same_verdicts_give_the_same_data_also_of_the_data_they_made(store, bundle, parent):
    items = asked_of(store, bundle)
    said = [(items[0], "dark", "bob"), (of_parent(parent, "dark/0.png"), "light", "ann")]
    made = made_of(store, bundle, parent, *said)
    assert made_of(store, bundle, parent, *said).snapshot.data_hash == made.snapshot.data_hash
    again = made_of(store, bundle, made.snapshot, *said)
    assert again.snapshot.data_hash == made.snapshot.data_hash
    assert not again.changes


def test_what_is_undecided_or_shows_something_else_or_was_deleted_is_left_out_and_told(store, bundle, parent):
    items = asked_of(store, bundle)
    remove_pictures(store, MODEL, {items[2].input})
    said = [
        (items[0], "dark", "ann"),
        (items[0], "light", "bob"),
        (items[1], "other", "ann"),
        (items[2], "dark", "ann"),
    ]
    said += [(of_parent(parent, "dark/0.png"), label, who) for label, who in (("light", "ann"), ("dark", "bob"))]
    made = made_of(store, bundle, parent, *said)
    assert labels_of(made.snapshot) == {
        name: label for name, label in labels_of(parent).items() if name != "dark/0.png"
    }
    text = "\n".join(made.lines())
    for reason in ("people are undecided", "another subject: order-1", "was deleted, or is no longer kept: order-2"):
        assert reason in text


def test_soft_labels_stay_with_how_likely_they_are(store, bundle, parent):
    said = [(of_parent(parent, "light/1.png"), label, who) for label, who in (("light", "ann"), ("dark", "bob"))]
    made = made_of(store, bundle, parent, *said, soft="keep")
    assert labels_of(made.snapshot) == labels_of(parent)
    shares = dict(zip(made.snapshot.samples["id"].to_pylist(), made.snapshot.metadata[SHARES].to_pylist(), strict=True))
    assert json.loads(shares.pop("light/1.png")) == {"dark": 0.5, "light": 0.5}
    assert {*shares.values()} == {None}


def test_without_a_vote_there_is_nothing_to_learn(store, bundle, parent):
    with pytest.raises(DataError, match="no verdict"):
        made_of(store, bundle, parent, (of_parent(parent, "dark/0.png"), None, "ann"))
