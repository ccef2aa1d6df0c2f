"""The routes of the page: who may see what, and what becomes of what they send."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from totalml.labels import truth_of
from totalml.report.document import POLICY
from totalml.report.markup import Html, tag
from totalml.review.item import ASK_EXPLANATION, OF_PLANS
from totalml.review.page.answers import RefusedError, guarded, not_found, wants_json
from totalml.review.page.card import MAP, Cards, answer_given
from totalml.review.page.form import Form
from totalml.review.page.session import COOKIE, Limit, form_key, is_ticket, sign_in, token_of
from totalml.review.page.shell import HEADERS, asset, bar_of, notice, page
from totalml.review.said import Remark, now, read_answer

if TYPE_CHECKING:
    from totalml.release.signature import Signature
    from totalml.review.desk import Desk
    from totalml.review.item import Item
    from totalml.review.page.shown import Picture, Shows
    from totalml.review.said import Verdict

AHEAD = 6  # cards that a page may hold, for a network that goes away
SIGNED_IN_S = 365 * 24 * 3600  # of the cookie; the invitation ends it
ASSETS = {"review.css": "text/css", "review.js": "text/javascript"}
POLICY_HEADER = "Content-Security-Policy"
KEEP = {"Cache-Control": "private, max-age=3600"}


@dataclass
class Site:
    """Args:
    secure: whether the cookie may only go over TLS.
    figures: the page for the team; None: there is none.
    url: by which people reach it; empty: by the host that they name.
    """

    desk: Desk
    signature: Signature
    shows: Shows
    secure: bool = False
    figures: Callable[[], Html] | None = None
    url: str = ""
    calls: Limit = field(default_factory=lambda: Limit(burst=120, per_second=20))  # of a reviewer
    strangers: Limit = field(default_factory=lambda: Limit(burst=20, per_second=0.2))  # of an address

    def app(self) -> Starlette:
        ours = {
            ("GET", "/"): self._next,
            ("GET", "/cards"): self._cards,
            ("POST", "/verdicts"): self._judge,
            ("POST", "/remarks"): self._remark,
            ("POST", "/undo"): self._undo,
            ("POST", "/out"): self._out,
            ("GET", "/pictures/{item}/{name}"): self._picture,
            ("GET", "/figures"): self._figures,
        }
        routes = [Route(path, self._theirs(handler), methods=[method]) for (method, path), handler in ours.items()]
        routes += [
            Route("/in/{token}", guarded(self._in), methods=["GET"]),
            Route("/healthz", _healthz, methods=["GET"]),
            *(Route(f"/{name}", _asset, methods=["GET"]) for name in ASSETS),
        ]
        return Starlette(routes=routes, exception_handlers={404: not_found, 405: not_found})

    def _theirs(
        self, handler: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Only for reviewers, each at their own pace; a form only from a page of ours."""

        async def checked(request: Request) -> Response:
            who = await self._who(request)
            if not self.calls.allows(who):
                raise RefusedError(429, "That was very fast. Wait a moment and go on.")
            if request.method == "POST":
                request.state.form = await Form.read(request, self.url)
            return await handler(request, who)

        return guarded(checked)

    async def _who(self, request: Request) -> str:
        token = token_of(request)
        who = self.desk.reviews.reviewer(token) if token else None
        if who is None:
            self._require_few_tries(request)
            raise RefusedError(401, "Open the link that you were sent; if it no longer works, ask for a new one.")
        return who

    def _require_few_tries(self, request: Request) -> None:
        """Only of what was no token: a stranger is not to shut out whoever comes from the same address, such as a
        proxy's. Nobody guesses 256 bits however fast; what is bounded is the work that strangers make.

        Raises: RefusedError.
        """
        if not self.strangers.allows(request.client.host if request.client else ""):
            raise RefusedError(429, "Too many tries from here. Wait a few minutes.")

    async def _in(self, request: Request) -> Response:
        token = request.path_params["token"]
        if self.desk.reviews.reviewer(token) is None:
            self._require_few_tries(request)
            await run_in_threadpool(self.desk.look)  # invited just now
        if self.desk.reviews.reviewer(token) is None:
            raise RefusedError(401, "This link no longer works. Ask whoever sent it for a new one.")
        # Not by a redirect alone: a cookie that is strict is not sent along by a link in a message.
        onward = tag("a", "Go on", href="/", class_="button main")
        response = HTMLResponse(page("Welcome", notice("Welcome", onward)))
        response.headers["Refresh"] = "0; url=/"
        sign_in(response, token, SIGNED_IN_S, self.secure)
        return response

    async def _out(self, _: Request, __: str) -> Response:
        response = HTMLResponse(page("Signed out", notice("Signed out", "Open your link to go on.")))
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=self.secure)
        return response

    async def _next(self, request: Request, who: str) -> Response:
        items = self.desk.next(who)  # at once: among the threads it would wait for those that write
        return self._page(request, who, self._card(request, items[0]) if items else _done(self.figures is not None))

    async def _cards(self, request: Request, who: str) -> Response:
        have = request.query_params.get("have", "").split(",")[: 2 * AHEAD]
        items = self.desk.next(who, max(AHEAD - len(have), 1), have)
        shown = [{"item": each.item, "html": self._card(request, each)} for each in items]
        return JSONResponse({"cards": shown, **self._standing(who)})

    async def _judge(self, request: Request, who: str) -> Response:
        form, item = request.state.form, self._given(request, who)
        try:
            answer = answer_given(form.fields, item.ask, self.signature)
            answer = read_answer(answer, item.ask, truth_of(self.signature), self.desk.settings.reasons)
            given = await run_in_threadpool(self.desk.give, who, form.key, item, answer, form.seconds, form.comment)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        except KeyError:
            raise RefusedError(409, "This form was sent before, about something else. Open the page again.") from None
        shown = await run_in_threadpool(self._revealed, request, item, given)
        if wants_json(request):
            return JSONResponse({"reveal": shown, **self._standing(who)})
        return self._page(request, who, shown) if shown else RedirectResponse("/", 303)

    def _revealed(self, request: Request, item: Item, given: Verdict) -> Html | None:
        """None: it is judged blind, and stays so; or it was seen whole before."""
        if item.is_blind or item.ask in OF_PLANS:
            return None
        return self._cards_of(request).reveal(item, given, self.shows.revealed(item))

    async def _remark(self, request: Request, who: str) -> Response:
        form = request.state.form
        verdict = self.desk.reviews.verdict(form.one("verdict"))
        if verdict is None or verdict.who != who:
            raise RefusedError(404, "There is no such verdict of yours.")
        remark = Remark(form.key, verdict.key, who, now(), form.place, form.comment)
        await run_in_threadpool(self.desk.remark, remark)
        return JSONResponse({"kept": True}) if wants_json(request) else RedirectResponse("/", 303)

    async def _undo(self, request: Request, who: str) -> Response:
        form = request.state.form
        key = form.key if "key" in form.fields else uuid.uuid4().hex
        item = await run_in_threadpool(self.desk.take_back, who, key)
        if not wants_json(request):
            return self._page(request, who, self._card(request, item)) if item else RedirectResponse("/", 303)
        card = {"item": item.item, "html": self._card(request, item)} if item else None
        return JSONResponse({"card": card, **self._standing(who)})

    async def _picture(self, request: Request, who: str) -> Response:
        item = self._item(request.path_params["item"], who)
        found = await run_in_threadpool(self._found, item, request.path_params["name"], who)
        if found is None:
            raise RefusedError(404, "This picture is gone.")
        return Response(found.data, media_type=found.kind, headers=KEEP)

    def _found(self, item: Item, name: str, who: str) -> Picture | None:
        """Of an item that is theirs: its pictures, and what shows the model's mind only once they have judged."""
        if name.isascii() and name.isdigit() and len(name) < 4 and int(name) < len(item.pictures):
            return self.shows.picture(item.pictures[int(name)])
        judged = not item.is_blind and self.desk.reviews.last_of(item.item, who) is not None
        if not judged and not (item.ask == ASK_EXPLANATION and name == MAP):
            return None
        revealed = self.shows.revealed(item)
        if revealed is None or name == MAP:
            return revealed.map if revealed else None
        likes = {f"like{place}": each.picture for place, each in enumerate(revealed.look_alikes)}
        return self.shows.picture(likes[name]) if name in likes else None

    async def _figures(self, _: Request, who: str) -> Response:
        """Only of who has judged what waits: what the others say must sway nobody."""
        if self.figures is None:
            raise RefusedError(404, "There is no such page.")
        if waiting := self.desk.standing(who).waiting:
            raise RefusedError(403, f"What everybody says is shown once you have judged the {waiting:,} that wait.")
        return HTMLResponse(await run_in_threadpool(self.figures), headers={POLICY_HEADER: POLICY})

    def _item(self, name: str, who: str) -> Item:
        item = self.desk.of(who, name)
        if item is None:
            raise RefusedError(404, "This is not yours to judge now: it went to somebody else, or is gone.")
        return item

    def _given(self, request: Request, who: str) -> Item:
        """What a form is about: no verdict is lost because a lease is over or the service was started again."""
        form = request.state.form
        name, key = form.one("item"), form_key(token_of(request))
        known = self.desk.item(name) if is_ticket(form.one("ticket"), key, name) else None
        return known or self._item(name, who)

    def _card(self, request: Request, item: Item) -> Html:
        planned = self.shows.planned(item) if item.ask in OF_PLANS else None
        return self._cards_of(request).card(item, planned)

    def _cards_of(self, request: Request) -> Cards:
        return Cards(self.desk.settings, self.signature, form_key(token_of(request)))

    def _standing(self, who: str) -> dict[str, int]:
        standing = self.desk.standing(who)
        return {"judged": standing.judged, "waiting": standing.waiting}

    def _page(self, request: Request, who: str, shown: Html) -> Response:
        standing, key = self.desk.standing(who), form_key(token_of(request))
        bar = bar_of(who, standing.judged, standing.waiting, key)
        data = {"data_who": who, "data_form_key": key}
        return HTMLResponse(page(self.desk.settings.question, shown, bar, script=True, **data))


def _done(figures: bool) -> Html:
    link = [tag("a", "What everybody says", href="/figures")] if figures else []
    return notice("Nothing waits for you", "Thank you. Come back later: new ones come as the model is used.", *link)


async def _healthz(_: Request) -> Response:
    return JSONResponse({"alive": True})


async def _asset(request: Request) -> Response:
    name = request.url.path.removeprefix("/")
    keep = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(asset(name), media_type=ASSETS[name], headers=keep)
