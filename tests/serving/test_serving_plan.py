"""`/plan` of a service: the plan as made, another one, and a reason where there is none."""

import json

import pytest
import schemathesis
from hypothesis import given

from tests.plan.spend import given_of
from tests.serving.serving import release, serving
from tests.serving.test_serving_schema import FIXED, HELD
from totalml.plan import Plan, make_plan
from totalml.store import Store


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    return make_plan(given_of(tmp_path_factory.mktemp("spend")))


@pytest.fixture(scope="module")
def planned(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    plan.save(folder)
    with serving(folder, release(Store(folder), plan=(folder / "plan.json").read_bytes())) as running:
        yield running


def test_the_plan_is_told_as_it_was_made(planned, plan):
    told = planned.client.get("/plan").json()
    assert told["advice"] == json.loads(json.dumps(plan.advice.as_json()))
    assert told["spent"] == {lever.name: lever.cost for lever in plan.levers}


def test_another_one_keeps_to_its_budget_and_bounds(planned):
    question = {"budget": "free", "levers": {"tv": {"least": 0.8, "most": 1.2}}}
    advice = planned.client.post("/plan", json=question).json()["advice"]
    assert advice["factors"] == {"tv": 1.2, "radio": 0.5}
    assert planned.client.post("/plan", json={"budget": 3000}).json()["advice"]["cost"] <= 3000


@pytest.mark.parametrize(
    ("question", "status", "told"),
    [
        ({"levers": {"tvv": {}}}, 422, "levers: there is no 'tvv', did you mean 'tv'?"),
        ({"budget": 1}, 422, "the budget is 1.00"),
        ({"budget": 10**400}, 422, "an amount above 0"),
        ([], 422, "a question holds keys: budget, levers"),
    ],
)
def test_what_cannot_be_planned_gets_a_reason(planned, question, status, told):
    answer = planned.client.post("/plan", json=question)
    assert answer.status_code == status
    assert told in answer.json()["error"]


def test_a_reason_is_short_however_much_is_wrong(planned):
    wrong = {"levers": {f"lever {number}": {"last": 1} for number in range(1_000)}}
    answer = planned.client.post("/plan", json=wrong)
    assert (answer.status_code, len(answer.content) < 10_000) == (422, True)
    assert answer.json()["error"].endswith("characters more")


def test_a_body_that_is_no_json_gets_a_reason(planned):
    assert planned.client.post("/plan", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert planned.client.post("/plan", content=b"{}").status_code == 415


def test_a_release_without_a_plan_says_so(photos):
    for answer in (photos.client.get("/plan"), photos.client.post("/plan", json={})):
        assert answer.status_code == 404
        assert "this release has no plan" in answer.json()["error"]


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"budget": "same"}), ("POST", {"budget": 1})])
def test_it_is_as_the_service_describes_it(planned, method, body):
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{planned.port}/openapi.json")
    given = {} if body is None else {"body": body, "media_type": "application/json"}
    case = schema["/plan"][method].Case(**given)
    case.validate_response(case.call(base_url=str(planned.client.base_url)), checks=HELD)


@pytest.mark.parametrize("mode", [*schemathesis.GenerationMode], ids=str)
def test_whatever_is_asked_gets_a_plan_or_a_reason(planned, mode):
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{planned.port}/openapi.json")
    statuses = []

    @FIXED
    @given(case=schema["/plan"]["POST"].as_strategy(generation_mode=mode))
    def ask(case):
        answer = case.call(base_url=str(planned.client.base_url))
        case.validate_response(answer, checks=HELD)
        statuses.append(answer.status_code)

    ask()
    assert {*statuses} <= {200, 400, 413, 415, 422}
