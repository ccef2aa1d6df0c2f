"""The one way to the model, for all routes: so many at once, read within limits, scored in batches, or refused.

Whatever a client sends, it gets JSON, and the next one is not harmed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from totalml.errors import DataError, FeatureError
from totalml.serving.answering import Answering
from totalml.serving.arms import Arms
from totalml.serving.body import RefusedError, announced
from totalml.serving.exchange import ANSWERED, ASKED, Answered, Asked
from totalml.serving.figures import Figures
from totalml.serving.guard import ID, encoded
from totalml.serving.limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from totalml.release.signature import Signature

Answer = Callable[[Answered], Response]
Read = Callable[[Request, "Signature", Limits], Awaitable[tuple[Asked, Answer]]]


SHOWN = 80  # characters of a path in a reason
LONGEST_REASON = 8_000  # characters; whoever sends many mistakes is not to get more than that back
REFUSED = (RefusedError, HTTPException, DataError, FeatureError)
Handler = Callable[[Request], Awaitable[Response]]


class WayIn:
    """On one event loop, so it counts without a lock."""

    def __init__(self, live: Answering, limits: Limits, arms: Arms, figures: Figures) -> None:
        self._live, self._limits, self._arms = live, limits, arms
        self._count = self._bytes = 0
        figures.under_way.set_function(lambda: self._count)

    async def answer(self, request: Request, read: Read) -> Response:
        """Args: read: from the request to what it asks, and how the answer is written.

        Raises: RefusedError, DataError, FeatureError: what `answer_refused` answers.
        """
        with self._under_way(announced(request, self._limits)):
            asked, answer = await read(request, self._live.now.scorer.signature, self._limits)
            request.scope[ASKED] = asked
            answered = request.scope[ANSWERED] = await self._arms.answer(asked)
            return answer(answered)

    @contextmanager
    def _under_way(self, size: int) -> Iterator[None]:
        limits = self._limits
        if self._count >= limits.at_once or (self._count and self._bytes + size > limits.held_bytes):
            told = f"{self._count} requests of {self._bytes:,} bytes are under way; come again"
            raise RefusedError(503, told, {"Retry-After": "1"})
        self._count, self._bytes = self._count + 1, self._bytes + size
        try:
            yield
        finally:
            self._count, self._bytes = self._count - 1, self._bytes - size


def answer_refused(app: FastAPI) -> None:
    """What cannot be answered gets a reason, on all routes of the app."""
    for kind in REFUSED:
        app.add_exception_handler(kind, _refused)


def refusing(handler: Handler) -> Handler:
    """The same for a route that is called without the app around it."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except REFUSED as error:
            return await _refused(request, error)

    return answered


async def _refused(request: Request, error: Exception) -> Response:
    match error:
        case RefusedError():
            status, reason, headers = error.status, error.reason, error.headers
        case HTTPException():  # no such route, or not by this method
            status, reason, headers = error.status_code, _no_route(request), dict(error.headers or {})
        case _:
            status, reason, headers = 422, str(error), {}
    if (more := len(reason) - LONGEST_REASON) > 0:
        reason = f"{reason[:LONGEST_REASON]}... and {more:,} characters more"
    return json_response({"error": reason, "request_id": request.scope[ID]}, status, headers)


def _no_route(request: Request) -> str:
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.include_in_schema]
    there = ", ".join(f"{' and '.join(sorted(route.methods or ()))} {route.path}" for route in routes)
    return f"there is no route {request.method} {request.url.path[:SHOWN]}; there are: {there}"


def json_response(values: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(values), status, headers, media_type="application/json")
