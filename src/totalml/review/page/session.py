"""Who is at the page: a cookie that holds the token of an invitation, and limits for whoever tries others."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COOKIE = "review"
LONGEST_TOKEN = 128  # characters
KNOWN = 10_000  # callers that are kept in mind


def token_of(request: Request) -> str:
    return request.cookies.get(COOKIE, "")[:LONGEST_TOKEN]


def sign_in(response: Response, token: str, seconds: int, secure: bool) -> None:
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=secure, path="/")


def form_key(token: str) -> str:
    """What a form of ours holds and no other site can know; the same after a restart."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"review form", hashlib.sha256).hexdigest()


def is_form_key(given: object, token: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), form_key(token).encode())


def ticket_of(key: str, item: str) -> str:
    """That an item was given to a reviewer, for when nobody remembers the lease: after a restart, or long after it.

    Args: key: as `form_key`.
    """
    return hmac.new(key.encode(), f"review item {item}".encode(), hashlib.sha256).hexdigest()


def is_ticket(given: str, key: str, item: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), ticket_of(key, item).encode())


class Limit:
    """So many calls in a row, and so many more each second, by caller. On one event loop, so without a lock.

    Args: clock: seconds that only grow.
    """

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> calls left, and when that was

    def allows(self, caller: str) -> bool:
        """Whether this one may, which counts as a call."""
        now = self._clock()
        left, when = self._left.get(caller, (self._burst, 0.0))
        left = min(self._burst, left + (now - when) * self._per_second)
        if left < 1:
            return False
        self._left[caller] = (left - 1, now)
        self._left.move_to_end(caller)
        while len(self._left) > KNOWN:
            self._left.popitem(last=False)
        return True
