"""What a file may say of alerts; what could do harm is refused, with its place."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.alerts.found import settings
from totalml.monitoring import verdict
from totalml.recipe.alerting import SEVERITIES, VERDICTS, AlertingRecipe
from totalml.validate import explain

EMAIL = {"to": ["a@b.c"], "sender": "a@b.c", "host": "smtp.b.c"}
HOSTILE = [
    ({"jsonl": {"file": "/etc/cron.d/x"}}, "expected a file below the project"),
    ({"jsonl": {"file": "a/../../x"}}, "expected a file below the project"),
    ({"jsonl": {"file": "a\nb"}}, "expected a file below the project"),
    ({"webhook": {"url": "file:///etc/passwd"}}, "expected http://... or https://..."),
    ({"webhook": {"url": "http://"}}, "expected http://... or https://..."),
    ({"webhook": {"url": "https://me:pw@x.org/"}}, "the URL holds a password"),
    ({"webhook": {"url": "http://x.org/\r\nX: y"}}, "no line ends"),
    ({"webhook": {"url": "http://x.org:99999/"}}, "Port out of range"),
    ({"webhook": {"url": "http://x.org/", "secret_variable": "AWS_SECRET_ACCESS_KEY"}}, "should match pattern"),
    ({"email": EMAIL | {"password_variable": "PGPASSWORD"}}, "should match pattern"),
    ({"email": EMAIL | {"to": ["a@b.c\nBcc: eve@b.c"]}}, "expected an address such as ops@example.org"),
    ({"email": EMAIL | {"to": []}}, "should hold 1 or more"),
    ({"email": EMAIL | {"sender": "a@b.c, d@e.f"}}, "expected an address"),
    ({"email": EMAIL | {"host": "smtp.b.c\n"}}, "expected a host"),
    ({"email": EMAIL | {"user": "me", "tls": "plain"}}, "a password would be sent in the open"),
    ({"apprise": {"url_variable": "json://x"}}, "should match pattern"),
    ({}, "this one has none; `console: {}` is the plainest"),
    ({"console": {}, "wandb": {}}, "this one has console and wandb"),
    ({"console": {}, "at_least": "Page"}, "did you mean 'page'?"),
    ({"pager": {}}, "unknown key 'channels[0].pager'"),
]


@pytest.mark.parametrize(("channel", "told"), HOSTILE)
def test_a_channel_that_could_do_harm_is_refused(channel, told):
    assert any(told in each for each in mistakes({"channels": [channel]}))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"channels": [{"console": {}}, {"console": {}}]},
            "two channels are called 'console'; give one",
        ),
        ({"reactions": {"concpet": ["propose"]}}, "no monitor has the verdict 'concpet', did you mean 'concept'?"),
        (
            {"reactions": {"concept": ["panic"]}},
            "should be 'propose', 'rollback', 'shadow', 'queue_labels'",
        ),
        ({"retrain": {"overrides": ["hydra.run.dir=/"]}}, "expected a key and its value"),
        ({"retrain": {"overrides": ["--config-dir=/"]}}, "expected a key and its value"),
        ({"retrain": {"recipe": "../x"}}, "should match pattern"),
        ({"cooldown_hours": 0}, "should be greater than 0"),
    ],
)
def test_other_mistakes_are_explained(values, told):
    assert any(told in each for each in mistakes(values))


def mistakes(values: dict) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        AlertingRecipe.model_validate(values)
    return [each.message for each in explain(caught.value, AlertingRecipe)]


def test_the_verdicts_are_those_of_the_monitor():
    assert {*VERDICTS, verdict.NONE} == {*verdict.CAUSES}
    assert {*SEVERITIES} == {*verdict.SEVERITY.values()}


def test_what_is_not_said_is_gentle():
    told = AlertingRecipe()
    assert told.titles("ticket") == told.titles("page") == ("console",)
    assert told.reactions_to("concept") == ("propose",)
    assert settings({"console": {}}, reactions={"concept": []}).reactions_to("concept") == ()
    inside = settings({"webhook": {"url": "http://10.0.0.7:9093/alerts"}})
    assert inside.channels[0].webhook.url == "http://10.0.0.7:9093/alerts"
