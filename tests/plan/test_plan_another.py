"""Another plan from the curves of one that was made."""

import json
import re
import sys

import pytest

from tests.plan.spend import given_of
from tests.serving.serving import promote, release
from totalml.cli import main
from totalml.errors import RecipeError
from totalml.plan import Plan, make_plan
from totalml.plan.another import Question, another
from totalml.store import Store


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    return make_plan(given_of(tmp_path_factory.mktemp("spend")))


def asked(plan: Plan, **values: object):
    return another(plan, Question.read(values, plan.names))[0]


def test_the_same_question_has_the_same_answer(plan):
    advice = asked(plan)
    assert advice.factors == plan.advice.factors
    assert advice.gain.value == pytest.approx(plan.advice.gain.value, rel=1e-6)


def test_more_may_be_spent_where_more_is_allowed(plan):
    free, less = asked(plan, budget="free"), asked(plan, budget=3000)
    assert free.factors == {"tv": 1.5, "radio": 0.5}
    assert (less.kind, less.budget) == ("forced", 3000.0)
    assert less.cost <= 3000 < plan.advice.cost < free.cost


def test_bounds_hold(plan):
    advice = asked(plan, budget="free", levers={"tv": {"most": 1.2}, "radio": {"least": 0.8, "most": 1.0}})
    assert advice.factors == {"tv": 1.2, "radio": 0.8}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"budgets": 3}, ["unknown key 'budgets', did you mean 'budget'?"]),
        ({"budget": -3}, ["budget: expected 'same', 'free' or an amount above 0, got -3"]),
        ({"levers": {"tv": {"least": 2, "most": 1}}}, ["least is 2, which is more than most, 1"]),
        ([], ["a question holds keys: budget, levers; got []"]),
        (
            {"levers": {"tv": {"most": 7}, "radio": {"most": 9}}},
            [f"is known from 0.5 to 1.5 times what was used; got 0.5 to {most}" for most in (7, 9)],
        ),
        (
            {"budget": -3, "levers": {"tvv": {}, "radio": {"leest": 1}}},
            ["budget: expected", "unknown key 'levers.radio.leest'", "there is no 'tvv', did you mean 'tv'?"],
        ),
    ],
)
def test_mistakes_are_told_all_at_once(plan, question, told):
    with pytest.raises(RecipeError) as caught:
        another(plan, Question.read(question, plan.names))
    assert len(caught.value.mistakes) == len(told)
    for each, mistake in zip(told, caught.value.mistakes, strict=True):
        assert each in mistake


def test_a_budget_below_the_least_is_told(plan):
    with pytest.raises(RecipeError, match="the least that the levers may be used costs"):
        asked(plan, budget=1)


@pytest.fixture
def command(plan, tmp_path, monkeypatch, capsys):
    """`totalml plan pints@production ...` in a store with a release that keeps the plan."""
    plan.save(tmp_path)
    store = Store(tmp_path / "store")
    promote(store, release(store, plan=(tmp_path / "plan.json").read_bytes()))
    for name in ("conf", "recipes"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf" / "config.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def told(*arguments: str, expect: int = 0) -> str:
        code = main(["plan", "pints@production", *arguments, f"--store={tmp_path / 'store'}"])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return (out + err).replace("\N{NARROW NO-BREAK SPACE}", " ")

    return told


def test_the_command_tells_the_plan_and_another_one(command, plan):
    as_made = command()
    assert as_made.startswith("More of tv (+45 %); less of radio (−50 %): that brings")
    told = [line.split()[0] for line in as_made.splitlines()[1:]]
    assert told == ["lever", "tv", "radio", "marked", "all", "The"]
    assert command("--budget", "free").startswith("More of tv (+50 %)")
    advice = json.loads(command("--lever", "tv=1:1", "--json"))["advice"]
    assert advice["factors"] == {"tv": 1.0, "radio": 0.5}


def test_what_is_told_of_levers_sums_to_what_is_told_of_all(command, plan):
    levers, all_ = [], 0.0
    for line in command().splitlines()[2:-1]:
        brings = float(re.search(r"([+\u2212]?[\d,]+(\.\d+)?) EUR", line)[1].replace(",", "").replace("\u2212", "-"))
        levers, all_ = ([*levers, brings], all_) if not line.startswith("all") else (levers, brings)
    assert sum(levers) == pytest.approx(all_, abs=2)
    assert all_ < sum(levers[:-1]) - 2  # or nothing was marked down


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--lever", "tv"], "--lever tv is no bound; write such as tv=0.8:1.2"),
        (["--lever", "tv=1:x", "--lever", "radio"], "--lever radio is no bound"),
        (["--lever", "tv=0.8:1", "--lever", "tv=1:1.2"], "--lever tv is given twice; keep one"),
        (["--budget", "5"], "and the budget is 5.00; raise the budget"),
        (["--lever", "tv=1.01:1.02"], "lever 'tv': between 1.01 and 1.02 is no factor"),
        (["--budget", "some"], "expected 'same', 'free' or an amount above 0, got 'some'"),
    ],
)
def test_mistakes_on_the_command_line_are_told(command, arguments, told):
    assert told in command(*arguments, expect=2)
