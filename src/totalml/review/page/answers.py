"""What goes wrong, as a page for people or as JSON for our script: never a traceback."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from totalml.errors import StoreError, TotalmlError
from totalml.report.markup import tag
from totalml.review.page.shell import HEADERS, notice, page
from totalml.terminal import say

Handler = Callable[[Request], Awaitable[Response]]


class RefusedError(Exception):
    """Args: told: to the person at the page."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status, self.told = status, told


def guarded(handler: Handler) -> Handler:
    """With a page for whatever goes wrong, and headers that let a page use nothing but this service."""

    async def answered(request: Request) -> Response:
        try:
            response = await handler(request)
        except RefusedError as error:
            response = told(request, error.status, error.told)
        except StoreError as error:
            say(f"the store: {error}")
            response = told(request, 503, "It could not be kept at the moment. Nothing is lost: send it again.")
        except TotalmlError as error:
            response = told(request, 400, str(error))
        except Exception:
            say(traceback.format_exc().rstrip())
            response = told(request, 500, "Something went wrong on our side. Go back and try again.")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answered


async def not_found(request: Request, _: Exception) -> Response:
    return told(request, 404, "There is no such page.")


def told(request: Request, status: int, told: str) -> Response:
    if wants_json(request):
        return JSONResponse({"error": told}, status, headers=HEADERS)
    onward = [tag("a", "Go on", href="/", class_="button")] if status != 401 else []
    return HTMLResponse(page("Not now", notice("Not now", told, *onward)), status, headers=HEADERS)


def wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
