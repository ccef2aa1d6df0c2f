"""`/feedback`: labels that come later. They are in the store before the caller is told so, as none may be lost then.

A log that loses its last second loses little; a label is an hour of somebody's work. One thread writes, so no answer of
the model waits for a store; what came while it wrote becomes one segment, so many callers at once make few files.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fastapi import FastAPI, Request, Response

from totalml.background import STOPS_WITHIN_S
from totalml.labels.columns import by_schema, table_of
from totalml.labels.label import read_labels, truth_of
from totalml.labels.labels import Segments
from totalml.serving.body import RefusedError, read_body, read_json
from totalml.serving.figures import Figures
from totalml.serving.guard import ID
from totalml.serving.limits import Limits
from totalml.serving.schema import FEEDBACK, REASONS, Kept
from totalml.serving.way_in import json_response
from totalml.store import Store
from totalml.terminal import say

if TYPE_CHECKING:
    from totalml.release.signature import Signature
    from totalml.serving.answering import Answering

MOST = 1_000  # labels in a request
BODY_BYTES = 2**20  # of a request
AT_ONCE = 64  # requests under way; more are told to come again
WHO = "feedback"
NOT_KEPT: dict[int | str, dict[str, Any]] = {404: {**REASONS[422], "description": "This service keeps no labels"}}


@dataclass(frozen=True)
class _Waiting:
    table: pa.Table
    kept: Future[None]


class Feedback:
    """Args:
    store: where the labels go.
    model: whose answers they are of.
    """

    def __init__(self, store: Store, model: str) -> None:
        self._segments = Segments(store, model)
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="feedback", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After all that waits has been written, or when it takes too long."""
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(2 * STOPS_WITHIN_S)

    def keep(self, table: pa.Table) -> Future[None]:
        """Done when the labels are in the store, or could not be written there."""
        waiting = _Waiting(table, Future())
        self._waiting.put(waiting)
        return waiting.kept

    def _write(self) -> None:
        ends = False
        while not ends:
            some = [self._waiting.get()]
            with suppress(Empty):
                while True:
                    some.append(self._waiting.get_nowait())
            ends = None in some
            # From here on a caller who left can no longer take back what is being written.
            begun = [each for each in some if each is not None and each.kept.set_running_or_notify_cancel()]
            for alike in by_schema(begun, lambda waiting: waiting.table):
                self._save(alike)

    def _save(self, some: list[_Waiting]) -> None:
        try:
            self._segments.save(pa.concat_tables([each.table for each in some]))
        except Exception as error:  # of whatever filesystem: the next ones may be kept
            say(f"labels could not be kept: {error}")
            for each in some:
                each.kept.set_exception(error)
        else:
            for each in some:
                each.kept.set_result(None)


def add_feedback(app: FastAPI, live: Answering, limits: Limits, figures: Figures, feedback: Feedback | None) -> None:
    """Args: feedback: None: the service keeps no labels, and says so."""
    limits = replace(limits, body_bytes=min(limits.body_bytes, BODY_BYTES))
    under_way: list[Any] = []  # on one event loop, so it counts without a lock

    @app.post(
        "/feedback",
        summary="What turned out to be true of requests that were answered",
        response_model=Kept,
        responses={**REASONS, **NOT_KEPT},
        openapi_extra=FEEDBACK,
    )
    async def take(request: Request) -> Response:
        if feedback is None:
            raise RefusedError(
                404, "this service keeps no predictions and no labels: it has no store, or was started with --no-log"
            )
        if len(under_way) >= AT_ONCE:
            raise RefusedError(503, f"{AT_ONCE} requests are under way; come again", {"Retry-After": "1"})
        under_way.append(request)
        try:
            table = await _read(request, live.now.scorer.signature, limits)
            await _keep(feedback, table)
            figures.labels.inc(len(table))
        finally:
            under_way.remove(request)
        return json_response({"kept": len(table), "request_id": request.scope[ID]})


async def _keep(feedback: Feedback, table: pa.Table) -> None:
    try:
        await asyncio.wrap_future(feedback.keep(table))
    except Exception as error:
        raise RefusedError(
            503, "the labels could not be written to the store; none is kept, send them again", {"Retry-After": "5"}
        ) from error


async def _read(request: Request, signature: Signature, limits: Limits) -> pa.Table:
    """Raises: RefusedError, DataError: it is too large, too slow, or not labels of this model; names all mistakes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, f"Content-Type {kind or 'is missing'!r} is not understood; give application/json")
    given = read_json(await read_body(request, limits))
    labels = given.get("labels") if isinstance(given, dict) and len(given) == 1 else None
    if not isinstance(labels, list) or not labels or not all(isinstance(each, dict) for each in labels):
        raise RefusedError(422, 'expected {"labels": [{"request_id": "...", "label": ...}, ...]}')
    if len(labels) > MOST:
        raise RefusedError(413, f"{len(labels):,} labels in one request; at most {MOST:,} are taken")
    truth = truth_of(signature)
    return table_of(read_labels(labels, truth), truth, WHO)
