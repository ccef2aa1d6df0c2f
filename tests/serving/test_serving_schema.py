"""The service against its own `/openapi.json`: what it says it takes and gives is so, whatever it is sent."""

import base64

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from tests.serving.serving import TABLE, picture, release, serving
from totalml.store import Store

load_all_checks()
HELD = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
FIXED = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)
ASKED = ("/predict", "/feedback", "/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer")
TOLD = (
    "/healthz",
    "/readyz",
    "/version",
    "/metrics",
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/{name}",
    "/v2/models/{name}/ready",
    "/v2/models/{name}/versions/{version}",
    "/v2/models/{name}/versions/{version}/ready",
)
OURS = {"name": "pints", "version": "production"}


@pytest.fixture(scope="module", params=["pictures", "rows"])
def running(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    bundle = release(Store(folder), 0.01, TABLE) if request.param == "rows" else None
    with serving(folder, bundle, logs=True) as running:
        yield running


def schema_of(running):
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{running.port}/openapi.json")


def held(answer, case):
    case.validate_response(answer, checks=HELD)
    return answer.status_code


def test_every_route_is_described(running):
    paths = {operation.ok().path for operation in schema_of(running).get_all_operations()}
    assert paths == {*ASKED, *TOLD, "/plan"}


@pytest.mark.parametrize("path", TOLD)
@pytest.mark.parametrize("names", [OURS, {"name": "pint", "version": "none"}], ids=["ours", "unknown"])
def test_what_is_told_is_as_described(running, path, names):
    operation = schema_of(running)[path]["GET"]
    case = operation.Case(path_parameters={name: value for name, value in names.items() if f"{{{name}}}" in path})
    known = names is OURS or "{" not in path
    assert held(case.call(base_url=str(running.client.base_url)), case) == (200 if known else 404)


def aimed(case):
    """At the model that is there and at what it takes, so that what is sent is looked at in full."""
    case.path_parameters = {name: OURS[name] for name in case.path_parameters or {}}
    inputs = case.body.get("inputs") if isinstance(case.body, dict) else None
    for number, tensor in enumerate(inputs if isinstance(inputs, list) else ()):
        if isinstance(tensor, dict) and "name" in tensor:
            tensor["name"] = ("picture", "age", "pub")[number % 3]
    labels = case.body.get("labels") if isinstance(case.body, dict) else None
    for label in labels if isinstance(labels, list) else ():
        if isinstance(label, dict) and isinstance(label.get("label"), str):
            label["label"] = "dark"
    return case


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("mode", [*schemathesis.GenerationMode], ids=str)
def test_whatever_is_sent_gets_an_answer_or_a_reason(running, path, mode):
    operation = schema_of(running)[path]["POST"]
    statuses = []

    @FIXED
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        aimed(case)
        statuses.append(held(case.call(base_url=str(running.client.base_url)), case))

    ask()
    assert len(statuses) >= FIXED.max_examples
    assert {*statuses} <= {200, 400, 413, 415, 422}


def test_answers_are_as_described(tmp_path):
    with serving(tmp_path, logs=True) as running:
        schema = schema_of(running)
        predict = schema["/predict"]["POST"].Case()
        for answer in (
            running.ask(picture()),
            running.ask(picture(), params={"explain": "1"}),
            running.client.post("/predict", files=[("picture", ("a.png", picture(), "image/png"))]),
        ):
            answer.request.read()
            assert held(answer, predict) == 200
        kept = running.client.post("/feedback", json={"labels": [{"request_id": "r", "label": "dark"}]})
        kept.request.read()
        assert held(kept, schema["/feedback"]["POST"].Case()) == 200
        infer = schema["/v2/models/{name}/infer"]["POST"].Case(path_parameters={"name": "pints"})
        tensor = {"name": "picture", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(picture()).decode()]}
        binary = {"parameters": {"binary_data_output": True}}
        for more in ({}, {"id": "7"}, {"outputs": [{"name": "p:light"}]}, binary):
            answer = running.client.post("/v2/models/pints/infer", json={"inputs": [tensor], **more})
            assert held(answer, infer) == 200
        assert answer.headers["content-type"] == "application/octet-stream"


def test_a_schema_that_is_not_kept_is_noticed(tmp_path):
    with serving(tmp_path) as running:
        schema = schema_of(running)
        schema.raw_schema["components"]["schemas"]["Predictions"]["properties"]["model"] = {"type": "integer"}
        with pytest.raises(schemathesis.checks.FailureGroup, match="is not of type"):
            held(running.ask(picture()), schema["/predict"]["POST"].Case())
