"""A form that somebody sent: of ours, within limits, and what its fields mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from totalml.review.page.answers import RefusedError
from totalml.review.page.card import place_given
from totalml.review.page.session import is_form_key, token_of
from totalml.review.said import KEY, LONGEST_COMMENT, LONGEST_SECONDS, read_place

LONGEST_BODY = 64 * 1024  # bytes
NO_FORM = "That is no form of this page."


@dataclass(frozen=True)
class Form:
    """Args: fields: name -> what was sent for it."""

    fields: Mapping[str, Sequence[str]]

    @classmethod
    async def read(cls, request: Request, url: str) -> Self:
        """Args: url: by which people reach the page; empty: by the host that they name.

        Raises: RefusedError: it is too long or none, or another site sent it.
        """
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_BODY:
                raise RefusedError(413, "That is too long.")
        try:
            form = cls(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=200))
        except ValueError:
            raise RefusedError(400, NO_FORM) from None
        # A proxy may name itself or this service as the host; the page is at home under both.
        origin, homes = request.headers.get("origin"), (request.headers.get("host"), urlsplit(url).netloc)
        elsewhere = origin not in (None, "null") and urlsplit(origin).netloc not in homes
        if elsewhere or not is_form_key(form.one("form_key"), token_of(request)):
            raise RefusedError(403, "This did not come from your page. Open it again and try once more.")
        return form

    def one(self, name: str) -> str:
        """The last that was sent; empty: nothing was."""
        return self.fields[name][-1] if self.fields.get(name) else ""

    @property
    def key(self) -> str:
        """Raises: RefusedError: it is none that a page of ours chooses."""
        if not KEY.fullmatch(self.one("key")):
            raise RefusedError(400, NO_FORM)
        return self.one("key")

    @property
    def comment(self) -> str:
        return self.one("comment")[:LONGEST_COMMENT]

    @property
    def seconds(self) -> float:
        """0 where it is no number."""
        try:
            given = float(self.one("seconds"))
        except ValueError:
            return 0.0
        return min(max(given, 0.0), LONGEST_SECONDS) if math.isfinite(given) else 0.0

    @property
    def place(self) -> list[float] | None:
        """Raises: RefusedError: it is none."""
        try:
            return read_place(place_given(self.one("at"))) if self.one("at") else None
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
