"""Score what waits: one request alone when it is quiet, many in one batch when they queue; nobody waits for a batch.

A request that cannot be used fails alone. One thread decodes and scores, so a request is handed over once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from totalml.background import STOPS_WITHIN_S
from totalml.data.image import own_rules, stated_size
from totalml.release.onnx_model import IMAGE
from totalml.serving.body import RefusedError
from totalml.serving.exchange import Answered, Arm, Asked
from totalml.serving.limits import Limits

if TYPE_CHECKING:
    from totalml.release.scorer import Inputs, Scored, Scorer

MOST_UNSEEN = 64  # requests that wait to be scored by a shadow; further ones are left out


class Listener(Protocol):
    """Told of each batch and request in the thread that scores; it must not block."""

    def scored(self, arm: Arm, scored: Scored) -> None: ...

    def done(self, asked: Asked, answered: Answered) -> None: ...

    def failed(self, asked: Asked, arm: Arm, error: Exception) -> None: ...


_Future = asyncio.Future[Answered] | None  # None: nobody waits for it
_Waiting = tuple[Asked, _Future]
_Result = tuple[_Future, Answered | Exception]


class Batcher:
    """Args:
    name: of its thread.
    arm: asked before each batch what is to score it.
    limits: of a batch, and of the pixels of a request.
    """

    def __init__(self, name: str, arm: Callable[[], Arm], limits: Limits, listener: Listener) -> None:
        self._arm, self._limits, self._listener = arm, limits, listener
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
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

    def offer(self, asked: Asked) -> bool:
        """Score it unseen, if not too much waits already.

        Returns: whether it will be.
        """
        if self._queue.qsize() >= MOST_UNSEEN:
            return False
        self._queue.put((asked, None))
        return True

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, end = self._with_those_that_wait(first)
            self._answer(batch)
            if end:
                return

    def _with_those_that_wait(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch, samples = [first], len(first[0].ids)
        while samples < self._limits.batch:
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
        arm, taken = self._arm(), time.perf_counter()
        results: list[_Result] = []
        usable: list[tuple[_Waiting, Inputs]] = []
        with own_rules:  # once for all of them
            for waiting in batch:
                asked, future = waiting
                if future is not None:
                    if future.cancelled():  # the service ends, or its client has gone
                        continue
                    asked.taken = taken
                try:
                    _refuse_large(asked.pictures or (), self._limits)
                    usable.append((waiting, inputs_of(asked, arm.loaded.scorer)))
                except Exception as error:  # whatever an input may do, the thread goes on
                    results.append(self._failed(waiting, arm, error))
        results += self._scored(arm, usable)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, results)

    def _scored(self, arm: Arm, usable: Sequence[tuple[_Waiting, Inputs]]) -> list[_Result]:
        if not usable:
            return []
        scorer = arm.loaded.scorer
        explain = scorer.explains and any(asked.explain for (asked, _), _ in usable)
        try:
            scored = scorer.score(_joined([inputs for _, inputs in usable]), explain)
        except Exception as error:
            return [self._failed(waiting, arm, error) for waiting, _ in usable]
        self.batches += 1
        self._listener.scored(arm, scored)
        results: list[_Result] = []
        first = 0
        for (asked, future), inputs in usable:
            answered = Answered(arm, scored, first, len(asked.ids), inputs)
            self._listener.done(asked, answered)
            results.append((future, answered))
            first += len(asked.ids)
        return results

    def _failed(self, waiting: _Waiting, arm: Arm, error: Exception) -> _Result:
        asked, future = waiting
        self._listener.failed(asked, arm, error)
        return future, error


def inputs_of(asked: Asked, scorer: Scorer) -> Inputs:
    """What the model sees of it; decoded once for two that see alike.

    Raises: DataError, FeatureError: it cannot be used."""
    seen = asked.seen
    decoded = seen.inputs.get(IMAGE) if seen and scorer.sees_as(seen.loaded.scorer) else None
    if asked.history is None or asked.rows is None:
        return scorer.inputs(asked.ids, asked.pictures, asked.rows, decoded)
    import pyarrow as pa

    before = len(asked.history)
    inputs = scorer.inputs(asked.ids, asked.pictures, pa.concat_tables([asked.history, asked.rows]), decoded)
    return {name: values if name == IMAGE else values[before:] for name, values in inputs.items()}


def _refuse_large(pictures: Sequence[bytes], limits: Limits) -> None:
    """Raises: RefusedError: they would take too long to decode; a single one is bounded by the signature."""
    if len(pictures) < 2:
        return
    megapixels = sum(width * height for width, height in map(stated_size, pictures)) / 1e6
    if megapixels > limits.megapixels:
        told = f"the {len(pictures)} pictures have {megapixels:.4g} megapixels together"
        raise RefusedError(413, f"{told}; at most {limits.megapixels:g} are decoded for one request")


def _joined(parts: Sequence[Inputs]) -> Inputs:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _resolve(results: Sequence[_Result]) -> None:
    for future, result in results:
        if future is None or future.done():  # its client has gone
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
