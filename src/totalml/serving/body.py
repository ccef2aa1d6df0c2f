"""The body of a request, within limits that are looked at before anything is read; and why one was refused."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from totalml.serving.limits import Limits

if TYPE_CHECKING:
    from starlette.requests import Request

HISTORY = 64  # rows of before, that a request may hold for each of the samples that it may ask of
MOST_COMMAS = 2**17  # of a JSON, and so of its values: 64 samples of 2,000 columns
_LENGTH = re.compile("[0-9]{1,18}")


class RefusedError(Exception):
    """A request that gets no answer.

    Args:
        status: of HTTP.
        reason: for the person who sent it.
        headers: of the refusal.
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


async def read_body(request: Request, limits: Limits) -> bytes:
    """Raises: RefusedError: it is too long, too slow or not all there."""
    if read_length("Content-Length", request.headers.get("content-length", "0")) > limits.body_bytes:
        raise _too_long(limits)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_s):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise _too_long(limits)
                parts.append(part)
    except TimeoutError:
        raise RefusedError(408, f"the request was not here after {limits.body_s:g} s") from None
    except ClientDisconnect:
        raise RefusedError(400, "the request ended before all of it was here") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def announced(request: Request, limits: Limits) -> int:
    """Bytes that its body may take; one that does not say takes all that one may."""
    length = request.headers.get("content-length", "")
    return min(int(length), limits.body_bytes) if _LENGTH.fullmatch(length) else limits.body_bytes


def read_length(header: str, value: str) -> int:
    """Raises: RefusedError: it is no number of bytes."""
    if not _LENGTH.fullmatch(value):
        raise RefusedError(400, f"{header} {value[:20]!r} is no number of bytes")
    return int(value)


def read_json(data: bytes) -> Any:
    """Raises: RefusedError: it is none, or holds half a character, which could be neither answered nor kept."""
    # Counted in the text: a value of 3 bytes, and the mistake that it is, would take up to 2 kB of memory each.
    if (commas := data.count(b",")) > MOST_COMMAS:
        raise RefusedError(413, f"the JSON has {commas:,} commas; at most {MOST_COMMAS:,} are read")
    try:
        values = json.loads(data.decode(), parse_constant=_no_constant)
        if b"\\u" in data:
            json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the JSON cannot be read: {error}") from None
    return values


def refuse_many(count: int, limits: Limits) -> None:
    """Raises: RefusedError: more samples than a request may hold."""
    if count > limits.samples:
        raise RefusedError(413, f"{count} samples in one request; at most {limits.samples} are taken")


def refuse_long(history: int, limits: Limits) -> None:
    """Raises: RefusedError: more rows of history than a request may hold."""
    if history > (most := HISTORY * limits.samples):
        raise RefusedError(413, f"{history:,} rows of history in one request; at most {most:,} are taken")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON; leave out what is not known, or give null")


def _too_long(limits: Limits) -> RefusedError:
    return RefusedError(413, f"the request is longer than {limits.body_bytes:,} bytes")
