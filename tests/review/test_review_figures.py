"""`totalml review figures`: what people get to read of the figures, and what is told of a mistake."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.projects import PHOTOS, new_project
from tests.review.asked import MODEL, item
from tests.review.judged import judgements, verdict
from tests.serving.serving import promote, release
from totalml.cli import main
from totalml.recipe.review import ReviewRecipe
from totalml.review.figures.resolved import resolved
from totalml.review.item import ASK_PLAN, GOLD, UNCERTAIN, table_of
from totalml.review.reviews import Reviews
from totalml.review.said import Remark
from totalml.store import Store

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> Path:
    """A project whose model is in production, and judged by two people for two weeks."""
    new_project(tmp_path, {MODEL: PHOTOS.replace("photos", MODEL) + "review: {policy: unanimous}\n"})
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / ".totalml")
    bundle = release(store)
    promote(store, bundle)
    reviews = Reviews(store, MODEL)
    now, said = datetime.now(UTC), []
    facts = [{"pub": NASTY if number % 2 else "Mulligan's"} for number in range(90)]
    items = [item(number, release=bundle.hash, facts=facts[number]) for number in range(60)]
    items += [item(number, UNCERTAIN, release=bundle.hash, facts=facts[number]) for number in range(60, 80)]
    items += [item(number, GOLD, truth={"label": "light"}) for number in range(80, 90)]
    for number, each in enumerate(items):
        when = (now - timedelta(days=10 if number % 3 == 0 else 2)).isoformat()
        said.append(verdict(each, "dark" if number % 10 == 0 else "light", "Aoife", when=when))
        said.append(verdict(each, "dark" if number % 20 == 0 else "light", NASTY, when=when, seconds=0.2))
    said.append(Remark("remark-1", said[131].key, NASTY, now.isoformat(), (0.5, 0.1), NASTY))
    reviews.queue(table_of(items), "the log")
    reviews.say(said)
    return tmp_path


def test_a_terminal_gets_every_figure_with_its_interval(place, capsys):
    assert main(["review", "figures", MODEL]) == 0
    told = capsys.readouterr().out
    assert "180 verdicts about 90 items by 2 reviewers" in told
    assert re.search(r"right +94\.7\s% +85\.4 to 98\.9\s% +57 control items; 3 more are undecided", told)  # 54 of 57
    assert re.search(r"Aoife +90 +10\.0\s% +0\.3 to 44\.5\s% +10 ", told)
    assert "100 of 100 of the latest took less than 0.7 s" in told
    assert re.search(r"right for the wrong reason +2\.7\s%", told)  # 1 of 37
    assert "weighted by how probably each was drawn" in told
    assert "wrong on gold is how often a reviewer says something else" in told


def test_scripts_get_the_same_whole(place, capsys):
    assert main(["review", "figures", MODEL, "--json", "--since", "7d"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdicts"] == 120
    assert told["accuracy"][0]["control_items"] == 38
    assert told["change"]["sentence"].startswith("No change can be told")
    assert {each["who"] for each in told["reviewers"]} == {"Aoife", NASTY}


def test_people_get_a_page_in_which_nothing_that_anybody_wrote_is_markup(place, capsys):
    assert main(["review", "figures", MODEL, "--out", "figures/page.html"]) == 0
    page = (place / "figures" / "page.html").read_text()
    assert str(place / "figures" / "page.html") in capsys.readouterr().out
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for title in ("Live accuracy", "Agreement", "Reviewers", "Reasons"):
        assert f">{title}</h2>" in page
    assert "1 tap in the picture, most of them in the middle of the upper part" in page
    assert page.count("<circle") > 8  # a dot for each interval, and each week


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["pinst"], "did you mean 'pints'"),
        ([MODEL, "--since", "7x"], "--since 7x: expected a duration such as 30d"),
        ([MODEL, "--since", "0d"], "--since 0d is to be more than nothing"),
        ([MODEL, "--since", "9" * 400 + "d"], "9d is to be more than nothing, and 36,500d at most"),
        ([MODEL, "--out", "."], "is a folder"),
        ([f"{MODEL}@staging"], "no alias"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(place, capsys, given, told):
    assert main(["review", "figures", *given]) == 2
    assert told in capsys.readouterr().err


def test_before_anybody_judged_anything_it_says_so(place, capsys):
    reviews = Reviews(Store(place / ".totalml"), "fresh")
    reviews.queue(table_of([item(1)]), "the log")
    assert main(["review", "figures", MODEL, "--since", "1h", "--out", "page.html"]) == 0
    assert "Nobody has judged a control item yet" in (place / "page.html").read_text()
    assert main(["review", "figures", MODEL, "--since", "1h"]) == 0
    assert "0 verdicts about 0 items by 0 reviewers" in capsys.readouterr().out


def test_verdicts_count_together_as_the_policy_says():
    gold = [item(number, GOLD, truth={"label": "light"}) for number in range(100, 130)]
    said = [(each, verdict(each, "light", "good")) for each in gold]
    for number, each in enumerate(gold):
        said += [(each, verdict(each, "dark" if number % 2 else "light", who)) for who in ("b", "c")]
    cases = {"good": "dark", "b": "light", "c": "light"}, {"good": "dark", "b": "light"}, {"good": "dark", "b": None}
    about = [item(number) for number in range(3)]
    for each, case in zip(about, cases, strict=True):
        said += [(each, verdict(each, label, who)) for who, label in case.items()]
    judged = judgements(*said)
    expected = {
        "majority": ["light", None, "dark"],
        "unanimous": [None, None, "dark"],
        "weighted": ["dark", "dark", "dark"],  # two who err on half of gold weigh less than one who does not
    }
    for policy, labels in expected.items():
        found = resolved(judged, ReviewRecipe(policy=policy))
        assert [found[each.item] and found[each.item]["label"] for each in about] == labels
    plan = item(9, ask=ASK_PLAN)
    assert resolved(judgements((plan, verdict(plan, None))), ReviewRecipe()) == {plan.item: None}
