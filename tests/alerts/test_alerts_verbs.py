"""What a person does about alerts at a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.alerts.found import CONCEPT, MODEL, TICKET, settings
from tests.alerts.receivers import Receiver, running
from totalml.alerts.alerts import Alerts
from totalml.alerts.read import read_alerting
from totalml.cli import main
from totalml.errors import RecipeError
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def tell(store, tmp_path, monkeypatch, capsys):
    """What a verb says, and its exit code."""
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def tell(*words: str) -> tuple[int, str]:
        code = main(["alerts", *words, f"--store={store.root}"])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return code, told.out + told.err

    return tell


def file_of(folder: Path, channels: str) -> str:
    file = folder / "pub.yaml"
    file.write_text(f"model: {MODEL}\nmonitoring:\n  alerts:\n    channels: {channels}\n")
    return str(file)


def test_an_alert_is_listed_taken_and_resolved(store, tell):
    alerts = Alerts(store, MODEL, settings({"webhook": {"url": "http://127.0.0.1:1/"}}))
    page, ticket = alerts.raise_alert(CONCEPT), alerts.raise_alert(TICKET)
    head, first, second = tell("list")[1].splitlines()
    assert first.split()[:4] == [page.id, "raised", "page", "concept"]
    assert "webhook" in second
    assert head.startswith("id")
    assert tell("ack", page.id, "--why", "I look") == (0, f"{page.id} is acknowledged by {alerts.find(page.id).who}\n")
    assert tell("ack", page.id, "--why", "I too") == (0, f"{page.id} is acknowledged already\n")
    assert tell("resolve", page.id, "--why", "over") == (0, f"{page.id} is resolved\n")
    assert tell("resolve", page.id, "--why", "over") == (0, f"{page.id} is resolved already\n")
    assert [each["id"] for each in json.loads(tell("list", MODEL, "--json")[1])] == [ticket.id]
    code, told = tell("list", MODEL, "--all", "--json")
    assert (code, json.loads(told)) == (0, [each.as_json() for each in alerts.all()])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("list",), 0, "no alert is open; --all lists those before"),
        (("list", "--all"), 0, "no alert was ever raised"),
        (("list", "pint"), 2, "no model 'pint' is registered"),
        (("list", "../x"), 2, "'../x' is no model's name"),
        (("ack", "pints-9", "--why", "x"), 2, "pints has no alert 'pints-9'; there is none yet"),
        (("ack", "pints-9", "--why", " "), 2, "--why is empty"),
        (("resolve", "../../x-1", "--why", "x"), 2, "is no alert's id such as guinness-12"),
        (("send", "nothing.yaml"), 2, "there is no file nothing.yaml"),
        (("ack",), 2, "required: ID, --why"),
    ],
)
def test_a_wrong_word_is_explained(tell, words, code, told):
    found = tell(*words)
    assert (found[0], told in found[1]) == (code, True), found


def test_what_waits_is_sent_or_told(store, tell, tmp_path):
    with running(Receiver(503, 200)) as receiver:
        file = file_of(tmp_path, f"[{{webhook: {{url: '{receiver.url}'}}}}]")
        assert tell("send", file) == (0, f"no alert of {MODEL} waits to be delivered\n")
        Alerts(store, MODEL, read_alerting(Path(file), file)[1]).raise_alert(CONCEPT)
        code, told = tell("send", file)
        assert (code, "0 arrived, 1 did not; they are kept" in told, "answered 503" in told) == (1, True, True)
        code, told = tell("send", file)
        assert (code, "pints-1 by webhook: it was tried just now" in told) == (1, True)
    assert receiver.taken == []


def test_a_trial_says_by_which_channels_it_arrived(store, tell, tmp_path):
    with running(Receiver(200)) as receiver:
        file = file_of(tmp_path, f"[{{webhook: {{url: '{receiver.url}'}}}}, {{wandb: {{}}}}, {{console: {{}}}}]")
        code, told = tell("test", file)
    assert code == 1
    assert "webhook: arrived\nconsole: arrived\n" in told
    assert "wandb: an alert of no release has no run" in told
    assert json.loads(receiver.taken[0][1])["sentence"].startswith("This is a trial")
    assert not store.journals()


def test_every_mistake_is_told_with_its_line(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(
        "model: pints\nalerts:\n  channels:\n    - {jsonl: {file: /x}}\n    - {console: {}, at_least: '${x}'}\n"
    )
    with pytest.raises(RecipeError) as caught:
        read_alerting(file, "x.yaml")
    assert caught.value.mistakes == ("x.yaml:5: an interpolation; write the value itself",)
    file.write_text("model: pints\nalerts:\n  channels:\n    - {jsonl: {file: /x}}\n    - {pager: {}}\n")
    with pytest.raises(RecipeError) as caught:
        read_alerting(file, "x.yaml")
    told = sorted(caught.value.mistakes)
    assert told[0].startswith("x.yaml:4: alerts.channels[0].jsonl.file: expected a file below the project")
    assert told[1].startswith("x.yaml:5: unknown key 'alerts.channels[1].pager'")
    file.write_text("question: what?\n")
    with pytest.raises(RecipeError, match=r"x.yaml:1: it says nothing of alerts.*\n.*x.yaml:1: say which model"):
        read_alerting(file, "x.yaml")


def test_a_recipe_says_it_beside_much_else(tmp_path):
    file = tmp_path / "pints.yaml"
    text = "name: pints\nmodel: {image: {size: '${features.image.size}'}}\nmonitoring: {alerts: {cooldown_hours: 1}}\n"
    file.write_text(text)
    model, told = read_alerting(file, "pints.yaml")
    assert (model, told.cooldown_hours) == ("pints", 1.0)


def test_what_is_to_follow_is_done_once_or_only_said(store, tell, tmp_path):
    file = file_of(tmp_path, "[{console: {}}]")
    Alerts(store, MODEL).raise_alert(CONCEPT)
    for words in (("--dry-run",), ()):
        code, told = tell("react", file, *words)
        assert (code, "pints-1: propose, proposed: train with newer labels: python run.py" in told) == (0, True)
    assert tell("react", file) == (0, f"nothing is to follow from an open alert of {MODEL}\n")
