"""Plans and curves as people are asked about them: what stands on a card, and what comes of what they say."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.plan.curves import lever, plan_of
from tests.review.page.sites import MODEL, Reviewer
from tests.review.queues.traffic import remade
from tests.serving.serving import NUMBERS, promote, release
from totalml.cli import main
from totalml.plan import Plan
from totalml.plan.truth import Truth
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.figures import figures_html, team_figures
from totalml.review.figures.intervals import exact
from totalml.review.figures.resolved import resolved
from totalml.review.figures.text import figures_text
from totalml.review.item import items_of
from totalml.review.page.of_releases import OfReleases
from totalml.review.page.planned import planned
from totalml.review.page.site import Site
from totalml.review.queues.fill import Filled, Wanted, fill, top_up
from totalml.review.queues.other_asks import plan_items
from totalml.review.reviews import Reviews
from totalml.store import Store

SETTINGS = ReviewRecipe(overlap=3, reasons=("too dark",))
TV, RADIO = lever("tv", (98.0, 100.0, 100.0, 102.0), cost=40.0), lever("radio", (44.0, 45.0, 45.0, 46.0), cost=40.0)
# A tenth more of tv brings 10 and costs 4, of radio 4.5 and 4: within what is spent now, tv takes what radio had.
PLAN = plan_of(TV, RADIO, budget=80.0)


def told(plan: Plan) -> list[str]:
    """What each card says, without the narrow spaces of numbers."""
    found = [planned(plan, each) for each in plan_items(plan, "blake3:1")]
    return [each.told.replace("\N{NARROW NO-BREAK SPACE}", " ") for each in found if each]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def planning(store: Store, plan: Plan = PLAN, share: float = 1.0):
    return release(store, share, NUMBERS, plan=json.dumps(asdict(plan)).encode())


def site(store: Store, wanted: Wanted | None = None) -> tuple[Site, Filled]:
    bundle = planning(store)
    filled = fill(store, bundle, SETTINGS, wanted or Wanted(ask="plan"))
    shows = OfReleases(store, NUMBERS, SETTINGS)
    return Site(Desk(Reviews(store, MODEL), SETTINGS), NUMBERS, shows), filled


def test_a_plan_its_levers_and_its_curves_are_asked_about_once(store):
    bundle = planning(store)
    assert fill(store, bundle, SETTINGS, Wanted(ask="plan")).queues == {"given": 5}
    (reviews := Reviews(store, MODEL)).look()
    (batch,) = reviews.batches
    asked = [(each.ask, each.note, each.release) for each in items_of(reviews.items(batch))]
    expected = [("plan", ""), ("plan", "tv"), ("plan", "radio"), ("curve", "tv"), ("curve", "radio")]
    assert asked == [(*each, bundle.hash) for each in expected]
    for wanted in (Wanted(ask="plan"), Wanted()):
        assert (again := fill(store, bundle, SETTINGS, wanted)).batch == ""
        assert "before" in again.told[-1]
    assert fill(store, planning(store, share=0.5), SETTINGS, Wanted(ask="plan")).queues == {"given": 5}


def test_the_page_of_a_release_with_a_plan_asks_about_that_by_itself(store):
    filled = top_up(Reviews(store, MODEL), store, planning(store), SETTINGS)
    assert filled is not None
    assert filled.queues == {"given": 5}


def test_a_release_without_a_plan_has_none_to_ask_about(store):
    filled = fill(store, release(store, signature=NUMBERS), SETTINGS, Wanted(ask="plan"))
    assert filled.batch == ""
    assert "no plan" in filled.told[-1]


def test_the_cards_say_what_to_spend_and_what_that_earns():
    whole, tv, radio, curve, _ = told(PLAN)
    assert "More of tv (+50 %); less of radio (−50 %)" in whole
    assert "from 5 October 2026 to 28 December 2026" in whole
    assert re.search(r"It should earn 2\d EUR more than going on as before", whole)  # 30 - 2.5, less what chance chose
    # By hand: 1.5 times 40 is 60; half of 100, less the 20 that it costs, is 30.
    assert "Spend 50 % more on tv: 60 EUR" in tv
    assert "By itself that should earn 30 EUR more" in tv
    assert re.search(r"90 % sure of 2[89] to 3[12] EUR more", tv)
    # Half of 45 is lost, and 20 are saved: 2.5 less.
    assert "Spend 50 % less on radio: 20 EUR" in radio
    assert "should earn 2.5 EUR less" in radio
    assert "It pays for what is spent elsewhere" in radio
    assert "had you spent from 20 EUR to 60 EUR on it" in curve
    assert "90 % sure" in curve


def test_a_lever_that_stays_and_a_plan_that_changes_nothing_are_told_as_such():
    even = lever("radio", (20.0, 60.0, 30.0, 50.0), cost=40.0)
    assert any(each.startswith("Leave radio as it was") for each in told(plan_of(TV, even, budget=200.0)))
    nothing, *curves = told(plan_of(even))
    assert nothing.startswith("Change nothing")
    assert len(curves) == 1


def test_a_model_that_does_not_say_how_sure_it_is_is_told_as_one():
    whole, step, curve = told(plan_of(lever("tv", (100.0,), cost=40.0)))
    assert all("does not say how sure it is" in each for each in (whole, step, curve))
    assert "sure of" not in whole + step
    assert "band" not in curve


def test_the_picture_is_the_curve_of_the_report_without_the_truth(store):
    truth = Truth(1.0, 2.0, {"tv": 1.0, "radio": 1.0}, (TV, RADIO))
    bundle = planning(store, replace(PLAN, truth=truth))
    shows = OfReleases(store, NUMBERS, SETTINGS)
    drawn = [shows.planned(each) for each in plan_items(PLAN, bundle.hash)]
    assert [("<svg" in each.drawn, "spread" in each.drawn) for each in drawn if each] == [
        (False,) * 2,
        *[(True,) * 2] * 4,
    ]
    assert not any("truth" in each.drawn for each in drawn if each)


def test_people_answer_with_reasons_of_their_own_and_nothing_is_told_after(store):
    page, _ = site(store)
    eve = Reviewer(page).sign_in()
    shown = eve.client.get("/").text
    assert "Would you do this?" in shown
    assert "too dark" not in shown
    assert 'name="wrong_subject"' not in shown
    assert eve.judge(wrong_subject="1").status_code == 400
    answers = [{"agrees": "yes"}, {"agrees": "no", "comment": "tv is <b>sold out</b>"}]
    answers.append({"cannot_tell": "it depends on something else", "comment": "on the price"})
    for answer in answers:
        assert eve.judge(**answer).headers["location"] == "/"
    assert "Does this curve look right to you?" in eve.client.get("/").text
    bob = Reviewer(page, "bob").sign_in()
    for _ in range(2):
        bob.judge(agrees="yes")
    undone = bob.client.post("/undo", data=bob.fields(bob.client.get("/").text)).text
    bob.client.post("/verdicts", data=bob.fields(undone) | {"agrees": "no"})  # told nothing meanwhile, so it counts
    reviews = Reviews(store, MODEL)
    reviews.look()
    figures = team_figures(reviews, partial(resolved, settings=SETTINGS), None, datetime.now(UTC))
    found = [(each.ask, each.lever, each.yes, each.no, each.untold) for each in figures.plans]
    assert found == [("plan", "", 2, 0, 0), ("plan", "tv", 0, 2, 0), ("plan", "radio", 0, 0, 1)]
    assert figures.plans[0].agree == exact(2, 2)
    assert figures.plans[2].words == [("eve", "it depends on something else: on the price")]
    assert not figures.accuracy
    text, html = figures_text(figures), figures_html(figures)
    assert "would do the plan" in text
    assert "eve, would do it, tv: tv is <b>sold out</b>" in text
    assert "2 of 2 people" in html
    assert "Agreement" not in html  # no labels were asked for
    assert "tv is &lt;b&gt;sold out" in html


def test_a_plan_whose_release_is_gone_is_said_to_be_and_keeps_nobody_from_going_on(store):
    page, _ = site(store)
    shutil.rmtree(store.root / "releases")
    eve = Reviewer(page).sign_in()
    assert "no longer kept" in eve.client.get("/").text
    assert eve.judge(cannot_tell="").status_code == 303


def test_the_queue_is_filled_from_a_terminal(store, capsys):
    promote(store, remade(store, planning(store), recipe_yaml=b"{}"))
    given = ["review", "queue", MODEL, "--ask", "plan", "--store", str(store.root)]
    assert main(given) == 0
    assert "5 items of pints wait for reviewers" in (out := capsys.readouterr().out)
    assert "its plan in 3 parts, and 2 curves" in out
    assert main(given) == 4
