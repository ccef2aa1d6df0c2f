"""A trace of each request by OpenTelemetry, made when it has been answered and sent by a thread that nobody waits for.

It is made of times that are taken anyway, so a service without traces imports no SDK and pays nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from totalml import __version__
from totalml.background import STOPS_WITHIN_S
from totalml.errors import MissingExtraError, RecipeError
from totalml.serving.exchange import ANSWERED, ASKED, Answered, Asked
from totalml.serving.guard import ID, OPEN

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from starlette.types import Scope

NEEDED = {
    "opentelemetry.sdk.trace": "opentelemetry-sdk",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
PROTOCOL = "http/protobuf"
PROTOCOL_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
LONGEST = 256  # characters of what a caller says


class Traces:
    """Args:
    processor: that takes spans without waiting, such as one of batches.
    model: the name of the service, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES gives another.
    """

    def __init__(self, processor: SpanProcessor, model: str) -> None:
        from opentelemetry import propagate, trace
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider

        named = Resource({"service.name": model}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=Resource.create(named.attributes), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("totalml", __version__)
        self._extract, self._inside = propagate.extract, trace.set_span_in_context
        self._server, self._error = trace.SpanKind.SERVER, trace.Status(trace.StatusCode.ERROR)

    def tell(self, scope: Scope, route: str, status: int, started: float) -> None:
        """Of a request that has been answered just now; probes, which ask every few seconds, are left out.

        Args:
            route: as it was declared; empty: there is none.
            status: of HTTP; 0: its client had gone.
            started: by `time.perf_counter`.
        """
        if scope["path"] in OPEN:
            return
        ended, wall = time.perf_counter(), time.time_ns()

        def at(moment: float) -> int:
            return wall - int((ended - moment) * 1e9)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"] if scope["method"] in METHODS else "HTTP"
        span = self._tracer.start_span(
            f"{method} {route}".rstrip(),
            self._extract(headers),
            self._server,
            _attributes(scope, route, status, headers),
            start_time=at(started),
        )
        if span.is_recording():
            within = self._inside(span)
            for name, begun, done in _parts(started, scope.get(ASKED), scope.get(ANSWERED)):
                self._tracer.start_span(name, within, start_time=at(begun)).end(at(done))
            if status >= 500:
                span.set_status(self._error)
        span.end(at(ended))

    def stop(self) -> None:
        """Send what waits, or give it up when it takes too long."""
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(STOPS_WITHIN_S)


def require_traces() -> None:
    """Raises: MissingExtraError: the extra is not installed. RecipeError: OTEL_* asks for another protocol."""
    for module, package in NEEDED.items():
        try:
            import_module(module)
        except ImportError as error:
            raise MissingExtraError(package, "otel", "totalml serve --traces") from error
    for variable in PROTOCOL_VARIABLES:
        if (asked := os.environ.get(variable, PROTOCOL)) != PROTOCOL:
            raise RecipeError(f"command line: {variable} is {asked!r}; --traces speaks {PROTOCOL}, on port 4318 mostly")


def open_traces(model: str) -> Traces:
    """To where the OTEL_* variables say, 4318 of this machine unless they do."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return Traces(BatchSpanProcessor(OTLPSpanExporter()), model)


def _attributes(scope: Scope, route: str, status: int, headers: dict[str, str]) -> dict[str, Any]:
    """By the conventions for HTTP servers; neither the query, which may hold metadata, nor who asked."""
    asked, answered = scope.get(ASKED), scope.get(ANSWERED)
    host, port = scope.get("server") or (None, None)
    known = scope["method"] in METHODS
    told = {
        "http.request.method": scope["method"] if known else "_OTHER",
        "http.request.method_original": None if known else scope["method"][:LONGEST],
        "http.route": route or None,
        "http.response.status_code": status or None,
        "error.type": str(status) if status >= 500 else None,
        "url.path": scope["path"][:LONGEST],
        "url.scheme": scope.get("scheme"),
        "server.address": host,
        "server.port": port,
        "network.protocol.version": scope.get("http_version"),
        "user_agent.original": headers.get("user-agent", "")[:LONGEST] or None,
        "totalml.request_id": scope[ID],
        "totalml.samples": len(asked.ids) if asked else None,
        "totalml.release": answered.loaded.release if answered else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _parts(started: float, asked: Asked | None, answered: Answered | None) -> Iterator[tuple[str, float, float]]:
    """Name, begin and end of each part that the request came to the end of."""
    if asked is not None:
        yield "read", started, asked.since
        if asked.taken is not None:
            yield "wait", asked.since, asked.taken
            if answered is not None:
                yield "score", asked.taken, answered.since
