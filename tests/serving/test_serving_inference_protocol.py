"""The Open Inference Protocol v2, asked by hand, byte for byte, and by a client that others wrote."""

import base64
import json
import random
import struct
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tritonclient.http as http

from tests.serving.serving import PICTURE, TABLE, picture, promote, release, serving
from totalml.evaluation.out_of_distribution.detector import Detector
from totalml.serving import inference_protocol
from totalml.serving.limits import Limits
from totalml.store import Store

LENGTH = "Inference-Header-Content-Length"


def ask(running, body, path="/v2/models/pints/infer"):
    return running.client.post(path, json=body)


def ask_with_bytes(running, body, *tensors, length=None):
    head = json.dumps(body).encode()
    headers = {LENGTH: str(len(head) if length is None else length)}
    return running.client.post("/v2/models/pints/infer", content=b"".join([head, *tensors]), headers=headers)


def pictures(*files):
    data = [base64.b64encode(file).decode() for file in files]
    return {"name": "picture", "shape": [len(files)], "datatype": "BYTES", "data": data}


def ages(*values):
    return {"name": "age", "shape": [len(values)], "datatype": "FP64", "data": [*values]}


def pubs(*values):
    return {"name": "pub", "shape": [len(values)], "datatype": "BYTES", "data": [*values]}


def sized(tensor, size):
    return {name: tensor[name] for name in ("name", "shape", "datatype")} | {"parameters": {"binary_data_size": size}}


def elements(*values):
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def data_of(answer):
    return {output["name"]: output["data"] for output in answer.json()["outputs"]}


def test_the_server_and_its_model_are_described(photos, table):
    assert photos.client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert photos.client.get("/v2/health/live").json() == {"live": True}
    assert photos.client.get("/v2/health/ready").json() == {"ready": True}
    assert photos.client.get("/v2/models/pints/ready").json() == {"name": "pints", "ready": True}
    hash_ = table.service.live.now.release
    assert table.client.get("/v2/models/pints").json() == {
        "name": "pints",
        "versions": [hash_, "production"],
        "platform": "onnx_onnxv1",
        "inputs": [
            {"name": "age", "datatype": "FP64", "shape": [-1]},
            {"name": "pub", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "predicted", "datatype": "BYTES", "shape": [-1]},
            {"name": "confidence", "datatype": "FP64", "shape": [-1]},
            {"name": "p:dark", "datatype": "FP64", "shape": [-1]},
            {"name": "p:light", "datatype": "FP64", "shape": [-1]},
        ],
    }
    seen = photos.client.get("/v2/models/pints").json()["inputs"]
    assert seen == [{"name": "picture", "datatype": "BYTES", "shape": [-1]}]


def test_a_version_is_the_alias_or_the_start_of_the_hash(photos):
    hash_ = photos.service.live.now.release
    body = {"inputs": [pictures(picture())]}
    for version in ("production", hash_, hash_[:15], hash_.removeprefix("blake3:")[:4]):
        path = f"/v2/models/pints/versions/{version}"
        assert photos.client.get(path).json()["name"] == "pints"
        assert photos.client.get(f"{path}/ready").json()["ready"] is True
        assert ask(photos, body, f"{path}/infer").json()["model_version"] == hash_
    other = "0000" if not hash_.startswith("blake3:0000") else "1111"
    for model in ("pint", "pints/versions/staging", f"pints/versions/{other}", "pints/versions/blake3:"):
        for answer in (
            photos.client.get(f"/v2/models/{model}"),
            photos.client.get(f"/v2/models/{model}/ready"),
            ask(photos, body, f"/v2/models/{model}/infer"),
        ):
            assert answer.status_code == 404
            assert answer.json()["error"].startswith("there is no ")


def test_a_release_that_comes_in_between_does_not_answer_for_the_one_asked_for(tmp_path, monkeypatch):
    store = Store(tmp_path)
    old, new = release(store, 1.0), release(store, 0.5)
    read = inference_protocol.read_tensors
    with serving(tmp_path, old) as running:

        def swapped_meanwhile(*given):
            promote(store, new)
            running.service.live.look()
            return read(*given)

        monkeypatch.setattr(inference_protocol, "read_tensors", swapped_meanwhile)
        answer = ask(running, {"inputs": [pictures(picture())]}, f"/v2/models/pints/versions/{old.hash}/infer")
        assert answer.status_code == 404
        assert f"there is no version '{old.hash}'; {new.hash} or production answers" in answer.json()["error"]
        answer = ask(running, {"inputs": [pictures(picture())]}, "/v2/models/pints/versions/production/infer")
        assert answer.json()["model_version"] == new.hash


def test_pictures_in_json_are_answered_in_their_order(photos):
    answer = ask(photos, {"id": "order-17", "inputs": [pictures(*(picture(grey) for grey in (0, 255, 51)))]})
    told = answer.json()
    assert (told["model_name"], told["id"]) == ("pints", "order-17")
    assert [output["shape"] for output in told["outputs"]] == [[3]] * 4
    assert data_of(answer)["predicted"] == ["dark", "light", "dark"]
    assert data_of(answer)["p:light"] == pytest.approx([0, 1, 0.2], abs=1e-6)
    assert "id" not in ask(photos, {"inputs": [pictures(picture())]}).json()


def test_rows_in_json_are_answered_and_what_is_missing_is_null(table):
    answer = ask(table, {"inputs": [pubs("a", "never seen", "a", None), ages(50, 50, None, 20)]})
    assert data_of(answer)["p:light"] == pytest.approx([0.5, 0, 0, 0])
    assert data_of(answer) == data_of(ask(table, {"inputs": [ages(50, 50, None, 20), pubs("a", "x", "a", None)]}))


def test_tensors_after_the_json_are_read_and_written_byte_for_byte(table):
    words, numbers = elements(b"a", "Köln".encode(), b"a", b""), struct.pack("<4d", 50, 50, float("nan"), 20)
    body = {
        "inputs": [sized(pubs(*range(4)), len(words)), sized(ages(*range(4)), len(numbers))],
        "parameters": {"binary_data_output": True},
        "outputs": [
            {"name": "predicted"},
            {"name": "confidence", "parameters": {"binary_data": False}},
            {"name": "p:light"},
        ],
    }
    answer = ask_with_bytes(table, body, words, numbers)
    assert answer.headers["content-type"] == "application/octet-stream"
    end = int(answer.headers[LENGTH])
    said, confidence, light = json.loads(answer.content[:end])["outputs"]
    expected = [elements(b"light", b"dark", b"dark", b"dark"), struct.pack("<4d", *np.float32([0.5, 0, 0, 0]))]
    if answer.content[end:] != b"".join(expected):  # at 0.5 either may be named
        expected[0] = elements(b"dark", b"dark", b"dark", b"dark")
    assert answer.content[end:] == b"".join(expected)
    assert said["parameters"] == {"binary_data_size": len(expected[0])}
    assert "data" not in said
    assert confidence["data"] == pytest.approx([0.5, 1, 1, 1])
    assert light["parameters"] == {"binary_data_size": 32}


def test_a_client_that_others_wrote_is_answered(photos, table):
    files = [picture(grey) for grey in (0, 255, 51)]
    given = http.InferInput("picture", [3], "BYTES").set_data_from_numpy(np.array(files, np.object_))
    with http.InferenceServerClient(f"127.0.0.1:{photos.port}") as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("pints", "production")
        assert not client.is_model_ready("pint")
        assert client.get_server_metadata()["name"] == "totalml"
        assert client.get_model_metadata("pints")["inputs"][0]["name"] == "picture"
        answer = client.infer("pints", [given], request_id="7")
        assert answer.as_numpy("p:light") == pytest.approx([0, 1, 0.2], abs=1e-6)
        assert answer.as_numpy("predicted").tolist() == [b"dark", b"light", b"dark"]
        assert answer.get_response()["id"] == "7"
        with pytest.raises(http.InferenceServerException, match="no version 'staging'"):
            client.infer("pints", [given], "staging")
    words, numbers = np.array(["a", "b"], np.object_), np.array([80.0, 80.0])
    with http.InferenceServerClient(f"127.0.0.1:{table.port}") as client:
        for binary in (True, False):
            tensors = [
                http.InferInput("age", [2], "FP64").set_data_from_numpy(numbers, binary),
                http.InferInput("pub", [2], "BYTES").set_data_from_numpy(words, binary),
            ]
            wanted = [http.InferRequestedOutput(name, binary) for name in ("p:light", "predicted")]
            answer = client.infer("pints", tensors, outputs=wanted)
            assert answer.as_numpy("p:light") == pytest.approx([0.8, 0], abs=1e-6)
            assert [str(word, "utf-8") if binary else word for word in answer.as_numpy("predicted")] == [
                "light",
                "dark",
            ]
            assert answer.as_numpy("p:dark") is None


def test_every_type_of_answer_has_its_datatype(tmp_path):
    kinds = {"said": "list<element: string>", "sure": "bool", "lower": "double"}
    bundle = release(Store(tmp_path), signature=replace(PICTURE, answers=kinds))
    with serving(tmp_path, bundle) as running:
        scorer = running.service.live.now.scorer
        scorer._stranger = Detector(np.eye(1, dtype=np.float32), np.zeros((1, 1), np.float32), 0.5)
        score = scorer.score
        answers = pa.table({"said": [["ä", "b"], []], "sure": [True, False], "lower": [1.5, None]})
        scorer.score = lambda *given: replace(score(*given), answers=answers)
        told = running.client.get("/v2/models/pints").json()["outputs"]
        assert {each["name"]: each["datatype"] for each in told} == {
            "said": "BYTES",
            "sure": "BOOL",
            "lower": "FP64",
            "strangeness": "FP64",
            "strange": "BOOL",
        }
        body = {"inputs": [pictures(picture(255), picture(51))]}
        assert data_of(ask(running, body)) == {
            "said": ['["ä", "b"]', "[]"],
            "sure": [True, False],
            "lower": [1.5, None],
            "strangeness": pytest.approx([1, 0.2], abs=1e-6),
            "strange": [True, False],
        }
        answer = ask(running, body | {"parameters": {"binary_data_output": True}})
        tail = answer.content[int(answer.headers[LENGTH]) :]
        said = elements('["ä", "b"]'.encode(), b"[]")
        assert tail.startswith(said + b"\x01\x00" + struct.pack("<d", 1.5))
        assert np.isnan(struct.unpack("<d", tail[len(said) + 10 : len(said) + 18])[0])
        assert tail.endswith(b"\x01\x00")


def test_a_column_may_be_called_as_the_picture_is(tmp_path):
    bundle = release(Store(tmp_path), 0.01, replace(TABLE, categorical={"picture": ("a", "b")}))
    with serving(tmp_path, bundle) as running:
        answer = ask(running, {"inputs": [ages(50), pubs("a") | {"name": "picture"}]})
        assert data_of(answer)["p:light"] == pytest.approx([0.5])


ONE = pictures(picture())
BAD_PICTURES = {
    "no json": (b"{", 400, "cannot be read"),
    "not a number": (b'{"inputs": [NaN]}', 400, "NaN is no JSON"),
    "half a character": (b'{"id": "\\ud800", "inputs": []}', 400, "cannot be read"),
    "another encoding": (json.dumps({"inputs": []}).encode("utf-16"), 400, "cannot be read"),
    "deep": (b'{"inputs":' + b"[" * 100_000, 400, "cannot be read"),
    "a list": ([], 422, "the body: "),
    "no inputs": ({"inputs": []}, 422, "inputs: "),
    "another key": ({"inputs": [ONE], "output": []}, 422, "output: "),
    "a number as id": ({"inputs": [ONE], "id": 7}, 422, "id: "),
    "no shape": ({"inputs": [{"name": "picture", "datatype": "BYTES", "data": []}]}, 422, "inputs.0.shape: "),
    "two dimensions": ({"inputs": [ONE | {"shape": [1, 1]}]}, 422, "inputs.0.shape: "),
    "a negative shape": ({"inputs": [ONE | {"shape": [-1]}]}, 422, "inputs.0.shape.0: "),
    "another shape": ({"inputs": [ONE | {"shape": [2]}]}, 422, "has the shape [2] and 1 values"),
    "nothing": ({"inputs": [ONE | {"shape": [0], "data": []}]}, 422, "there is nothing to answer"),
    "too many": ({"inputs": [pictures(*[b""] * 6)]}, 413, "at most 5"),
    "far too many": ({"inputs": [ONE | {"shape": [2**62]}]}, 413, "at most 5"),
    "an unknown input": ({"inputs": [ONE, ages(1)]}, 422, "unknown inputs age; the model takes picture"),
    "an input twice": ({"inputs": [ONE, ONE]}, 422, "there twice: picture"),
    "another input": ({"inputs": [ages(1)]}, 422, "input 'picture' is missing"),
    "another datatype": ({"inputs": [ONE | {"datatype": "FP64"}]}, 422, "input 'picture' is FP64; give BYTES"),
    "no datatype": ({"inputs": [ONE | {"datatype": "UINT8"}]}, 422, "inputs.0.datatype: "),
    "no base64": ({"inputs": [ONE | {"data": ["no base64!"]}]}, 422, "input 'picture': "),
    "no text": ({"inputs": [ONE | {"data": [7]}]}, 422, "a picture is its file in base64; got 7"),
    "no picture": ({"inputs": [pictures(b"no picture")]}, 422, "cannot be used"),
    "no data": ({"inputs": [ONE | {"data": None}]}, 422, "either data or a binary_data_size"),
    "an unknown output": ({"inputs": [ONE], "outputs": [{"name": "p:grey"}]}, 422, "output 'p:grey' is unknown"),
    "an output twice": ({"inputs": [ONE], "outputs": [{"name": "p:dark"}] * 2}, 422, "'p:dark' is there twice"),
    "too long": (bytes(200_001), 413, "longer than 200,000 bytes"),
}


@pytest.mark.parametrize(("body", "status", "reason"), BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_what_does_not_fit_is_refused_with_a_reason(photos, body, status, reason):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = photos.client.post("/v2/models/pints/infer", content=data)
    assert reason in answer.json()["error"]
    assert answer.status_code == status
    assert ask(photos, {"inputs": [ONE]}).status_code == 200


BAD_BYTES = {
    "a longer header": ({}, b"", 10_000, 400, f"{LENGTH} is 10000, but the request is 2 bytes"),
    "a negative header": ({}, b"", "-1", 400, f"{LENGTH} '-1' is no number"),
    "a header of digits": ({}, b"", "9" * 5000, 400, f"{LENGTH} '99999999999999999999' is no number"),
    "bytes of nobody": ({"inputs": [ages(1), pubs("a")]}, b"more", None, 400, "4 bytes after the JSON belong to no"),
    "too few bytes": ({"inputs": [ages(1), sized(pubs("a"), 9)]}, b"few", None, 422, "9 bytes should stand after"),
    "half a number": ({"inputs": [sized(ages(1), 4), pubs("a")]}, b"four", None, 422, "1 values of FP64 are 8 bytes"),
    "a long element": (
        {"inputs": [ages(1), sized(pubs("a"), 5)]},
        b"\xff\xff\xff\xff-",
        None,
        422,
        "longer than what is there",
    ),
    "half a length": ({"inputs": [ages(1), sized(pubs("a"), 2)]}, b"\0\0", None, 422, "longer than what is there"),
    "too many elements": (
        {"inputs": [ages(1), sized(pubs("a"), 10)]},
        elements(b"a", b"b"),
        None,
        422,
        "5 bytes are left after",
    ),
    "no text": ({"inputs": [ages(1), sized(pubs("a"), 5)]}, elements(b"\xff"), None, 422, "input 'pub': "),
    "an endless number": ({"inputs": [sized(ages(1), 8), pubs("a")]}, struct.pack("<d", np.inf), None, 422, "a number"),
    "both": ({"inputs": [ages(1) | {"parameters": {"binary_data_size": 8}}, pubs("a")]}, bytes(8), None, 422, "either"),
    "a word for a number": ({"inputs": [ages("old"), pubs("a")]}, b"", None, 422, "column 'age' wants a number"),
    "a number for a word": ({"inputs": [ages(1), pubs(7)]}, b"", None, 422, "BYTES are texts; got 7"),
    "other counts": ({"inputs": [ages(1, 2), pubs("a")]}, b"", None, 422, "as many samples; got age [2], pub [1]"),
}


@pytest.mark.parametrize(("body", "tail", "length", "status", "reason"), BAD_BYTES.values(), ids=BAD_BYTES)
def test_bytes_that_do_not_fit_are_refused_with_a_reason(table, body, tail, length, status, reason):
    answer = ask_with_bytes(table, body, tail, length=length)
    assert reason in answer.json()["error"]
    assert answer.status_code == status
    assert ask(table, {"inputs": [ages(1), pubs("a")]}).status_code == 200


def test_the_ways_in_share_limits_and_token(tmp_path):
    with serving(tmp_path, token="a long secret", limits=Limits(at_once=0)) as running:
        for route in ("/v2/health/live", "/v2/health/ready"):
            assert running.client.get(route).status_code == 200
        for route in ("/v2", "/v2/models/pints", "/v2/models/pints/ready"):
            assert running.client.get(route).status_code == 401
        assert ask(running, {"inputs": [ONE]}).status_code == 401
        running.client.headers["Authorization"] = "Bearer a long secret"
        busy = ask(running, {"inputs": [ONE]})
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        counted = running.client.get("/metrics").text
        assert 'totalml_requests_total{route="/v2/models/{name}/infer",status="503"} 1.0' in counted


def test_predictions_are_kept_as_those_of_predict_are(tmp_path):
    with serving(tmp_path, logs=True) as running:
        running.ask(picture(51), headers={"X-Request-ID": "a"})
        body = {"inputs": [pictures(picture(51), picture(255))]}
        running.client.post("/v2/models/pints/infer", json=body, headers={"X-Request-ID": "b"})
    rows = [row for file in tmp_path.glob("predictions/pints/*/*.parquet") for row in pq.read_table(file).to_pylist()]
    assert [row["request_id"] for row in rows] == ["a", "b", "b"]
    assert [row["answer:p:light"] for row in rows] == pytest.approx([0.2, 0.2, 1], abs=1e-6)
    assert rows[0]["input"] == rows[1]["input"]


def test_what_is_missing_is_kept_as_missing_whether_json_or_bytes(tmp_path):
    with serving(tmp_path, release(Store(tmp_path), 0.01, TABLE), logs=True) as running:
        ask(running, {"inputs": [ages(None), pubs(None)]})
        body = {"inputs": [sized(ages(0), 8), sized(pubs(""), 4)]}
        ask_with_bytes(running, body, struct.pack("<d", float("nan")), elements(b""))
    rows = [row for file in tmp_path.glob("predictions/pints/*/*.parquet") for row in pq.read_table(file).to_pylist()]
    assert [(row["metadata:age"], row["metadata:pub"]) for row in rows] == [(None, None)] * 2
    assert rows[0]["input"] == rows[1]["input"]


def mutated(generator, data):
    data = bytearray(data)
    for _ in range(generator.randint(1, 6)):
        place = generator.randrange(len(data))
        match generator.randrange(4):
            case 0:
                data[place] = generator.randrange(256)
            case 1:
                data[place:place] = data[generator.randrange(len(data)) :][: generator.randint(1, 20)]
            case 2:
                del data[place : place + generator.randint(1, 20)]
            case _:
                data[place : place + 1] = generator.choice([b"null", b"1e999", b'"\\ud800"', b"[[", b"-1", b"true"])
        data = data or bytearray(b" ")
    return bytes(data)


def test_mutated_bodies_get_an_answer_or_a_reason(photos, table):
    generator = random.Random(0)
    words, numbers = elements(b"a", b"b"), struct.pack("<2d", 50, 60)
    head = json.dumps(
        {
            "id": "7",
            "inputs": [sized(pubs(*"ab"), len(words)), sized(ages(5, 6), len(numbers))],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    bodies = [
        (photos, json.dumps({"id": "7", "inputs": [ONE], "outputs": [{"name": "p:light"}]}).encode(), {}),
        (table, json.dumps({"inputs": [ages(50, None), pubs("a", "b")]}).encode(), {}),
        (table, head + words + numbers, {LENGTH: str(len(head))}),
    ]
    statuses = []
    for _ in range(300):
        running, body, headers = generator.choice(bodies)
        data = mutated(generator, body)
        answer = running.client.post("/v2/models/pints/infer", content=data, headers=headers)
        statuses.append(answer.status_code)
        assert answer.status_code in (200, 400, 413, 422), data
        if answer.status_code != 200:
            assert answer.json()["error"]
    assert {200, 400, 422} <= {*statuses}


def test_of_a_list_of_mistakes_the_first_is_made_and_not_each():
    from pydantic import ValidationError

    from totalml.serving.inference_forms import InferenceRequest

    tensor = {"name": "picture", "shape": [1], "datatype": "BYTES"}
    lists = ({"inputs": [0] * 9}, {"inputs": [tensor | {"data": [[]] * 9}]}, {"inputs": [tensor], "outputs": [0] * 9})
    for given in lists:
        with pytest.raises(ValidationError) as caught:
            InferenceRequest.model_validate(given)
        assert len({each["loc"][:4] for each in caught.value.errors()}) == 1, given
