"""The routes of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from totalml import __version__
from totalml.serving.answering import Answering
from totalml.serving.answers import answer_of
from totalml.serving.exchange import Asked
from totalml.serving.feedback import add_feedback
from totalml.serving.guard import Guard
from totalml.serving.inference_forms import InferenceRequest
from totalml.serving.inference_protocol import add_inference_protocol
from totalml.serving.limits import Limits
from totalml.serving.plan import add_plan
from totalml.serving.requests import read_request
from totalml.serving.schema import NO_TOKEN, PREDICT, REASONS, Labels, Predictions, Question, Rows, describe
from totalml.serving.way_in import Answer, WayIn, answer_refused, json_response, refusing

if TYPE_CHECKING:
    from totalml.release.signature import Signature
    from totalml.serving.service import Service

PAGE = Path(__file__).with_name("docs.html")
OWN_ONLY = {"Content-Security-Policy": "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"}


def create_app(service: Service) -> ASGIApp:
    live, limits, figures = service.live, service.limits, service.figures
    way_in = WayIn(live, limits, service.arms, figures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    # The page that FastAPI brings takes its scripts from a server elsewhere.
    title = f"Total ML: {live.model}"
    app = FastAPI(title=title, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False  # to an address that the caller's own Host would name

    @app.post(
        "/predict",
        summary="What the model says of pictures or rows",
        response_model=Predictions,
        responses=REASONS,
        openapi_extra=PREDICT,
    )
    async def predict(request: Request) -> Response:
        return await way_in.answer(request, _read)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(PAGE.read_bytes(), media_type="text/html; charset=utf-8", headers=OWN_ONLY)

    @app.get("/healthz", summary="Whether the process lives")
    async def healthz() -> Response:
        return json_response({"alive": True})

    @app.get("/readyz", summary="Whether it answers, with which release, and what went wrong with a newer one")
    async def readyz() -> Response:
        told = {"ready": True, "release": live.now.release, "challenger": _challenger(live)}
        return json_response(told | {"failed": live.failed or None})

    @app.get("/version", summary="What answers, and what it takes and gives", responses=NO_TOKEN)
    async def version() -> Response:
        loaded = live.now
        told = {
            "model": loaded.bundle.name,
            "follows": live.alias,
            "release": loaded.release,
            "challenger": _challenger(live),
            "totalml": __version__,
        }
        facts = {name: loaded.bundle.facts.get(name) for name in ("run_id", "attempt", "data_hash", "config_hash")}
        return json_response(told | facts | {"signature": loaded.scorer.signature.as_json()})

    @app.get(
        "/metrics",
        summary="Figures of this process for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **NO_TOKEN},
    )
    async def metrics() -> Response:
        figures.swaps.set(live.swaps)
        figures.swap_failed.set(bool(live.failed))
        if service.log is not None:
            figures.logged.set(service.log.written)
            figures.dropped.set(service.log.dropped)
            figures.looking.set(service.log.looked_at.seconds)
        if service.housekeeping is not None:
            figures.housekeeping_failed.set(bool(service.housekeeping.failed))
        return Response(figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    add_inference_protocol(app, live, way_in)
    add_feedback(app, live, limits, figures, service.feedback)
    add_plan(app, live, limits)
    describe(app, Rows, InferenceRequest, Labels, Question)
    answer_refused(app)
    # Around FastAPI, and not in it: what it puts around a route costs as much as all else of a small request.
    direct = {("POST", "/predict"): refusing(predict)}
    return Guard(app, service.token, figures, direct, service.traces.tell if service.traces else None)


def _challenger(live: Answering) -> dict[str, Any] | None:
    beside = live.beside
    if beside is None:
        return None
    return {"release": beside.arm.loaded.release, "stage": beside.arm.name, "share": beside.share}


async def _read(request: Request, signature: Signature, limits: Limits) -> tuple[Asked, Answer]:
    asked = await read_request(request, signature, limits)
    return asked, lambda answered: json_response(answer_of(asked, answered))
