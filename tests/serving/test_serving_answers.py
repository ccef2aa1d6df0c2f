"""What a caller gets: the model's answer, by which release, and a reason in JSON for whatever cannot be answered."""

import io
import json
import random
import socket
import threading
import time
from dataclasses import replace
from itertools import islice
from tempfile import SpooledTemporaryFile

import pyarrow.parquet as pq
import pytest
from PIL import Image
from starlette import formparsers

from tests.serving.serving import PICTURE, TABLE, picture, release, serving
from totalml.serving import logged, prediction_log
from totalml.serving.guard import _new_ids
from totalml.serving.limits import Limits
from totalml.store import Store


@pytest.mark.parametrize(("grey", "kind"), [(255, "PNG"), (0, "PNG"), (102, "PNG"), (204, "JPEG"), (255, "WEBP")])
def test_a_picture_is_answered_as_the_model_says(photos, grey, kind):
    told = photos.ask(picture(grey, 32, kind), f"image/{kind.lower()}").json()
    (prediction,) = told["predictions"]
    assert prediction["p:light"] == pytest.approx(grey / 255, abs=0.01)
    assert prediction["predicted"] == ("light" if grey > 127 else "dark")
    assert (prediction["positive"], prediction["threshold"]) == ("light", 0.75)
    assert prediction["is_positive"] == (grey / 255 >= 0.75)
    assert told["release"] == photos.service.live.now.release
    assert told["model"] == "pints"


def test_several_pictures_are_answered_in_their_order(photos):
    greys = (0, 255, 51)
    files = [("picture", (f"{grey}.png", picture(grey), "image/png")) for grey in greys]
    told = photos.client.post("/predict", files=files).json()
    assert [each["id"] for each in told["predictions"]] == ["0.png", "255.png", "51.png"]
    assert [each["p:light"] for each in told["predictions"]] == pytest.approx([grey / 255 for grey in greys], abs=1e-6)


def test_rows_are_answered_and_what_is_missing_is_missing(table):
    rows = [{"age": 50, "pub": "a"}, {"age": 50, "pub": "never seen"}, {"pub": "a"}, {"age": None, "pub": None}]
    told = table.rows(*rows).json()
    assert [each["p:light"] for each in told["predictions"]] == pytest.approx([0.5, 0, 0, 0])


def test_the_request_keeps_its_callers_id(photos):
    answer = photos.ask(picture(), headers={"X-Request-ID": "order-17"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "order-17"
    for id_ in ("x" * 129, "tab\there"):
        assert photos.ask(picture(), headers={"X-Request-ID": id_}).json()["request_id"] != id_


def test_each_request_that_has_no_id_gets_one_that_no_other_has():
    some = list(islice(_new_ids(), 1000))
    assert len({*some}) == 1000
    assert {len(each) for each in some} == {32}


def _jpeg(mode: str, size: tuple[int, int], kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def _frames() -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 255)])
    return out.getvalue()


BAD_PICTURES = {
    "text": b"hello, I am no picture",
    "truncated": picture(7, 64, "JPEG")[:-200],
    "empty": b"",
    "bomb": _jpeg("L", (4000, 4000), "PNG"),
    "two frames": _frames(),
    "script": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(evil) run",
    "zip": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("data", BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_is_no_picture_is_refused_with_a_reason_and_harms_nobody(photos, data):
    answer = photos.ask(data, "image/jpeg")
    assert answer.status_code == 422
    reason = answer.json()["error"]
    assert reason
    assert "Traceback" not in reason
    assert "/" not in reason.replace("and/or", "").replace("image/jpeg", "")
    assert photos.ask(picture()).status_code == 200


BAD_ROWS = {
    "no json": (b"{", 400),
    "deep": (b"[" * 100_000, 400),
    "half a character": (b'{"rows": [{"\\ud800": 1}]}', 400),
    "another encoding": ('{"rows": [{}]}'.encode("utf-16"), 400),
    "not a number": (b'{"rows": [{"age": NaN}]}', 400),
    "a list of numbers": (b'{"rows": [1, 2]}', 422),
    "no rows": (b'{"rows": []}', 422),
    "a text": (b'"rows"', 422),
    "another key": (b'{"rows": [{}], "x": 1}', 422),
    "a word for a number": (b'{"rows": [{"age": "old"}]}', 422),
    "a number too large": (b'{"rows": [{"age": 1e39}]}', 422),
    "a list for a word": (b'{"rows": [{"pub": ["a"]}]}', 422),
    "an empty row": (b'{"rows": [{"age": 1}, {}]}', 422),
    "an unknown column": (b'{"rows": [{"agee": 3}]}', 422),
}


@pytest.mark.parametrize(("data", "status"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_rows_that_do_not_fit_are_refused_with_a_reason(table, data, status):
    answer = table.client.post("/predict", content=data, headers={"Content-Type": "application/json"})
    assert (answer.status_code, set(answer.json())) == (status, {"error", "request_id"})
    assert table.rows({"age": 1, "pub": "a"}).status_code == 200


def test_a_history_is_refused_where_nothing_looks_back(table):
    row = {"age": 1, "pub": "a"}
    of_none = table.client.post("/predict", json={"rows": [row], "history": []})
    assert of_none.json()["predictions"] == table.rows(row).json()["predictions"]
    refused = table.client.post("/predict", json={"rows": [row], "history": [row]})
    assert refused.status_code == 422
    assert "nothing to make of a history" in refused.json()["error"]


def test_every_column_that_does_not_fit_is_named_at_once(table):
    reason = table.rows({"age": "old", "pub": 1.5, "x": 1}).json()["error"]
    assert "unknown columns x; the model takes age, pub" in reason
    assert "column 'age' wants a number; got \"old\"" in reason
    assert "column 'pub' wants a text; got 1.5" in reason


def test_what_the_model_does_not_see_is_refused(photos, table):
    assert "sees no pictures" in table.ask(picture()).json()["error"]
    assert "unknown columns age; the model takes none" in photos.rows({"age": 1}).json()["error"]
    assert photos.rows({}).json()["error"].startswith("the model sees pictures")


def test_limits_are_looked_at_before_anything_is_decoded(photos):
    files = [("picture", (f"{n}.png", picture(), "image/png")) for n in range(6)]
    assert photos.client.post("/predict", files=files).status_code == 413
    assert photos.client.post("/predict", files=files * 200).status_code == 413
    assert photos.ask(bytes(200_001)).status_code == 413
    assert (
        photos.client.post(
            "/predict", content=iter([bytes(90_000)] * 3), headers={"Content-Type": "image/png"}
        ).status_code
        == 413
    )
    assert photos.ask(picture(), "text/plain").status_code == 415
    assert photos.client.post("/predict", content=picture()).status_code == 415
    assert photos.client.get("/predict").status_code == 405
    for answer in (photos.client.get("/predict"), photos.client.get("/nowhere")):
        assert "POST /predict, GET /healthz" in answer.json()["error"]
    told = photos.client.post("/predict", data={"rows": "1"})
    assert told.status_code == 415
    assert "-H 'Content-Type: application/json'" in told.json()["error"]
    assert photos.ask(picture()).status_code == 200


def test_a_multipart_body_that_is_none_is_refused(photos):
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = photos.ask(b"--y\r\nnothing", kind)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]
    answer = photos.client.post("/predict", files=[("a", ("a.png", picture()))], data={"label": "x"})
    assert "metadata go into a field 'rows'" in answer.json()["error"]


def test_a_multipart_body_that_is_cut_off_is_refused_and_leaves_no_file_open(photos, monkeypatch):
    opened = []

    class Noted(SpooledTemporaryFile):
        def __init__(self, *arguments, **more):
            super().__init__(*arguments, **more)
            opened.append(self)

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", Noted)
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n' + picture() + b"\r\n"
    kind = "multipart/form-data; boundary=x"
    answer = photos.ask(part + part, kind)
    assert (answer.status_code, "ends before the boundary" in answer.json()["error"]) == (400, True)
    assert len(photos.ask(part + part + b"--x--", kind).json()["predictions"]) == 2
    assert [file.closed for file in opened] == [True] * 4


def test_names_and_rows_in_an_odd_charset_harm_nobody(tmp_path):
    named = b'--x\r\nContent-Disposition: form-data; name="a"; filename="\\ud800.png"\r\n\r\n' + picture() + b"\r\n"
    rows = b'--x\r\nContent-Disposition: form-data; name="rows"\r\n\r\n[{"\\ud800": 1}]\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=unicode_escape"}
    with serving(tmp_path, logs=True) as running:
        answer = running.client.post("/predict", content=named + b"--x--\r\n", headers=kind)
        assert answer.json()["predictions"][0]["id"] == "?.png"
        assert running.client.post("/predict", content=rows + b"--x--\r\n", headers=kind).status_code == 422
    assert running.service.log.written == 1


def test_a_client_that_is_too_slow_is_told_so(tmp_path):
    with (
        serving(tmp_path, limits=Limits(body_s=0.2)) as running,
        socket.create_connection(("127.0.0.1", running.port)) as slow,
    ):
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nfew"
        slow.sendall(head)
        slow.settimeout(20)
        assert b" 408 " in slow.recv(1000)
        assert running.ask(picture()).status_code == 200


def test_a_client_that_leaves_halfway_is_no_failure(tmp_path, capfd):
    with serving(tmp_path) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as one:
            one.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n")
            due = time.monotonic() + 120
            while "totalml_requests_under_way 1.0" not in running.client.get("/metrics").text:
                assert time.monotonic() < due
        while 'route="/predict",status="400"' not in running.client.get("/metrics").text:
            assert time.monotonic() < due
    assert "Traceback" not in capfd.readouterr().err


def until_one_is_let_in(running, due: float) -> None:
    """Or the next one may be it, and that one refused."""
    while "totalml_requests_under_way 1.0" not in running.client.get("/metrics").text:
        assert time.monotonic() < due


def test_too_many_at_once_are_told_when_to_come_again(tmp_path):
    with serving(tmp_path, limits=Limits(at_once=1, body_s=20)) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as first:
            first.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n")
            due = time.monotonic() + 120
            until_one_is_let_in(running, due)
            assert (answer := running.ask(picture())).status_code == 503
            assert answer.headers["retry-after"] == "1"
        while running.ask(picture()).status_code != 200:
            assert time.monotonic() < due


def test_bodies_under_way_are_bounded_together(tmp_path):
    limits = Limits(body_bytes=100_000, held_bytes=150_000)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    with serving(tmp_path, limits=limits) as running:
        due = time.monotonic() + 120
        for length in (b"Content-Length: 90000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", running.port)) as first:
                first.sendall(head + length)
                until_one_is_let_in(running, due)
                assert (answer := running.ask(bytes(70_000))).status_code == 503
                assert running.ask(picture()).status_code == 200  # a small one has room
            while running.ask(bytes(70_000)).status_code != 422:
                assert time.monotonic() < due
            assert "bytes are under way" in answer.json()["error"]


def test_pictures_are_bounded_together_before_any_is_decoded(photos, monkeypatch):
    decoded = []
    monkeypatch.setattr("totalml.features.given.row_of", lambda *given: decoded.append(given))
    files = [("a", ("a.png", picture(size=30))), ("b", ("b.png", picture(size=40)))]
    answer = photos.client.post("/predict", files=files)
    assert answer.status_code == 413
    assert "the 2 pictures have 0.0025 megapixels together; at most 0.002" in answer.json()["error"]
    assert not decoded


def test_a_token_is_asked_for_everywhere_but_by_probes(tmp_path):
    with serving(tmp_path, token="a long secret") as running:
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "a long secret"}):
            for route in ("/version", "/metrics", "/docs", "/openapi.json", "/nowhere"):
                assert running.client.get(route, headers=given).status_code == 401
            assert running.ask(picture(), headers=given).status_code == 401
        for route in ("/healthz", "/readyz"):
            assert running.client.get(route).status_code == 200
        right = {"Authorization": "Bearer a long secret"}
        assert running.ask(picture(), headers=right).status_code == 200
        counted = running.client.get("/metrics", headers=right).text
        assert 'route="other",status="401"' in counted  # no caller can make routes up
        assert "/nowhere" not in counted


def test_requests_that_queue_share_a_batch_and_a_bad_one_fails_alone(tmp_path):
    with serving(tmp_path) as running:
        scorer = running.service.live.now.scorer
        gate, score, sizes = threading.Event(), scorer.score, []

        def slow(inputs, explain=False):
            gate.wait(20)
            sizes.append(len(inputs["image"]))
            return score(inputs, explain)

        scorer.score = slow
        answers = {}

        def ask(number: int) -> None:
            data = b"no picture" if number == 3 else picture(number * 10)
            answers[number] = running.ask(data)

        askers = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for asker in askers:
            asker.start()
        time.sleep(0.5)
        gate.set()
        for asker in askers:
            asker.join()
        assert {number: each.status_code for number, each in answers.items()} == dict.fromkeys(range(12), 200) | {
            3: 422
        }
        assert sum(sizes) == 11
        assert len(sizes) < 6
        counted = f'totalml_samples_total{{release="{running.service.live.now.release}"}} 11.0'
        assert counted in running.client.get("/metrics").text
        for number, answer in answers.items():
            if number != 3:
                assert answer.json()["predictions"][0]["p:light"] == pytest.approx(number * 10 / 255, abs=1e-6)


def test_a_model_that_fails_ends_no_service(tmp_path, capfd):
    with serving(tmp_path) as running:
        score = running.service.live.now.scorer.score
        running.service.live.now.scorer.score = lambda *_: 1 / 0
        answer = running.ask(picture())
        assert (answer.status_code, answer.json()["error"]) == (500, "the service failed")
        running.service.live.now.scorer.score = score
        assert running.ask(picture()).status_code == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_mutated_pictures_get_an_answer_or_a_reason(photos):
    generator = random.Random(0)
    kinds = {kind: picture(90, 24, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")}
    for _ in range(400):
        kind = generator.choice([*kinds])
        data = bytearray(kinds[kind])
        for _ in range(generator.randint(1, 8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        if generator.random() < 0.3:
            del data[generator.randrange(len(data)) :]
        answer = photos.ask(bytes(data), f"image/{kind.lower()}")
        assert answer.status_code in (200, 422), (kind, bytes(data))
        assert answer.json()
    assert photos.ask(picture()).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", b'{"rows": [%s{}]}' % (b"{}," * 300_000)),
        ("/v2/models/pints/infer", b'{"inputs": [%s{}]}' % (b"{}," * 300_000)),
    ],
)
def test_a_json_of_countless_values_is_refused_before_they_are_made(tmp_path, path, body):
    with serving(tmp_path) as running:
        answer = running.client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, "commas" in answer.json()["error"]) == (413, True)


def test_the_service_says_what_it_is_and_measures(photos):
    version = photos.client.get("/version").json()
    assert version["release"] == photos.service.live.now.release
    assert version["signature"]["targets"] == list(PICTURE.targets)
    assert photos.client.get("/healthz").json() == {"alive": True}
    ready = photos.client.get("/readyz").json()
    assert (ready["ready"], ready["failed"]) == (True, None)
    told = photos.client.get("/metrics").text
    assert 'totalml_requests_total{route="/predict",status="200"}' in told
    schema = photos.client.get("/openapi.json").json()
    assert {"/predict", "/healthz", "/readyz", "/version", "/metrics"} <= set(schema["paths"])
    assert schema["components"]["schemas"]["Reason"]["required"] == ["error"]


def test_each_prediction_is_kept_without_its_picture(tmp_path):
    with serving(tmp_path, logs=True) as running:
        first = running.ask(picture(255)).json()
        files = [("picture", (f"{grey}.png", picture(grey), "image/png")) for grey in (0, 51)]
        running.client.post("/predict", files=files)
        running.ask(b"no picture")
    segments = sorted(tmp_path.glob("predictions/pints/*/*.parquet"))
    rows = [row for segment in segments for row in pq.read_table(segment).to_pylist()]
    *rows, refused = sorted(rows, key=lambda row: row["time"])
    assert [row["answer:p:light"] for row in rows] == pytest.approx([1, 0, 0.2], abs=1e-6)
    assert [row["property:brightness"] for row in rows][1] == 0
    assert [(row["arm"], row["sample"], row["error"]) for row in rows] == [("live", n, None) for n in (0, 0, 1)]
    assert (refused["answer:predicted"], refused["property:brightness"]) == (None, None)
    assert "not a picture in a format that is read here" in refused["error"]
    assert rows[0]["request_id"] == first["request_id"]
    assert {row["release"] for row in rows} == {first["release"]}
    assert [row["embedding"][0] for row in rows] == pytest.approx([1, 0, 0.2], abs=1e-6)
    assert len({row["input"] for row in rows}) == 3
    assert running.service.log.written == 4
    assert json.dumps(picture(51).hex()) not in "".join(str(row) for row in rows)


def test_metadata_that_one_caller_gives_and_another_does_not_loses_nobody_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(prediction_log, "EVERY_S", 60.0)  # all come into one file
    with serving(tmp_path, release(Store(tmp_path), 1.0, TABLE), logs=True) as running:
        assert running.ask(picture()).status_code == 422
        assert running.rows({"age": 0.5, "pub": "a"}).status_code == 200
    assert (running.service.log.written, running.service.log.dropped) == (2, 0)
    (segment,) = tmp_path.glob("predictions/pints/*/*.parquet")
    assert [row["metadata:age"] for row in pq.read_table(segment).to_pylist()] == [0.5, None]


def test_what_a_monitor_is_told_is_kept_and_changes_no_answer(tmp_path):
    watched = replace(PICTURE, context={"age_group": "text", "temperature_c": "number"})
    with serving(tmp_path, release(Store(tmp_path), 1.0, watched), logs=True) as running:
        alone = running.ask(picture(51)).json()["predictions"]
        told = {"metadata": json.dumps({"age_group": "18-25", "temperature_c": 6})}
        answer = running.client.post(
            "/predict", params=told, content=picture(51), headers={"Content-Type": "image/png"}
        )
        assert answer.json()["predictions"] == alone
        wrong = {"metadata": json.dumps({"age_group": 0.5, "temperature": 6})}
        refused = running.client.post(
            "/predict", params=wrong, content=picture(51), headers={"Content-Type": "image/png"}
        )
    assert refused.status_code == 422
    assert "unknown columns temperature; the model takes none, and age_group, temperature_c are kept" in refused.text
    assert "column 'age_group' wants a text; got 0.5" in refused.text
    rows = [row for file in tmp_path.glob("predictions/pints/*/*.parquet") for row in pq.read_table(file).to_pylist()]
    rows = sorted((row for row in rows if row["error"] is None), key=lambda row: row["time"])
    assert [row.get("metadata:age_group") for row in rows] == [None, "18-25"]
    assert [row.get("metadata:temperature_c") for row in rows] == [None, 6.0]
    assert rows[0]["input"] == rows[1]["input"]  # by the picture alone it is found, to be deleted


def test_a_log_that_cannot_keep_up_drops_and_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(prediction_log, "MOST", 2)
    monkeypatch.setattr(prediction_log, "EVERY_S", 60.0)
    with serving(tmp_path, logs=True) as running:
        assert [running.ask(picture()).status_code for _ in range(5)] == [200] * 5
        assert "totalml_log_rows_dropped 3.0" in running.client.get("/metrics").text
    assert (running.service.log.written, running.service.log.dropped) == (2, 3)


def test_a_log_that_cannot_be_written_ends_no_service(tmp_path, capfd):
    with serving(tmp_path, logs=True) as running:
        (tmp_path / "predictions").write_text("in the way")
        assert running.ask(picture()).status_code == 200
    assert running.service.log.dropped == 1
    assert "lost 1 row of the prediction log" in capfd.readouterr().err


def test_a_log_goes_on_whatever_a_row_may_do(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(prediction_log, "EVERY_S", 0.05)
    with serving(tmp_path, logs=True) as running, monkeypatch.context() as broken:
        broken.setattr(logged, "_input_hashes", lambda *_: 1 / 0)
        running.ask(picture())
        due = time.monotonic() + 120
        while not running.service.log.dropped:
            assert time.monotonic() < due
            time.sleep(0.01)
        broken.undo()
        running.ask(picture())
    assert (running.service.log.written, running.service.log.dropped) == (1, 1)
    assert "lost 1 row of the prediction log: division by zero" in capfd.readouterr().err
