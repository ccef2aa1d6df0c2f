"""From traffic with a new glass to an alert, labels that say the model errs on it, and the release before back again.

By a service over HTTP, a receiver of webhooks, and the commands that the alert names.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.receivers import Receiver
from tests.alerts.receivers import running as receiving
from tests.monitoring.glass import MODEL, NEW_GLASS, deployed, photos, pints, watched_release
from tests.release.registered import at_home
from tests.serving.serving import Running, promote, running
from tests.serving.test_serving_swap import until
from totalml.alerts.alerts import Alerts
from totalml.alerts.review import queued
from totalml.cli import main
from totalml.monitoring import watch
from totalml.monitoring.history import History
from totalml.monitoring.traffic import SOON
from totalml.monitoring.verdict import CONCEPT, NONE, UNKNOWN
from totalml.prediction_log.reader import LogReader
from totalml.project import Place
from totalml.registry import Aliases
from totalml.release.log_rows import input_hash
from totalml.serving import server, watching
from totalml.serving.address import Address
from totalml.serving.followed import follow
from totalml.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    at_home(monkeypatch)
    # The log of a service in this process has what was answered within a second or two.
    monkeypatch.setattr(watch, "SETTLES", timedelta(seconds=2.5))
    monkeypatch.setattr(watching, "EVERY_S", 0.5)
    return Store(tmp_path / "store")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving(Receiver(200)) as receiver:
        yield receiver


class Pub:
    """Guests, and a person who tastes."""

    def __init__(self, asked: Running) -> None:
        self.asked, self.sent = asked, dict[str, bytes]()

    def serve(self, pictures: Sequence[bytes]) -> set[str]:
        """The releases that answered."""
        releases = set()
        for picture in pictures:
            request = f"order-{len(self.sent)}"
            answer = self.asked.ask(picture, headers={"X-Request-ID": request})
            assert answer.status_code == 200
            releases.add(answer.json()["release"])
            self.sent[request] = picture
        return releases

    def label(self, requests: Sequence[str], said: str) -> None:
        labels = [{"request_id": each, "label": said} for each in requests]
        assert self.asked.client.post("/feedback", json={"labels": labels}).json()["kept"] == len(labels)


@contextmanager
def open_pub(file: Path, store: Store) -> Iterator[Pub]:
    """As `totalml serve` makes a service of a deployment."""
    followed = replace(follow(str(file), store, logs=True), place=Place(file.parent, file.parent / "runs", store.root))
    with running(server._service(followed, store, Address("127.0.0.1", 0, 1))) as asked:
        yield Pub(asked)


def told(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in hook.taken]


def verbs(capsys: pytest.CaptureFixture[str], store: Store, *words: str) -> str:
    capsys.readouterr()
    assert main([*words, f"--store={store.root}"]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_a_new_glass_is_told_labelled_found_to_be_wrong_and_undone_by_the_command_that_is_proposed(
    store, hook, tmp_path, capsys, monkeypatch
):
    old, new = watched_release(store, 0.95), watched_release(store)
    promote(store, old)
    promote(store, new)
    queue_and_propose = ["queue_labels", "propose"]
    file = deployed(
        tmp_path,
        store,
        channels=[{"webhook": {"url": hook.url}}],
        reactions={"unknown": queue_and_propose, "new covariate": queue_and_propose, "concept": ["propose"]},
    )
    history = History(store, MODEL)
    with open_pub(file, store) as pub:
        assert pub.serve(photos(pints(120))) == {new.hash}
        until(history.looked)
        assert [(each.verdict.cause, each.rows) for each in history.looked()] == [(NONE, 100)]
        assert not hook.taken

        glasses = photos(pints(40, NEW_GLASS))
        with (
            monkeypatch.context() as unseen
        ):  # or a slow machine shows the monitor a few of them, and it alarms at once
            unseen.setattr(watch, "SOON", timedelta(hours=1))
            pub.serve(glasses)
            sent = datetime.now(UTC)
            until(lambda: LogReader(store, MODEL).read(["request_id"]).num_rows == len(pub.sent))
            until(lambda: datetime.now(UTC) - sent > SOON)
        until(lambda: hook.taken)
        first = told(hook)[0]
        assert (first["verdict"], first["severity"], first["release"]) == (UNKNOWN, "ticket", new.hash)

        until(lambda: queued(store, MODEL).num_rows)
        queue = queued(store, MODEL).to_pylist()
        hashes = {input_hash(picture, {}): request for request, picture in pub.sent.items()}
        assert all(hashes[row["input"]] == row["request_id"] for row in queue)
        assert all(row["picture"] for row in queue)
        shown = {input_hash(picture, {}) for picture in glasses}
        assert all(row["input"] in shown for row in queue[:8])  # those that show it, first

        pub.label([row["request_id"] for row in queue], "dark")
        until(lambda: told(hook)[-1]["verdict"] == CONCEPT)
        until(lambda: CONCEPT in [each["verdict"] for each in told(hook)[-1]["reactions"]])
        last = told(hook)[-1]
        assert (last["id"], last["severity"]) == (first["id"], "page")
        proposed = next(each for each in last["reactions"] if each["verdict"] == CONCEPT)
        assert proposed["outcome"] == "proposed"

        command = re.search(r"totalml (rollback .*?); or train", proposed["sentence"])
        assert "back to release" in verbs(capsys, store, *shlex.split(command[1]))
        until(lambda: pub.serve(photos(pints(1))) == {old.hash})
    assert [each.id for each in Alerts(store, MODEL).all()] == [first["id"]]
    assert f"{first['id']} " in verbs(capsys, store, "alerts", "list", MODEL)
    assert f"alert {first['id']}: concept" in verbs(capsys, store, "registry", "history", MODEL)
    page = tmp_path / "page.html"
    verbs(capsys, store, "monitor", "report", MODEL, f"--out={page}")
    assert first["id"] in page.read_text()


@pytest.mark.slow
def test_a_release_that_errs_is_rolled_back_without_a_person_and_the_next_one_within_the_cooldown_is_not(
    store, tmp_path, capsys
):
    old, new, newer = (watched_release(store, share) for share in (0.95, 1.0, 0.97))
    promote(store, old)
    promote(store, new)
    file = deployed(tmp_path, store, reactions={"concept": ["rollback"]})
    alerts, glasses = Alerts(store, MODEL), photos(pints(30, NEW_GLASS))

    def rolled_back() -> list[str]:
        """What came of it, of the latest alert."""
        last = alerts.all()[-1:]
        return [each.sentence for alert in last for each in alert.reactions if each.reaction == "rollback"]

    with open_pub(file, store) as pub:
        assert pub.serve(glasses) == {new.hash}
        pub.label([*pub.sent], "dark")
        until(rolled_back)
        until(lambda: pub.serve(glasses[:1]) == {old.hash})
        (alert,) = alerts.all()
        standing = Aliases(store, MODEL).standing("production")
        assert (standing.release, standing.how) == (old.hash, "rolled back")
        assert standing.why == f"alert {alert.id}: {alert.finding.sentence}"

        verbs(capsys, store, "alerts", "resolve", alert.id, "--why", "the old one knows it")
        promote(store, newer)
        until(lambda: pub.serve(glasses[:1]) == {newer.hash})
        before = len(pub.sent)
        pub.serve(glasses)
        pub.label([*pub.sent][before:], "dark")
        until(lambda: len(alerts.all()) == 2 and rolled_back())
        assert "by an alert at" in rolled_back()[0]
        assert pub.serve(glasses[:1]) == {newer.hash}
    assert Aliases(store, MODEL).standing("production").release == newer.hash
