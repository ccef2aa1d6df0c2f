"""A connection that bears what uvicorn's own lets pass: a client that says little or nothing, or that never ends.

The head of a request must come in time and be short, so must what is no body between two pieces of one, and few
requests may be sent ahead of their answers. What is no HTTP gets a reason in JSON, as any other request does.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

from httptools import HttpParserInvalidMethodError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 20.0  # from the first byte, or from the connection, to the end of a request's head
HEAD_BYTES = 2**16  # of a head, and of what is no body between two pieces of one
LINGER_S = 1.0  # for which what still comes after a refusal is dropped: closed at once, the reason might be lost
AHEAD = 64  # requests that wait for the answer to an earlier one of their connection

_NO_HTTP = "400 Bad Request", "this is no HTTP/1.1 request"
_NO_METHOD = "501 Not Implemented", "no method of this name is known; names are case-sensitive"
_LONG_HEAD = "431 Request Header Fields Too Large", f"the head of a request is longer than {HEAD_BYTES:,} bytes"
_FAR_AHEAD = "400 Bad Request", f"more than {AHEAD} requests wait for an answer on this connection; open several"
_FIRST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\.[01]\r?\n")  # of a request, whatever its method


class _Refused(Exception):
    pass


class ImpatientProtocol(HttpToolsProtocol):
    """Between two requests uvicorn's own `timeout_keep_alive` counts until a byte comes."""

    _due: asyncio.TimerHandle | None = None
    _came = b""  # last, while it is read
    _refused = False
    _no_body = 0  # bytes that came since a body, or a head, was read
    _refusal = _NO_HTTP

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._no_body += len(data)
        self._came = data
        super().data_received(data)
        self._came = b""
        if self._no_body > HEAD_BYTES and not self._refused:
            self._refusal = _LONG_HEAD
            self.send_400_response("")
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._due is not None:
            self._due.cancel()

    def on_headers_complete(self) -> None:
        self._no_body = 0
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._refuse(_LONG_HEAD)
        if len(self.pipeline) >= AHEAD:
            self._refuse(_FAR_AHEAD)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._no_body = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Args: msg: of uvicorn; ours says more."""
        # The parser says the same of what is no HTTP at all.
        unknown = isinstance(sys.exception(), HttpParserInvalidMethodError) and _FIRST_LINE.match(self._came)
        status, reason = _NO_METHOD if unknown else self._refusal
        data = json.dumps({"error": reason}).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + data)
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)

    def _refuse(self, refusal: tuple[str, str]) -> None:
        """End what the parser is at."""
        self._refusal = refusal
        raise _Refused

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
