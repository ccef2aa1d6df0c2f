"""Labels are in the store before the caller is told so; what cannot be one gets every reason, and nothing is kept."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from tests.serving.serving import PICTURE, TABLE, picture, promote, release, serving
from totalml.errors import StoreError
from totalml.labels import Labels, joined, truth_of
from totalml.labels.labels import Segments
from totalml.serving import feedback
from totalml.store import Store

PRICES = replace(TABLE, task="regression", targets=("price", "area"), answers={})
TAGS = replace(TABLE, task="multilabel", targets=("thin", "tall"), answers={})


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("store"), token="secret", logs=True) as running:
        running.client.headers["Authorization"] = "Bearer secret"
        yield running


def send(running, *labels, **more):
    return running.client.post("/feedback", json={"labels": list(labels)}, **more)


def kept(folder, signature=PICTURE):
    return Labels(Store(folder), "pints", truth_of(signature)).read()


def test_labels_that_were_kept_are_counted(running):
    def counted() -> float:
        told = running.client.get("/metrics").text
        return float(re.search(r"^totalml_labels_total (\S+)", told, re.MULTILINE)[1])

    before = counted()
    assert send(running, *({"request_id": f"counted {n}", "label": "dark"} for n in range(3))).status_code == 200
    assert send(running, {"request_id": "counted", "label": "neither"}).status_code == 422
    assert counted() == before + 3


def test_labels_join_the_answers_that_they_are_of(tmp_path):
    with serving(tmp_path, logs=True) as running:
        files = [("a", (f"{grey}.png", picture(grey), "image/png")) for grey in (0, 255)]
        several = running.client.post("/predict", files=files).json()["request_id"]
        running.ask(picture(255), headers={"X-Request-ID": "one"})
        running.ask(picture(255), headers={"X-Request-ID": "nobody looked at"})
        answer = send(
            running,
            {"request_id": several, "id": "0.png", "label": "light"},
            {"request_id": several, "id": "255.png", "label": "light"},
            {"request_id": "one", "label": "dark"},
        )
        assert (answer.status_code, answer.json()["kept"]) == (200, 3)
        assert kept(tmp_path).num_rows == 3  # at once, not when the service ends
    (segment,) = tmp_path.glob("predictions/pints/*/*.parquet")
    found = joined(pq.ParquetFile(segment).read(), kept(tmp_path), truth_of(PICTURE)).to_pylist()
    assert {(row["request_id"], row["id"]): row["wrong"] for row in found} == {
        (several, "0.png"): True,
        (several, "255.png"): False,
        ("one", "picture"): True,
    }


@pytest.mark.parametrize(
    ("signature", "label", "value", "wrong", "told"),
    [
        (PRICES, {"price": 3, "area": 4}, [3.0, 4.0], {"aera": 4}, "did you mean 'area'?"),
        (TAGS, ["tall"], [["tall"]], "tall", "wants a list"),
    ],
)
def test_a_label_is_held_against_the_release_that_answers(tmp_path, signature, label, value, wrong, told):
    store = Store(tmp_path)
    with serving(tmp_path, release(store, 0.5, signature), logs=True) as running:
        assert send(running, {"request_id": "r", "label": label}).status_code == 200
        refused = send(running, {"request_id": "r", "label": wrong})
        assert refused.status_code == 422
        assert told in refused.text
        promote(store, release(store, 0.25, PICTURE))
        running.service.live.look()
        assert send(running, {"request_id": "s", "label": label}).status_code == 422
        assert send(running, {"request_id": "s", "label": "dark"}).status_code == 200
    (row,) = kept(tmp_path, signature).to_pylist()
    assert [each for name, each in row.items() if name.startswith("label:")] == value
    assert kept(tmp_path)["request_id"].to_pylist() == ["s"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"labels": [{"request_id": "r", "label": "drak"}, {"label": "dark"}]}, 422, "did you mean 'dark'?"),
        ({"labels": [{"request_id": "r", "label": "drak"}, {"label": "dark"}]}, 422, "label 2: request_id is missing"),
        ({"labels": [{"request_id": "r", "label": "dark"}, 3]}, 422, "expected {"),
        ({"labels": []}, 422, "expected {"),
        ([], 422, "expected {"),
        ({"labels": [{"request_id": "r", "label": "dark"}] * 1001}, 413, "1,001 labels in one request; at most 1,000"),
        ({"labels": [{"request_id": "r" * 2**20, "label": "dark"}]}, 413, "longer than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_kept_gets_every_reason(running, body, status, told):
    answer = running.client.post("/feedback", json=body)
    assert answer.status_code == status
    assert told in answer.json()["error"]


def test_other_ways_to_fail_are_those_of_the_other_routes(running):
    label = {"request_id": "r", "label": "dark"}
    assert send(running, label, headers={"Authorization": "Bearer guess"}).status_code == 401
    form = running.client.post("/feedback", data={"request_id": "r"})
    assert (form.status_code, "give application/json" in form.json()["error"]) == (415, True)
    json = {"Content-Type": "application/json"}
    assert running.client.post("/feedback", content=b'{"labels', headers=json).status_code == 400
    assert running.client.get("/feedback").status_code == 405


def test_without_a_log_there_is_nothing_to_label(tmp_path):
    with serving(tmp_path) as running:
        answer = send(running, {"request_id": "r", "label": "dark"})
    assert (answer.status_code, "--no-log" in answer.json()["error"]) == (404, True)


def test_no_caller_is_told_that_a_label_is_kept_which_is_not(tmp_path, monkeypatch, capfd):
    label = {"request_id": "r", "label": "dark"}
    with serving(tmp_path, logs=True) as running:
        with monkeypatch.context() as broken:
            broken.setattr(Segments, "save", lambda *_: (_ for _ in ()).throw(StoreError("the disk is full")))
            answer = send(running, label)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert "none is kept, send them again" in answer.json()["error"]
        assert "labels could not be kept: the disk is full" in capfd.readouterr().err
        assert send(running, label).status_code == 200
    assert kept(tmp_path).num_rows == 1


def test_what_comes_while_a_segment_is_written_becomes_one(tmp_path, monkeypatch):
    writes, go = threading.Event(), threading.Event()
    real = Segments.save

    def slow(segments, table):
        writes.set()
        assert go.wait(60)
        real(segments, table)

    monkeypatch.setattr(Segments, "save", slow)
    monkeypatch.setattr(feedback, "AT_ONCE", 9)
    with serving(tmp_path, logs=True) as running, ThreadPoolExecutor(9) as pool:
        first = pool.submit(send, running, {"request_id": "0", "label": "dark"})
        assert writes.wait(20)
        others = [pool.submit(send, running, {"request_id": str(n), "label": "light"}) for n in range(1, 9)]
        while (refused := send(running, {"label": "dark"})).status_code == 422:  # until all of them wait
            assert not first.done()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert running.ask(picture()).status_code == 200  # no answer of the model waits for a store
        go.set()
        assert [each.result().json()["kept"] for each in (first, *others)] == [1] * 9
    assert kept(tmp_path).num_rows == 9
    assert len([*tmp_path.glob("labels/pints/*/*.parquet")]) == 2


def test_a_caller_who_leaves_ends_no_writer(tmp_path):
    writer = feedback.Feedback(Store(tmp_path), "pints")
    table = feedback.table_of(
        feedback.read_labels([{"request_id": "r", "label": "dark"}], truth_of(PICTURE)), truth_of(PICTURE), "eve"
    )
    assert writer.keep(table).cancel()
    waits = writer.keep(table)
    writer.start()
    assert waits.result(20) is None
    writer.stop()
    assert kept(tmp_path).num_rows == 1
