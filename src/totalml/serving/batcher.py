"""Score what waits: one request alone when it is quiet, many in one batch when they queue; nobody waits for a batch.

A request that cannot be used fails alone. One thread decodes and scores, so a request is handed over once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import TotalmlError
from totalml.serving.exchange import Answered, Asked, Loaded
from totalml.serving.limits import STOPS_WITHIN_S
from totalml.serving.live import Answering

if TYPE_CHECKING:
    from totalml.release.scorer import Inputs


Done = Callable[[Asked, Answered], None]
_Waiting = tuple[Asked, "asyncio.Future[Answered]"]


class Batcher:
    """Args:
    most: samples in a batch.
    done: told of each answer, in the thread that scores; it must not block.
    """

    def __init__(self, live: Answering, most: int, done: Done) -> None:
        self._live, self._most, self._done = live, most, done
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="score", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.batches = 0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """After what waits has been answered, or when it takes too long."""
        self._queue.put(None)
        self._thread.join(STOPS_WITHIN_S)

    async def answer(self, asked: Asked) -> Answered:
        """Raises: DataError, FeatureError: it cannot be used. ModelError: the model cannot run."""
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._queue.put((asked, future))
        return await future

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, end = self._with_those_that_wait(first)
            self._answer(batch)
            if end:
                return

    def _with_those_that_wait(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch, samples = [first], len(first[0].ids)
        while samples < self._most:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
            samples += len(following[0].ids)
        return batch, False

    def _answer(self, batch: Sequence[_Waiting]) -> None:
        loaded, taken = self._live.now, time.perf_counter()
        results: list[tuple[asyncio.Future[Answered], Answered | Exception]] = []
        usable: list[tuple[_Waiting, Inputs]] = []
        for waiting in batch:
            asked, future = waiting
            asked.taken = taken
            if future.cancelled():  # the service ends, or its client has gone
                continue
            try:
                usable.append((waiting, loaded.scorer.inputs(asked.ids, asked.pictures, asked.rows)))
            except TotalmlError as error:
                results.append((future, error))
            except Exception as error:  # whatever an input may do, the thread goes on
                results.append((future, error))
        results += self._scored(loaded, usable)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, results)

    def _scored(
        self, loaded: Loaded, usable: Sequence[tuple[_Waiting, Inputs]]
    ) -> list[tuple[asyncio.Future[Answered], Answered | Exception]]:
        if not usable:
            return []
        explain = loaded.scorer.explains and any(asked.explain for (asked, _), _ in usable)
        try:
            scored = loaded.scorer.score(_joined([inputs for _, inputs in usable]), explain)
        except Exception as error:
            return [(future, error) for (_, future), _ in usable]
        self.batches += 1
        results: list[tuple[asyncio.Future[Answered], Answered | Exception]] = []
        first = 0
        for (asked, future), inputs in usable:
            answered = Answered(loaded, scored, first, len(asked.ids), inputs)
            self._done(asked, answered)
            results.append((future, answered))
            first += len(asked.ids)
        return results


def _joined(parts: Sequence[Inputs]) -> Inputs:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _resolve(results: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in results:
        if future.done():  # its client has gone
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
