"""Verdicts go out and come back whole, twice is once, and a file with mistakes changes nothing and names them all."""

from __future__ import annotations

import json

import pytest

from tests.review.asked import item
from tests.review.judged import verdict
from tests.serving.serving import PICTURE
from totalml.errors import DataError
from totalml.labels import truth_of
from totalml.review.exchange.label_studio import read_tasks, write_tasks
from totalml.review.exchange.said_of_item import read_parquet, write_parquet
from totalml.review.exchange.take_in import take_in
from totalml.review.figures.judgements import judgements
from totalml.review.item import table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

MODEL, TRUTH, REASONS = "pints", truth_of(PICTURE), ("too dark",)
SAID = [
    ("light", "ann", {}),
    ("dark", "bob", {"comment": "a word"}),
    (None, "eve", {"answer": {"wrong_subject": True}}),
]


def asked(store: Store) -> Reviews:
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of(item(number) for number in range(3)), "numbers")
    return reviews


def known(reviews: Reviews) -> list[tuple]:
    return sorted((each.item, each.who, each.when, dict(each.answer), each.comment) for each in reviews.standing())


@pytest.mark.parametrize("name", ["out.parquet", "out.json"])
def test_what_goes_out_comes_back_and_twice_is_once(tmp_path, name):
    there, here = asked(Store(tmp_path / "there")), asked(Store(tmp_path / "here"))
    said = [verdict(item(n), label, who, **more) for n, (label, who, more) in enumerate(SAID)]
    there.say([*said, verdict(item(0), None, "eve", answer={"cannot_tell": "too dark"})])
    file = tmp_path / name
    (write_parquet if name.endswith("parquet") else write_tasks)(file, judgements(there))
    read = read_parquet(file) if name.endswith("parquet") else read_tasks(file, TRUTH)
    assert take_in(here, read, file, "", TRUTH, REASONS) == 4
    assert known(here) == known(there)
    assert take_in(here, read, file, "", TRUTH, REASONS) == 0
    assert take_in(there, read, file, "", TRUTH, REASONS) == 0


def test_what_several_people_said_is_not_made_one_persons(tmp_path):
    here, file = asked(Store(tmp_path / "store")), tmp_path / "tasks.json"
    here.say([verdict(item(n), label, who, **more) for n, (label, who, more) in enumerate(SAID)])
    write_tasks(file, judgements(here))
    with pytest.raises(DataError, match=r"it names ann, bob, eve, whose verdicts --who eve would make one person's"):
        take_in(here, read_tasks(file, TRUTH), file, "eve", TRUTH, REASONS)
    assert take_in(here, read_tasks(file, TRUTH), file, "", TRUTH, REASONS) == 0


def test_another_tools_choice_is_the_verdict_of_whoever_is_named(tmp_path):
    reviews, file = asked(Store(tmp_path / "store")), tmp_path / "tasks.json"
    choice = {"from_name": "beer", "to_name": "image", "type": "choices", "value": {"choices": ["dark"]}}
    annotations = [{"completed_by": 7, "result": [choice]}, {"was_cancelled": True, "result": []}]
    file.write_text(json.dumps([{"id": 1, "data": {"item": item(1).item}, "annotations": annotations}]))
    assert take_in(reviews, read_tasks(file, TRUTH), file, "eve", TRUTH, REASONS) == 1
    (found,) = reviews.standing()
    assert (found.who, found.answer) == ("eve", {"label": {"label": "dark"}})


def test_all_mistakes_are_told_and_nothing_is_kept(tmp_path):
    reviews, file = asked(Store(tmp_path / "store")), tmp_path / "tasks.json"

    def task(name: str, label: str, who: object) -> dict:
        result = [{"from_name": "label", "to_name": "image", "value": {"choices": [label]}}]
        return {"data": {"item": name}, "annotations": [{"completed_by": who, "result": result}]}

    good = item(0).item
    file.write_text(
        json.dumps(
            [task(good, "dark", "ann"), task("gone", "dark", "ann"), task(good, "pink", "ann"), task(good, "dark", 7)]
        )
    )
    with pytest.raises(DataError) as told:
        take_in(reviews, read_tasks(file, TRUTH), file, "", TRUTH, REASONS)
    for part in ("task 2, annotation 1", "'gone'", "task 3, annotation 1", "pink", "task 4, annotation 1", "--who"):
        assert part in str(told.value)
    assert not reviews.standing()


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"data": 1}]', '[{"data": {"item": "a"}, "annotations": [{"result": 3}]}]']
)
def test_what_is_no_list_of_tasks_is_refused(tmp_path, text):
    file = tmp_path / "tasks.json"
    file.write_text(text)
    with pytest.raises(DataError, match=r"tasks\.json"):
        read_tasks(file, TRUTH)
