"""`/plan`: what to do with the levers, as the run advised it, or another one from the same curves."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response

from totalml.errors import RecipeError
from totalml.plan.another import Question, another
from totalml.plan.record import Plan
from totalml.release.bundle import PLAN as FILE
from totalml.serving.body import RefusedError, read_body, read_json
from totalml.serving.guard import ID
from totalml.serving.limits import Limits
from totalml.serving.schema import NO_TOKEN, PLAN, REASONS, Planned
from totalml.serving.way_in import json_response

if TYPE_CHECKING:
    from totalml.plan.advise import Advice
    from totalml.release.bundle import Bundle
    from totalml.serving.answering import Answering

BODY_BYTES = 2**16  # of a question
NO_PLAN: dict[int | str, dict[str, Any]] = {404: {**REASONS[422], "description": "This release has no plan"}}


def add_plan(app: FastAPI, live: Answering, limits: Limits) -> None:
    limits = replace(limits, body_bytes=min(limits.body_bytes, BODY_BYTES))

    @app.get(
        "/plan",
        summary="What to do with the levers, as the run advised it",
        response_model=Planned,
        responses={**NO_TOKEN, **NO_PLAN},
    )
    async def told(request: Request) -> Response:
        bundle = live.now.bundle
        plan = _plan(bundle)
        return _answer(request, bundle, plan, plan.advice, plan.tried)

    @app.post(
        "/plan",
        summary="Another plan from the same curves, with another budget or within other bounds",
        response_model=Planned,
        responses={**REASONS, **NO_PLAN},
        openapi_extra=PLAN,
    )
    async def made(request: Request) -> Response:
        bundle = live.now.bundle
        plan = _plan(bundle)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError(415, f"Content-Type {kind or 'is missing'!r} is not understood; give application/json")
        try:
            advice, tried = another(plan, Question.read(read_json(await read_body(request, limits)), plan.names))
        except RecipeError as error:
            raise RefusedError(422, "; ".join(str(error).splitlines())) from None
        return _answer(request, bundle, plan, advice, tried)


def _plan(bundle: Bundle) -> Plan:
    """Raises: RefusedError: the release has none."""
    if FILE not in bundle:
        raise RefusedError(404, "this release has no plan: its recipe has no key 'plan'")
    return _read(bundle.file(FILE).read_bytes())


@lru_cache(maxsize=2)  # of what answers, and of what will
def _read(data: bytes) -> Plan:
    return Plan.from_bytes(data)


def _answer(request: Request, bundle: Bundle, plan: Plan, advice: Advice, tried: Advice | None) -> Response:
    facts = {name: getattr(plan, name) for name in ("target", "unit", "value", "since", "until", "confidence")}
    told = {"model": bundle.name, "release": bundle.hash, "request_id": request.scope[ID], **facts}
    spent = {lever.name: lever.cost for lever in plan.levers}
    advised = {"advice": advice.as_json(), "tried": tried.as_json() if tried else None}
    return json_response({**told, "spent": spent, **advised})
