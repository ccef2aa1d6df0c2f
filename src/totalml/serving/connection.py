"""A connection that must bring a request in time: uvicorn itself lets one that says little or nothing stay for good."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0  # from the first byte, or from the connection, to the end of a request's head


class ImpatientProtocol(H11Protocol):
    """Between two requests uvicorn's own `timeout_keep_alive` counts until a byte comes."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._due is not None:
            self._due.cancel()

    def _watch(self) -> None:
        if self._waits() and self._due is None:
            self._due = self.loop.call_later(HEAD_S, self._give_up)
        elif not self._waits() and self._due is not None:
            self._due.cancel()
            self._due = None

    def _waits(self) -> bool:
        """For a request; what comes after an answer may also be the rest of a body that nobody reads."""
        return self.cycle is None or self.cycle.response_complete

    def _give_up(self) -> None:
        if self._waits():
            self.transport.close()
