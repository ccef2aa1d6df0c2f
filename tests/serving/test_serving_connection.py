"""Whatever bytes a client sends, it gets an answer or a reason in JSON, and the next one is not harmed."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests.serving.serving import picture, serving
from totalml.serving import connection

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ASKING = CHUNKED.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
LONG = b"a" * (connection.HEAD_BYTES + 1)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("store"), logs=True) as running:
        yield running


def told(port: int, *parts: bytes) -> list[tuple[int, str]]:
    """Status and reason of each answer, until the service closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, client.makefile("rb") as answers:
        for part in parts:
            client.sendall(part)
            if part is ASKING:
                assert answers.readline() + answers.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        return [*iter(lambda: answer_in(answers), None)]


def answer_in(file) -> tuple[int, str] | None:
    if not (status := file.readline()):
        return None
    head = dict(line.lower().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
    return int(status.split()[1]), json.loads(file.read(int(head[b"content-length"]))).get("error", "")


@pytest.mark.parametrize(
    ("parts", "status", "reason"),
    [
        ([b"hello\r\n\r\n"], 400, "no HTTP/1.1 request"),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 400, "no HTTP/1.1 request"),
        ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], 400, "no HTTP/1.1 request"),
        ([b"BREW /predict HTTP/1.1\r\nHost: a\r\n\r\n"], 501, "no method of this name"),
        ([b"post /predict HTTP/1.1\r\nHost: a\r\n\r\n"], 501, "no method of this name"),
        ([b"BREW coffee\r\n\r\n"], 400, "no HTTP/1.1 request"),
        ([b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"], 400, "no HTTP/1.1 request"),
        (["GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".encode()], 400, "no HTTP/1.1 request"),
        ([POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"], 400, "no HTTP/1.1 request"),
        ([POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], 400, "no HTTP/1.1 request"),
        ([POST + b"Content-Length: -5\r\n\r\nabcde"], 400, "no HTTP/1.1 request"),
        ([GET + b"X: " + LONG + b"\r\n\r\n"], 431, "longer than 65,536 bytes"),
        ([GET + b"X: " + LONG * 200 + b"\r\n\r\n"], 431, "longer than 65,536 bytes"),
        ([GET + b"X: 1\r\n" * 10_950 + b"\r\n"], 431, "longer than 65,536 bytes"),
        ([GET, b"X: ", LONG], 431, "longer than 65,536 bytes"),
        ([ASKING, b"1;" + LONG], 431, "longer than 65,536 bytes"),
    ],
)
def test_what_is_no_request_gets_a_reason_and_harms_nobody(photos, parts, status, reason):
    ((code, error),) = told(photos.port, *parts)
    assert (code, reason in error) == (status, True)
    assert photos.ask(picture()).status_code == 200


def test_another_path_is_no_way_to_an_address_that_a_caller_names(photos):
    answer = photos.client.post("/predict/", headers={"Host": "elsewhere.example"}, content=picture())
    assert (answer.status_code, "POST /predict" in answer.json()["error"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"rows": [{"k" * 100_000: 1}]}),
        ("/predict", {"rows": [{f"k{number}": 1 for number in range(9_000)}]}),
        ("/feedback", {"labels": [{f"k{number}": 1 for number in range(9_000)}]}),
        (
            "/v2/models/pints/infer",
            {"inputs": [{"name": "k" * 100_000, "datatype": "FP64", "shape": [1], "data": [1]}]},
        ),
    ],
)
def test_a_reason_is_short_however_much_is_wrong(labelled, path, body):
    answer = labelled.client.post(path, json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 2_000


def test_requests_sent_ahead_are_answered_in_their_order(photos):
    close = b"Connection: close\r\n\r\n"
    ahead = [
        GET + b"\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
        POST + b"Content-Length: 1\r\n\r\n?",
        GET + close,
    ]
    assert [status for status, _ in told(photos.port, b"".join(ahead))] == [200, 404, 422, 200]


def test_whoever_sends_too_many_ahead_is_refused(photos):
    answers = told(photos.port, (GET + b"\r\n") * (connection.AHEAD + 2))
    assert (answers[-1][0], "wait for an answer" in answers[-1][1]) == (400, True)


def test_a_body_may_come_in_more_pieces_than_a_head_has_bytes(photos):
    """What stands around each counts for itself."""
    image = picture()
    body = b"".join(b"1;%s\r\n%c\r\n" % (b"x" * 1_000, byte) for byte in image) + b"0\r\n\r\n"
    assert len(body) > connection.HEAD_BYTES
    ((status, _),) = told(photos.port, CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), body)
    assert status == 200


@pytest.mark.parametrize(
    "before", [b"", b"GET /predict HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["at once", "after an answer"]
)
@pytest.mark.parametrize("byte", [b"", b"G"], ids=["silent", "slow"])
def test_a_connection_that_brings_no_request_is_closed(tmp_path, monkeypatch, before, byte):
    monkeypatch.setattr("totalml.serving.connection.HEAD_S", 0.4)
    monkeypatch.setattr("totalml.serving.server.KEEP_ALIVE_S", 0.4)
    with serving(tmp_path) as running, socket.create_connection(("127.0.0.1", running.port), timeout=0.05) as client:
        client.sendall(before)
        due = time.monotonic() + 8
        closed = False
        while not closed and time.monotonic() < due:
            try:
                client.sendall(byte)
                closed = not client.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
        assert closed
        assert running.ask(picture()).status_code == 200
