"""Around every request: its id, the token, what it took; and no traceback ever leaves.

Plain ASGI: what frameworks offer for this costs as much as the model of a small picture.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from totalml.serving.figures import Figures

OPEN = ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")  # to whoever asks: probes have no token
HEADER = b"x-request-id"
ID = "totalml.request_id"  # in the scope
_LONGEST_ID = 128
_ID_BYTES, _IDS_AT_ONCE = 16, 256
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)

_Route = tuple[str, str]
_Handler = Callable[[Request], Awaitable["Response"]]
_Trace = Callable[["Scope", str, int, float], None]


class Guard:
    """Args:
    token: that callers must show; empty: none.
    direct: method and path -> the handler of a route that is called without the framework around it.
    trace: told of scope, route, status and start of each request when it has been answered; None: nobody is.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        figures: Figures,
        direct: Mapping[_Route, _Handler] = MappingProxyType({}),
        trace: _Trace | None = None,
    ) -> None:
        self._app, self._figures, self._direct, self._trace = app, figures, direct, trace
        self._token = f"Bearer {token}".encode() if token else b""
        self._new_ids = _new_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope[ID] = _own_id(scope["headers"]) or next(self._new_ids)
        sent: list[int] = []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent.append(message["status"])
                message["headers"] = [*message.get("headers", ()), (HEADER, scope[ID].encode())]
            await send(message)

        if self._token and scope["path"] not in OPEN and not self._shows(scope["headers"]):
            await answer(told, 401, {"error": "give the token: Authorization: Bearer ..."})
        else:
            try:
                if handler := self._direct.get((scope["method"], scope["path"])):
                    scope["route"] = SimpleNamespace(path=scope["path"])
                    await (await handler(Request(scope, receive)))(scope, receive, told)
                else:
                    await self._app(scope, receive, told)
            except Exception:  # a mistake of ours: its traceback is for our log
                traceback.print_exc(file=sys.stderr)
                if not sent:
                    await answer(told, 500, {"error": "the service failed", "request_id": scope[ID]})
        route = getattr(scope.get("route"), "path", "")  # as it was declared: no caller can make routes up
        status = sent[0] if sent else 0
        self._figures.requests.labels(route or "other", str(status)).inc()
        self._figures.seconds.observe(time.perf_counter() - started)
        if self._trace is not None:
            self._trace(scope, route, status, started)

    def _shows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        given = next((value for name, value in headers if name == b"authorization"), b"")
        return hmac.compare_digest(given, self._token)


async def answer(send: Send, status: int, values: Any) -> None:
    data = encoded(values)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def encoded(values: Any) -> bytes:
    return _JSON.encode(values).encode()


def _own_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's own, by which labels can be sent later; empty: there is none."""
    given = next((value for name, value in headers if name == HEADER), b"")
    if 0 < len(given) <= _LONGEST_ID and given.isascii() and given.decode().isprintable():
        return given.decode()
    return ""


def _new_ids() -> Iterator[str]:
    """Asked of the system for many at once: each time it is asked, another thread goes on instead."""
    while True:
        some = os.urandom(_ID_BYTES * _IDS_AT_ONCE).hex()
        yield from (some[start : start + 2 * _ID_BYTES] for start in range(0, len(some), 2 * _ID_BYTES))
