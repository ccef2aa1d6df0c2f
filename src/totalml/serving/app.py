"""The routes of the service. Whatever a client sends, it gets JSON with a reason, and the next one is not harmed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from totalml import __version__
from totalml.errors import DataError, FeatureError
from totalml.serving.answers import answer_of
from totalml.serving.batcher import Answered, Asked, Batcher
from totalml.serving.figures import Figures
from totalml.serving.guard import ID, Guard, encoded
from totalml.serving.limits import Limits
from totalml.serving.live import Live
from totalml.serving.prediction_log import PredictionLog
from totalml.serving.requests import RefusedError, read_request

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "image/*": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"rows": {"type": "array", "minItems": 1, "items": {"type": "object"}}},
                "required": ["rows"],
                "additionalProperties": False,
            }
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "picture": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "rows": {"type": "string"},
                },
            }
        },
    },
}
_REASON = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reason"}}}}
_REASONS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The body cannot be read"},
    401: {"description": "The token is missing or wrong"},
    408: {"description": "The body took too long"},
    413: {"description": "Too large, or too many samples"},
    415: {"description": "A Content-Type that is not understood"},
    422: {"description": "A picture or a row that cannot be used"},
    500: {"description": "The service failed; its own log says how"},
    503: {"description": "Too much at once; come again after Retry-After"},
}


@dataclass(frozen=True)
class Service:
    """Args:
    token: that callers must show; empty: none.
    log: None: predictions are not kept.
    """

    live: Live
    limits: Limits
    token: str
    log: PredictionLog | None
    figures: Figures


def create_app(service: Service) -> ASGIApp:
    live, limits, figures = service.live, service.limits, service.figures
    batcher = Batcher(live, limits.batch, _done(service))
    under_way = _UnderWay(limits.at_once, figures)

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

    app = FastAPI(
        title=f"Total ML: {live.model}", version=__version__, lifespan=lifespan, docs_url="/docs", redoc_url=None
    )

    @app.post(
        "/predict",
        summary="What the model says of pictures or rows",
        openapi_extra={"requestBody": BODY},
        responses={status: {**about, **_REASON} for status, about in _REASONS.items()},
    )
    async def predict(request: Request) -> Response:
        if not under_way.enter():
            return _json(503, {"error": f"{limits.at_once} requests are under way; come again"}, {"Retry-After": "1"})
        try:
            asked = await read_request(request, request.scope[ID], live.now.scorer.signature, limits)
            answered = await batcher.answer(asked)
            return _json(200, answer_of(asked, answered))
        except RefusedError as refused:
            return _json(refused.status, {"error": refused.reason, "request_id": request.scope[ID]})
        except (DataError, FeatureError) as error:
            return _json(422, {"error": str(error), "request_id": request.scope[ID]})
        finally:
            under_way.leave()

    @app.get("/healthz", summary="Whether the process lives")
    async def healthz() -> Response:
        return _json(200, {"alive": True})

    @app.get("/readyz", summary="Whether it answers, with which release, and what went wrong with a newer one")
    async def readyz() -> Response:
        return _json(200, {"ready": True, "release": live.now.release, "failed": live.failed or None})

    @app.get("/version", summary="What answers, and what it takes and gives")
    async def version() -> Response:
        loaded = live.now
        told = {"model": loaded.bundle.name, "alias": live.alias, "release": loaded.release, "totalml": __version__}
        facts = {name: loaded.bundle.facts.get(name) for name in ("run_id", "attempt", "data_hash", "config_hash")}
        return _json(200, told | facts | {"signature": loaded.scorer.signature.as_json()})

    @app.get("/metrics", summary="Figures of this process for Prometheus")
    async def metrics() -> Response:
        figures.swaps.set(live.swaps)
        figures.swap_failed.set(bool(live.failed))
        if service.log is not None:
            figures.logged.set(service.log.written)
            figures.dropped.set(service.log.dropped)
        return Response(figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    _describe_reason(app)
    # Around FastAPI, and not in it: what it puts around a route costs as much as all else of a small request.
    return Guard(app, service.token, figures, _paths(app), {("POST", "/predict"): predict})


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


class _UnderWay:
    """How many requests are; on one event loop, so without a lock."""

    def __init__(self, most: int, figures: Figures) -> None:
        self._most, self._count, self._figures = most, 0, figures

    def enter(self) -> bool:
        if self._count >= self._most:
            return False
        self._count += 1
        self._figures.under_way.set(self._count)
        return True

    def leave(self) -> None:
        self._count -= 1
        self._figures.under_way.set(self._count)


def _paths(app: FastAPI) -> frozenset[str]:
    return frozenset(path for route in app.routes if (path := getattr(route, "path", "")))


def _json(status: int, values: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(values), status, headers, media_type="application/json")


def _describe_reason(app: FastAPI) -> None:
    """What an error looks like, in the OpenAPI page."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            reason = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
            schema.setdefault("components", {}).setdefault("schemas", {})["Reason"] = reason
        return app.openapi_schema or schema

    app.openapi = described  # type: ignore[method-assign]
