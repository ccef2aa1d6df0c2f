"""What was raised arrives: at least once by each channel, whoever dies and whatever is down meanwhile."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import signal
import socket
import threading
import time
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.alerts.found import CONCEPT, MODEL, TICKET, Clock, settings
from tests.alerts.receivers import Mailbox, Receiver, running
from totalml.alerts import channel as channel_module
from totalml.alerts import delivery as delivery_module
from totalml.alerts.alert import CLAIMED, DELIVERED
from totalml.alerts.alerts import Alerts
from totalml.alerts.channel import deliver
from totalml.alerts.delivery import Delivery, send_outstanding
from totalml.alerts.webhook import signature
from totalml.errors import StoreError
from totalml.project import Place
from totalml.recipe.alerting import AlertingRecipe
from totalml.store import Store

SECRET = "TOTALML_HOOK_SECRET"


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path, tmp_path / "runs", tmp_path / "store")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hook(receiver: Receiver, **more: str) -> AlertingRecipe:
    return settings({"webhook": {"url": receiver.url, **more}})


def sent(alerts: Alerts, place: Place) -> list[tuple[str, str | None]]:
    return [each for channel in alerts.settings.channels for each in send_outstanding(alerts, channel, place)]


def kinds(store: Store, kind: str) -> int:
    return sum(event.kind == kind for event in store.journal(f"{MODEL}.alerts").events())


def test_a_receiver_that_was_down_gets_it_once_it_is_up_and_once(place, clock):
    store = place.open_store()
    with running(Receiver(500, 500, 200)) as receiver:
        alerts = Alerts(store, MODEL, hook(receiver), clock)
        alert = alerts.raise_alert(CONCEPT)
        waits = []
        while not receiver.taken:
            for id_, problem in sent(alerts, place):
                assert (id_, bool(problem)) == (alert.id, not receiver.taken)
                waits.append(clock())
            clock.go(seconds=5)
        assert sent(alerts, place) == []
    gaps = [(later - before).total_seconds() for before, later in pairwise(waits)]
    assert gaps == [30, 60]  # the pause doubles
    assert (len(receiver.taken), kinds(store, DELIVERED), kinds(store, CLAIMED)) == (1, 1, 3)


def test_a_machine_whose_clock_goes_ahead_holds_nothing_up(place, clock):
    alerts, ahead = (Alerts(place.open_store(), MODEL, settings({"console": {}}), each) for each in (clock, Clock()))
    ahead._clock.go(days=365)
    alert = alerts.raise_alert(CONCEPT)
    assert ahead.claim(alert.id, "console")
    assert alerts.claim(alert.id, "console")
    assert not alerts.claim(alert.id, "console")


def test_nobody_listens_and_the_next_process_goes_on(place, clock):
    with running(Receiver(200)) as receiver:
        down = hook(receiver)
        alerts = Alerts(place.open_store(), MODEL, down, clock)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = settings({"webhook": {"url": f"http://127.0.0.1:{closed.getsockname()[1]}/"}})
            alerts.settings = nobody
            alert = alerts.raise_alert(CONCEPT)
            ((_, problem),) = sent(alerts, place)
        assert "refused" in problem.lower()
        clock.go(hours=1)
        # The mended address counts, of what was raised before too.
        later = Alerts(place.open_store(), MODEL, down, clock)
        assert sent(later, place) == [(alert.id, None)]
        assert len(receiver.taken) == 1


def test_only_the_last_notice_is_sent_and_only_where_its_severity_is_taken(place, clock):
    grave = {"jsonl": {"file": "logs/page.jsonl"}, "name": "grave", "at_least": "page"}
    alerts = Alerts(place.open_store(), MODEL, settings({"jsonl": {"file": "all.jsonl"}}, grave), clock)
    alert = alerts.raise_alert(TICKET)
    assert sent(alerts, place) == [(alert.id, None)]
    alerts.update(alert.id, CONCEPT)
    alerts.resolve(alert.id, "rolled back")
    assert sent(alerts, place) == [(alert.id, None)] * 2
    everything, pages = (
        [json.loads(line) for line in (place.project / name).read_text().splitlines()]
        for name in ("all.jsonl", "logs/page.jsonl")
    )
    seen = [(each["event"], each["verdict"]) for each in everything]
    assert seen == [("raised", "new covariate"), ("resolved", "concept")]
    assert [(each["state"], each["why"]) for each in pages] == [("resolved", "rolled back")]


def test_a_webhook_is_signed_and_tells_all(place, clock, monkeypatch):
    monkeypatch.setenv(SECRET, "whsec_" + base64.b64encode(b"key").decode())
    with running(Receiver(200)) as receiver:
        alerts = Alerts(place.open_store(), MODEL, hook(receiver, secret_variable=SECRET), clock)
        alert = alerts.raise_alert(CONCEPT)
        assert sent(alerts, place) == [(alert.id, None)]
    ((headers, body),) = receiver.taken
    signed = hmac.new(
        b"key", f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body, hashlib.sha256
    )
    assert headers["webhook-signature"] == "v1," + base64.b64encode(signed.digest()).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    told = json.loads(body)
    assert told | alert.as_json() == told
    assert CONCEPT.sentence in told["text"]
    assert signature("as it is", "m", "1", b"") == signature("whsec_YXMgaXQgaXM=", "m", "1", b"")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_what_is_meant_for_one_receiver_goes_to_no_other(place, clock, status):
    with running(Receiver(200)) as other, running(Receiver(status)) as receiver:
        receiver.location = other.url
        alerts = Alerts(place.open_store(), MODEL, hook(receiver), clock)
        alerts.raise_alert(CONCEPT)
        ((_, problem),) = sent(alerts, place)
    assert (f"answered {status}" in problem, "is not followed" in problem, other.taken) == (True, True, [])


def test_a_secret_that_is_not_set_is_named(place, clock, monkeypatch):
    monkeypatch.delenv(SECRET, raising=False)
    with running(Receiver(200)) as receiver:
        alerts = Alerts(place.open_store(), MODEL, hook(receiver, secret_variable=SECRET), clock)
        alerts.raise_alert(CONCEPT)
        assert sent(alerts, place) == [("pints-1", f"set the environment variable {SECRET}, which holds its secret")]
    assert receiver.taken == []


def mailed(box: Mailbox, **more: object) -> AlertingRecipe:
    told = {"to": ["ops@example.org", "ann@example.org"], "sender": "pub@example.org", "host": "127.0.0.1"}
    return settings({"email": {**told, "port": box.port, "tls": "plain", **more}})


def test_a_letter_says_it_and_no_text_of_an_alert_becomes_a_header(place, clock):
    hostile = replace(
        CONCEPT, what="x\r\nBcc: eve@example.org\r\n\r\nbody", sentence="Föhn\n.\r\nQUIT\r\n" + 9000 * "y"
    )
    with running(Mailbox()) as box:
        alerts = Alerts(place.open_store(), MODEL, mailed(box), clock)
        alert = alerts.raise_alert(hostile)
        assert sent(alerts, place) == [(alert.id, None)]
    (letter,) = (email.message_from_bytes(each, policy=email.policy.default) for each in box.letters)
    assert letter["To"] == "ops@example.org, ann@example.org"
    assert (letter["Bcc"], letter.defects) == (None, [])
    assert letter["Subject"] == "[page] pints: concept (x Bcc: eve@example.org body), pints-1"
    assert letter["Message-ID"] == f"<{alert.mark}@example.org>"
    assert "Föhn . QUIT yyy" in letter.get_content()
    since = "since 2026-11-27T18:00 UTC (between 2026-11-27T17:00 UTC and 2026-11-27T19:00 UTC)"
    assert since in letter.get_content()
    assert "shown by 2 requests, such as request 1, request 2" in letter.get_content()


def test_an_address_that_is_refused_is_told(place, clock):
    with running(Mailbox(refuses="ann@")) as box:
        alerts = Alerts(place.open_store(), MODEL, mailed(box), clock)
        alerts.raise_alert(CONCEPT)
        ((_, problem),) = sent(alerts, place)
    assert problem == "127.0.0.1 did not take it for ann@example.org"


def test_a_server_that_knows_no_starttls_gets_nothing(place, clock):
    with running(Mailbox()) as box:
        alerts = Alerts(place.open_store(), MODEL, mailed(box, tls="starttls"), clock)
        alerts.raise_alert(CONCEPT)
        ((_, problem),) = sent(alerts, place)
    assert ("STARTTLS" in problem, box.letters) == (True, [])


def die_before_it_is_kept(place: Place, told: AlertingRecipe) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Alerts.delivered = die  # type: ignore[method-assign]
    alerts = Alerts(place.open_store(), MODEL, told)
    alerts.raise_alert(CONCEPT)
    sent(alerts, place)


def test_killed_between_sending_and_keeping_it_is_sent_again_with_the_same_mark(place, clock):
    with running(Receiver(200)) as receiver:
        told = hook(receiver)
        process = get_context("spawn").Process(target=die_before_it_is_kept, args=(place, told))
        process.start()
        process.join(60)
        assert (process.exitcode, len(receiver.taken)) == (-signal.SIGKILL, 1)
        now = Alerts(place.open_store(), MODEL, told)
        assert sent(now, place) == []  # as far as anybody knows the other one is still at it
        clock.now = now.find("pints-1").raised
        clock.go(minutes=1)
        assert sent(Alerts(place.open_store(), MODEL, told, clock), place) == [("pints-1", None)]
    first, second = (headers for headers, _ in receiver.taken)
    assert first["webhook-id"] == second["webhook-id"] == first["idempotency-key"]
    assert kinds(place.open_store(), DELIVERED) == 1


def test_a_line_that_a_killed_process_left_half_spoils_no_other(place, clock):
    (place.project / "a.jsonl").write_bytes(b'{"half')
    alerts = Alerts(place.open_store(), MODEL, settings({"jsonl": {"file": "a.jsonl"}}), clock)
    alerts.raise_alert(CONCEPT)
    assert sent(alerts, place) == [("pints-1", None)]
    half, whole = (place.project / "a.jsonl").read_text().splitlines()
    assert (half, json.loads(whole)["id"]) == ('{"half', "pints-1")


def test_no_link_leads_a_file_out_of_the_project(place, clock, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "out").symlink_to(tmp_path)
    alerts = Alerts(place.open_store(), MODEL, settings({"jsonl": {"file": "out/a.jsonl"}}), clock)
    alerts.raise_alert(CONCEPT)
    ((_, problem),) = sent(alerts, replace(place, project=project))
    assert "out/a.jsonl leads out of the project" in problem
    assert not (tmp_path / "a.jsonl").exists()


def test_who_does_not_answer_is_given_up(place, clock, monkeypatch):
    monkeypatch.setattr(channel_module, "WITHIN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        told = settings({"webhook": {"url": f"http://127.0.0.1:{port}/"}})
        alert = Alerts(place.open_store(), MODEL, told, clock).raise_alert(CONCEPT)
        assert deliver(told.channels[0], alert, place) == "no answer within 0.3 s"


def until(met) -> None:
    due = time.monotonic() + 120
    while not met():
        assert time.monotonic() < due
        time.sleep(0.02)


def test_several_processes_deliver_by_threads_and_each_notice_arrives_once(place, monkeypatch):
    monkeypatch.setattr(delivery_module, "EVERY_S", 0.05)
    with running(Receiver(200)) as receiver:
        told, said = hook(receiver), []
        several = [Delivery(place.open_store(), MODEL, told, place, said.append) for _ in range(3)]
        for each in several:
            each.start()
        alerts = Alerts(place.open_store(), MODEL, told)
        for number in range(5):
            alerts.raise_alert(replace(CONCEPT, what=f"slice {number}"))
        until(lambda: not alerts.outstanding("webhook"))
        for each in several:
            each.stop()
    assert sorted(json.loads(body)["id"] for _, body in receiver.taken) == sorted(each.id for each in alerts.all())
    assert (sum(each.delivered["webhook"] for each in several), said) == (5, [])


def test_a_channel_that_fails_is_told_once_and_keeps_no_other_waiting(place, monkeypatch):
    monkeypatch.setattr(delivery_module, "EVERY_S", 0.02)
    with running(Receiver(503)) as receiver:
        told = settings({"webhook": {"url": receiver.url}}, {"jsonl": {"file": "a.jsonl"}})
        said: list[str] = []
        delivery = Delivery(place.open_store(), MODEL, told, place, said.append)
        alerts = Alerts(place.open_store(), MODEL, told)
        for number in range(3):
            alerts.raise_alert(replace(CONCEPT, what=f"slice {number}"))
        delivery.start()
        until(lambda: delivery.failed["webhook"] == 3 and delivery.delivered["jsonl"] == 3)
        delivery.stop()
    assert len(said) == 1
    assert "pints: alerts do not arrive by webhook: the receiver answered 503" in said[0]
    assert "they are kept" in said[0]


def test_a_store_that_cannot_be_read_ends_no_thread(place, monkeypatch):
    monkeypatch.setattr(delivery_module, "EVERY_S", 0.02)
    told, said = settings({"jsonl": {"file": "a.jsonl"}}), []
    alerts = Alerts(place.open_store(), MODEL, told)
    outstanding, broken = Alerts.outstanding, threading.Event()

    def refuse(self: Alerts, channel: str) -> list:
        if not broken.is_set():
            raise StoreError("the disk is away")
        return outstanding(self, channel)

    monkeypatch.setattr(Alerts, "outstanding", refuse)
    delivery = Delivery(place.open_store(), MODEL, told, place, said.append)
    delivery.start()
    until(lambda: said)
    broken.set()
    alerts.raise_alert(CONCEPT)
    until(lambda: (Path(place.project) / "a.jsonl").exists() and len(said) == 2)
    delivery.stop()
    assert ("the disk is away" in said[0], said[1]) == (True, "pints: alerts arrive by jsonl again")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what apprise imports
def test_apprise_is_asked_by_its_url(place, clock, monkeypatch):
    pytest.importorskip("apprise")
    with running(Receiver(200)) as receiver:
        monkeypatch.setenv("TOTALML_APPRISE", receiver.url.replace("http://", "json://"))
        told = settings({"apprise": {"url_variable": "TOTALML_APPRISE"}})
        alerts = Alerts(place.open_store(), MODEL, told, clock)
        alert = alerts.raise_alert(CONCEPT)
        assert sent(alerts, place) == [(alert.id, None)]
    ((_, body),) = receiver.taken
    assert CONCEPT.sentence in json.loads(body)["message"]
