"""What people said in numbers and in several labels becomes a snapshot whose columns hold it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.review.judged import verdict
from tests.review.learnt.lessons import of_parent, picture_of
from tests.review.queues.traffic import MODEL, remade
from tests.serving.serving import LABELS, NUMBERS, promote, release
from totalml.data import ImageTable, load_snapshot, take_snapshot
from totalml.recipe import DataRecipe
from totalml.recipe.review import ReviewRecipe
from totalml.release.bundle import Bundle
from totalml.review.item import table_of
from totalml.review.learnt.relabelled import SHARES
from totalml.review.learnt.reviewed_snapshot import ReviewedSnapshot, reviewed_snapshot
from totalml.review.reviews import Reviews
from totalml.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


class Reviewed:
    """A snapshot of four pictures with metadata columns, and a release of it."""

    def __init__(self, store: Store, folder, signature, recipe: str, columns: dict[str, list[Any]]) -> None:
        for number in range(4):
            (folder / f"{number}.png").write_bytes(picture_of(number))
        columns = {"file": [f"{number}.png" for number in range(4)], **columns}
        lines = [",".join(row) for row in zip(*columns.values(), strict=True)]
        (folder / "pints.csv").write_text("\n".join([",".join(columns), *lines]))
        source = ImageTable(table=str(folder / "pints.csv"))
        self.store, self.parent = store, take_snapshot(DataRecipe(source=source), store)
        made = release(store, signature=signature)
        facts = {**made.facts, "data_hash": self.parent.data_hash}
        self.bundle = remade(store, Bundle(made.folder, facts, made.files), recipe_yaml=recipe.encode())
        promote(store, self.bundle)

    def said(self, *said: tuple[str, dict[str, Any], str], soft="leave-out", **settings) -> ReviewedSnapshot:
        """Args: said: sample, label, and who."""
        reviews = Reviews(self.store, MODEL)
        items = {name: of_parent(self.parent, name) for name, _, _ in said}
        reviews.queue(table_of(items.values()), "a test")
        reviews.say([verdict(items[name], None, who, answer={"label": label}) for name, label, who in said])
        return reviewed_snapshot(
            reviews, self.bundle, self.parent.data_hash, ReviewRecipe(**settings), soft, self.store
        )


def column(made: ReviewedSnapshot, name: str) -> dict[str, Any]:
    ids = made.snapshot.samples["id"].to_pylist()
    return dict(zip(ids, made.snapshot.metadata[name].to_pylist(), strict=True))


@pytest.fixture
def measured(store, tmp_path) -> Reviewed:
    columns = {"dark": ["1", "2", "3", "4"], "light": ["1.5", "2.5", "3.5", "4.5"], "pub": ["a", "b", "a", "b"]}
    return Reviewed(store, tmp_path, NUMBERS, "name: pints\n", columns)


def test_numbers_become_the_median_of_those_who_agree(measured):
    said = [("0.png", {"dark": value, "light": 1.5}, who) for value, who in ((7.0, "ann"), (7.5, "bob"), (70.0, "eve"))]
    said += [("1.png", {"dark": value, "light": 2.5}, who) for value, who in ((5.0, "ann"), (9.0, "bob"))]
    made = measured.said(*said, tolerance={"dark": 1.0})
    assert column(made, "dark") == {"0.png": 7.5, "2.png": 3, "3.png": 4}
    assert column(made, "light") == {"0.png": 1.5, "2.png": 3.5, "3.png": 4.5}
    assert column(made, "pub") == {"0.png": "a", "2.png": "a", "3.png": "b"}
    assert [(each.id, each.after, each.people) for each in made.changes] == [("0.png", "dark 7.5, light 1.5", 3)]
    assert made.left_out == [("1.png", "people are undecided")]
    assert made.lineage["tolerance"] == {"dark": 1.0}
    again = load_snapshot(made.snapshot.data_hash, measured.store)
    assert again.metadata.equals(made.snapshot.metadata)


def test_a_column_of_whole_numbers_stays_so_where_people_say_whole_ones(measured):
    before = measured.parent.metadata["dark"].type
    made = measured.said(("0.png", {"dark": 8.0, "light": None}, "ann"))
    assert made.snapshot.metadata["dark"].type == before
    assert column(made, "dark")["0.png"] == 8
    assert column(made, "light")["0.png"] == 1.5  # nobody said anything of it


def test_undecided_numbers_are_kept_as_the_median_if_asked(measured):
    said = [("1.png", {"dark": value, "light": 2.5}, who) for value, who in ((5.0, "ann"), (9.0, "bob"))]
    made = measured.said(*said, soft="keep")
    assert column(made, "dark")["1.png"] == 7.0
    assert json.loads(column(made, SHARES)["1.png"]) == {"dark 7.0, light 2.5": 0.0}


@pytest.fixture(params=["a column each", "one column"])
def labelled(request, store, tmp_path) -> Reviewed:
    if request.param == "one column":
        columns = {"shades": ["dark", "dark+light", "light", "light"]}
        return Reviewed(store, tmp_path, LABELS, "task: {column: shades, separator: +}\n", columns)
    columns = {"dark": ["true", "true", "false", "false"], "light": ["false", "true", "true", "true"]}
    return Reviewed(store, tmp_path, LABELS, "task: {labels: [dark, light]}\n", columns)


def shades(made: ReviewedSnapshot) -> dict[str, list[str]]:
    if "shades" in made.snapshot.metadata.column_names:
        return {name: [each for each in text.split("+") if each] for name, text in column(made, "shades").items()}
    both = {label: column(made, label) for label in ("dark", "light")}
    return {name: [label for label in both if both[label][name]] for name in both["dark"]}


def test_several_labels_are_written_where_the_task_reads_them(labelled):
    said = [("0.png", {"labels": ["dark", "light"]}, who) for who in ("ann", "bob")]
    said += [("2.png", {"labels": []}, "ann"), ("3.png", {"labels": ["light"]}, "ann")]
    said += [("1.png", {"labels": labels}, who) for labels, who in ((["dark"], "ann"), (["light"], "bob"))]
    made = labelled.said(*said)
    assert shades(made) == {"0.png": ["dark", "light"], "2.png": [], "3.png": ["light"]}
    assert [each.id for each in made.changes] == ["0.png", "2.png"]
    assert made.left_out == [("1.png", "people are undecided")]


def test_undecided_labels_stay_with_how_likely_they_are(labelled):
    said = [("1.png", {"labels": labels}, who) for labels, who in ((["dark", "light"], "ann"), (["light"], "bob"))]
    made = labelled.said(*said, soft="keep")
    assert shades(made)["1.png"] == ["dark", "light"]
    assert sorted(json.loads(column(made, SHARES)["1.png"]).values()) == [0.5, 0.5]
