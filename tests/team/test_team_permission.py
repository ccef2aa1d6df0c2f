"""Verbs that change what answers are refused to who may not, and go on for who may."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr

import pytest

from tests.alerts.found import CONCEPT
from tests.projects import replace
from tests.team.conftest import RUN
from totalml.alerts.alerts import Alerts
from totalml.deployment.deployments import Deployments
from totalml.registry import Aliases

PROMOTERS = "team.yaml:9 (models.pints.may_promote): eve"
DEPLOYERS = "team.yaml:3 (may_deploy): ann, runner"
FILE = "deployments/pub.yaml"


@pytest.mark.parametrize(
    ("words", "may"),
    [
        (("promote", f"{RUN}/1", "--force"), PROMOTERS),
        (("rollback", "pints", "--why", "worse"), PROMOTERS),
        (("deploy", FILE), DEPLOYERS),
    ],
)
def test_who_may_not_is_told_who_may_and_where_it_is_written(store, tell, words, may):
    before = Aliases(store, "pints").history()
    said = tell("bob", *words, expect=2)
    assert said.startswith("command line: 'bob' may not ")
    assert f"who may by {may}; ask them, or have ann change team.yaml" in said
    assert Aliases(store, "pints").history() == before
    assert Deployments(store, "pints").standing("pub") is None


def test_who_may_goes_on(store, tell):
    said = tell("eve", "promote", f"{RUN}/1", expect=2)
    assert f"run {RUN}/1 is interrupted" in said
    assert "back to release" in tell("eve", "rollback", "pints", "--why", "worse")
    assert "is deployed" in tell("runner", "deploy", FILE)


def test_a_check_of_a_deployment_changes_nothing_so_everybody_may(store, tell):
    assert "it can be deployed" in tell("bob", "deploy", FILE, "--check")


def test_a_challenger_is_moved_by_who_may_deploy_and_goes_live_by_who_may_promote(store, tell):
    tell("runner", "deploy", FILE)
    assert "pub: pints@candidate points nowhere yet" in tell("bob", "rollout", FILE)
    for words, may, wants in [
        (("--to", "stopped"), "ann", DEPLOYERS),
        (("--to", "live"), "eve", PROMOTERS),
    ]:
        assert f"who may by {wants}" in tell("bob", "rollout", FILE, *words, expect=2)
        assert "has no challenger now" in tell(may, "rollout", FILE, *words, expect=2)
    assert f"who may by {DEPLOYERS}" in tell("bob", "rollout", FILE, "--watch", expect=2)


def test_who_is_named_nowhere_answers_to_the_owner(project, store, tell):
    (project / "team.yaml").write_text("owner: ann\nmodels:\n  pints: {owner: eve}\n")
    said = tell("ann", "rollback", "pints", "--why", "worse", expect=2)
    assert "who may by team.yaml:3 (models.pints.owner): eve" in said


def test_a_project_without_a_team_lets_everybody(project, store, tell):
    (project / "team.yaml").unlink()
    assert "is deployed" in tell("mallory", "deploy", FILE)
    assert "back to release" in tell("mallory", "rollback", "pints", "--why", "worse")


def test_a_broken_team_lets_nobody(project, store, tell):
    replace(project / "team.yaml", "reviewers", "reviewer")
    assert "team.yaml:2: unknown key 'reviewer'" in tell("eve", "rollback", "pints", "--why", "worse", expect=2)


def test_an_alert_is_taken_and_resolved_by_people_of_the_team(store, tell):
    alert = Alerts(store, "pints").raise_alert(CONCEPT)
    for verb in ("ack", "resolve"):
        said = tell("mallory", "alerts", verb, alert.id, "--why", "x", expect=2)
        assert "'mallory' may not answer an alert of pints; who may by team.yaml: ann, eve, bob, runner" in said
        assert Alerts(store, "pints").find(alert.id).state == "raised"
    assert f"{alert.id} is acknowledged by bob" in tell("bob", "alerts", "ack", alert.id, "--why", "I look")
    assert f"{alert.id} is resolved" in tell("ann", "alerts", "resolve", alert.id, "--why", "over")


@pytest.fixture
def waiting(project, store):
    """An alert that waits for a console and a file."""
    channels = "channels: [console: {}, jsonl: {file: told.jsonl}]"
    (project / "alerts.yaml").write_text(f"model: pints\nalerts: {{{channels}}}\n")

    from totalml.alerts.read import read_alerting

    settings = read_alerting(project / "alerts.yaml", "alerts.yaml")[1]
    return Alerts(store, "pints", settings).raise_alert(CONCEPT)


def test_whoever_is_told_sees_whose_it_is(project, waiting, tell):
    with redirect_stderr(io.StringIO()) as console:
        tell("cron", "alerts", "send", "alerts.yaml")
    assert "\nfor: eve, ann\n" in console.getvalue()
    assert json.loads((project / "told.jsonl").read_text())["for"] == ["eve", "ann"]
    assert json.loads(tell("cron", "alerts", "list", "--json"))[0]["for"] == ["eve", "ann"]


def test_a_broken_team_keeps_no_alert_back(project, waiting, tell):
    replace(project / "team.yaml", "reviewers", "reviewer")
    assert "2 arrived" in tell("cron", "alerts", "send", "alerts.yaml")
    (told,) = json.loads((project / "told.jsonl").read_text())["for"]
    assert told.startswith("everybody, as nobody can be named: team.yaml:2: unknown key 'reviewer'")


def test_without_a_team_it_is_nobodys(project, waiting, tell):
    (project / "team.yaml").unlink()
    with redirect_stderr(io.StringIO()) as console:
        tell("cron", "alerts", "send", "alerts.yaml")
    assert "for:" not in console.getvalue()
    assert json.loads((project / "told.jsonl").read_text())["for"] == []
