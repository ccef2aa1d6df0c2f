"""The routes of the service, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from totalml import __version__
from totalml.serving.answers import answer_of
from totalml.serving.batcher import Batcher
from totalml.serving.exchange import Answered, Asked
from totalml.serving.figures import Figures
from totalml.serving.guard import Guard
from totalml.serving.inference_forms import InferenceRequest
from totalml.serving.inference_protocol import add_inference_protocol
from totalml.serving.limits import Limits
from totalml.serving.live import Answering
from totalml.serving.prediction_log import PredictionLog
from totalml.serving.requests import read_request
from totalml.serving.schema import NO_TOKEN, PREDICT, REASONS, Predictions, Rows, describe
from totalml.serving.way_in import Answer, WayIn, answer_refused, json_response, refusing

if TYPE_CHECKING:
    from totalml.release.signature import Signature
    from totalml.serving.traces import Traces


PAGE = Path(__file__).with_name("docs.html")
OWN_ONLY = {"Content-Security-Policy": "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"}


@dataclass(frozen=True)
class Service:
    """Args:
    token: that callers must show; empty: none.
    log: None: predictions are not kept.
    traces: None: there are none.
    """

    live: Answering
    limits: Limits
    token: str
    log: PredictionLog | None
    figures: Figures
    traces: Traces | None = None


def create_app(service: Service) -> ASGIApp:
    live, limits, figures = service.live, service.limits, service.figures
    batcher = Batcher(live, limits.batch, _done(service))
    way_in = WayIn(live, limits, batcher, figures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        live.start()
        if service.log is not None:
            service.log.start()
        yield
        live.stop()
        batcher.stop()
        if service.log is not None:
            service.log.stop()
        if service.traces is not None:
            service.traces.stop()

    # The page that FastAPI brings takes its scripts from a server elsewhere.
    title = f"Total ML: {live.model}"
    app = FastAPI(title=title, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)

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
        return json_response({"ready": True, "release": live.now.release, "failed": live.failed or None})

    @app.get("/version", summary="What answers, and what it takes and gives", responses=NO_TOKEN)
    async def version() -> Response:
        loaded = live.now
        told = {"model": loaded.bundle.name, "follows": live.alias, "release": loaded.release, "totalml": __version__}
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
        return Response(figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    add_inference_protocol(app, live, way_in)
    describe(app, Rows, InferenceRequest)
    answer_refused(app)
    # Around FastAPI, and not in it: what it puts around a route costs as much as all else of a small request.
    direct = {("POST", "/predict"): refusing(predict)}
    return Guard(app, service.token, figures, direct, service.traces.tell if service.traces else None)


async def _read(request: Request, signature: Signature, limits: Limits) -> tuple[Asked, Answer]:
    asked = await read_request(request, signature, limits)
    return asked, lambda answered: json_response(answer_of(asked, answered))


def _done(service: Service) -> Callable[[Asked, Answered], None]:
    def done(asked: Asked, answered: Answered) -> None:
        figures, release, scored = service.figures, answered.loaded.release, answered.scored
        figures.samples.labels(release).inc(answered.count)
        figures.batch.observe(answered.count)
        if scored.strange is not None:
            some = scored.strange[answered.first : answered.first + answered.count]
            figures.strange.labels(release).inc(int(some.sum()))
        if service.log is not None:
            service.log.add(asked, answered)

    return done
