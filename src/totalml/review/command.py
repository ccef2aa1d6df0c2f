"""Ask the people who know: a page on which they judge what a model answers, on a phone, by touch or by keyboard.

  totalml review guinness                              on http://127.0.0.1:8010, for whoever has a link
  totalml review invite guinness eve                   the link for eve
  totalml review guinness@candidate --port 8011        another release
  totalml review guinness --host 0.0.0.0 --url https://review.example.org    behind a proxy that brings TLS

Nobody sees what the model says before their verdict. Each verdict is an event of the model's reviews, bound to the
release that it judges; killed and started again, the page goes on where it was. Needs the extra `review` and no torch.
What is asked, and in which words, says `review:` of the recipe. SIGTERM ends it with 0.
"""

from __future__ import annotations

import argparse
import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING

from totalml.background import Background
from totalml.errors import MissingExtraError, RecipeError, TotalmlError
from totalml.terminal import say

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

    from totalml.project import Place
    from totalml.recipe.review import ReviewRecipe
    from totalml.report.markup import Html
    from totalml.review.desk import Desk
    from totalml.review.page.site import Site
    from totalml.store import Store

NEEDED = ("starlette", "uvicorn", "httptools", "onnxruntime")
PORT = 8010
USUAL_URL = f"http://127.0.0.1:{PORT}"
LOOKS_EVERY_S = 1.0  # at what others queued, said or revoked
TENDS_EVERY = 60  # looks


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose answers are judged; or MODEL@ALIAS (production)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port to listen on ({PORT})")
    parser.add_argument("--url", default="", help="by which people reach it, where that is another address")


def run(arguments: argparse.Namespace, place: Place) -> int:
    _require_packages()
    if not 0 <= arguments.port < 2**16:
        raise RecipeError("command line: --port is a number up to 65535")
    if not arguments.url.startswith(("https://", "http://", *([""] if not arguments.url else []))):
        raise RecipeError(f"command line: --url {arguments.url} is no address such as https://review.example.org")
    from totalml.serving.address import Address, listen

    site, tend = _site(arguments, place)
    if not _is_this_machine(arguments.host) and not arguments.url.startswith("https://"):
        say(
            "without TLS whoever listens on the way can judge in another's name: put a proxy that brings TLS before "
            "it, and give its address by --url https://..."
        )
    listener = listen(Address(arguments.host, arguments.port, 1))
    _serve(site, tend, listener, arguments.url or _url(arguments.host, listener))
    return 0


def _site(arguments: argparse.Namespace, place: Place) -> tuple[Site, Callable[[], None]]:
    """The page, and what is to be done beside it now and then, for the release that the alias points at by then.

    Its queue is filled where nothing waits, and what people said of requests is kept as labels.
    """
    from totalml.release.named import find_of_model
    from totalml.release.signature import Signature
    from totalml.review.desk import Desk
    from totalml.review.learnt.request_labels import keep_labels
    from totalml.review.page.of_releases import OfReleases
    from totalml.review.page.site import Site
    from totalml.review.queues.fill import top_up
    from totalml.review.reviews import Reviews
    from totalml.review.settings import doubts_of, review_settings

    store = place.open_store()
    model, bundle = find_of_model(arguments.model, store)
    settings, signature = review_settings(model, bundle, place), Signature.read(bundle)
    for each in doubts_of(settings, signature):
        say(each)
    secure, figures = arguments.url.startswith("https://"), partial(_figures, store, model, settings)
    shows = OfReleases(store, signature, settings)
    site = Site(Desk(Reviews(store, model), settings), signature, shows, secure, figures, arguments.url)

    said = Reviews(store, model)  # those of the desk are for another thread
    told: tuple[str, ...] = ()  # of a queue that could not be filled
    labelled: tuple[int, str] | None = None  # events of the reviews, and the release, of which labels were kept last

    def tend() -> None:
        nonlocal labelled, told
        bundle = find_of_model(arguments.model, store)[1]
        filled = top_up(said, store, bundle, settings)
        if filled and (filled.batch or filled.told != told):
            say("; ".join(filled.told))
        told = filled.told if filled else ()
        site.signature = Signature.read(bundle)
        site.desk.look()
        if (now := (said.look(), bundle.hash)) != labelled:
            keep_labels(said, bundle, settings, store)
            labelled = now

    tend()
    return site, tend


def _figures(store: Store, model: str, settings: ReviewRecipe) -> Html:
    from totalml.review.figures import figures_html, team_figures
    from totalml.review.figures.resolved import resolved
    from totalml.review.reviews import Reviews

    reviews = Reviews(store, model)
    reviews.look()
    return figures_html(team_figures(reviews, partial(resolved, settings=settings), None, datetime.now(UTC)))


class _Looking(Background):
    """Takes in what came by others: batches, verdicts, invitations and their end; tends to the rest now and then."""

    def __init__(self, desk: Desk, tend: Callable[[], None]) -> None:
        super().__init__("look")
        self._desk, self._tend = desk, tend
        self._told: tuple[str, ...] = ()

    def _work(self) -> None:
        for looks in count(1):
            if self._stop.wait(LOOKS_EVERY_S):
                return
            try:
                self._desk.look()
                self._tell(*self._desk.unread.values())
                if looks % TENDS_EVERY == 0:
                    self._tend()
            except TotalmlError as error:  # the store cannot be read at the moment
                self._tell(str(error))

    def _tell(self, *wrong: str) -> None:
        """What is new of it."""
        for each in wrong:
            if each not in self._told:
                say(each)
        self._told = wrong


def _serve(site: Site, tend: Callable[[], None], listener: socket.socket, url: str) -> None:
    """Until SIGTERM or SIGINT."""
    from totalml.serving.server import answer_until_ended

    app, looking = site.app(), _Looking(site.desk, tend)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        looking.start()
        yield
        looking.stop()

    app.router.lifespan_context = lifespan
    reviews = site.desk.reviews
    invited = ", ".join(each.name for each in reviews.invited()) or "nobody yet"
    how = f"totalml review invite {reviews.model} NAME{'' if url == USUAL_URL else f' --url {url}'}"
    answer_until_ended(app, listener, f"{reviews.model} is judged on {url}; invited: {invited}; a link: {how}")


def _require_packages() -> None:
    for name in NEEDED:
        if find_spec(name) is None:
            raise MissingExtraError(name, "review", "totalml review")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(host: str, listener: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
