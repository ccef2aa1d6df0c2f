"""What a reviewer waits for: the next of 100,000 items, and a verdict that is kept, while fifty people judge at once.

Beside it the same application that reads and keeps nothing, in turns on the same machine. Clients are in this process.
"""

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench_serving import ask

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from totalml.review.item import Item
    from totalml.store import Store

MODEL, NOTHING = "pints", "nothing"
ITEMS, PEOPLE, VERDICTS, REPEATS = 100_000, 50, 1_000, 3
AT_MOST_MS = 100
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]+)"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs=2, metavar=("STORE", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--items", type=int, default=ITEMS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        print(f"{options.items:,} items, {PEOPLE} people at once, {VERDICTS:,} verdicts, {os.cpu_count()} cores")
        tokens = fill(Path(name), options.items)
        waits: dict[str, list[list[float]]] = {name: [[], []], NOTHING: [[], []]}
        for _ in range(REPEATS):
            for store, (pages, verdicts) in waits.items():
                with serving(store) as port:
                    for found, all_of_it in zip(asyncio.run(judge(port, tokens)), (pages, verdicts), strict=True):
                        all_of_it += found
    print(f"{'':<28}{'page p50':>10}{'p95':>10}{'verdict p50':>14}{'p95':>10}   milliseconds")
    for told, (pages, verdicts) in zip(("the page", "what keeps nothing"), waits.values(), strict=True):
        print(
            f"{told:<28}{at(pages, 50):>10.1f}{at(pages, 95):>10.1f}{at(verdicts, 50):>14.1f}{at(verdicts, 95):>10.1f}"
        )
    print(f"target: p95 of a page under {AT_MOST_MS} ms; load of the machine now {os.getloadavg()[0]:.1f}")


def fill(folder: Path, count: int) -> list[str]:
    """Returns: a token for each person."""
    from totalml.review.item import CONTROL, Item, table_of
    from totalml.review.reviews import Reviews

    answer = {"predicted": "good", "confidence": 0.9, "p:bad": 0.1, "p:good": 0.9}
    items = (Item(queue=CONTROL, request_id=f"order-{number}", answer=answer) for number in range(count))
    reviews = Reviews(store_at(str(folder)), MODEL)
    reviews.queue(table_of(items), "numbers")
    return [reviews.invite(f"reviewer-{number}", 1) for number in range(PEOPLE)]


def store_at(folder: str) -> "Store":
    from totalml.store import Store

    return Store(Path(folder))


def serve(store: str, port: str) -> None:
    import uvicorn

    app = nothing() if store == NOTHING else page(store_at(store))
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


def page(store: "Store") -> "Starlette":
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.signature import Signature
    from totalml.review.desk import Desk
    from totalml.review.page.session import Limit
    from totalml.review.page.site import Site
    from totalml.review.reviews import Reviews

    signature = Signature("classification", ("bad", "good"), None, 1.0, (), {}, (), {"predicted": "string"}, {})
    fast = Limit(burst=1e9, per_second=1e9)  # people are slower than this bench
    return Site(Desk(Reviews(store, MODEL), ReviewRecipe()), signature, Unseen(), calls=fast).app()


class Unseen:
    """Control items are shown nothing of after their verdict."""

    def picture(self, name: str) -> None:
        return None

    def revealed(self, item: "Item") -> None:
        return None


def nothing() -> "Starlette":
    """As many bytes, read from nowhere and kept nowhere."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Route

    text = "<article>" + '<input type="hidden" name="item" value="none">' + "x" * 4_000
    answer = {"reveal": None, "judged": 1, "waiting": 1}
    routes = [
        Route("/", lambda _: HTMLResponse(text)),
        Route("/verdicts", lambda _: JSONResponse(answer), methods=["POST"]),
    ]
    return Starlette(routes=routes)


@contextmanager
def serving(store: str) -> Iterator[int]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, "--serve", store, str(port)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "the service ended before it had started"
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


async def judge(port: int, tokens: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of each page, and of each verdict."""
    pages: list[float] = []
    verdicts: list[float] = []

    async def timed(place: tuple[asyncio.StreamReader, asyncio.StreamWriter], head: str, body: str = "") -> str:
        lines = [head, "Host: localhost", f"Content-Length: {len(body)}", "Accept: application/json", "", body]
        started = time.perf_counter()
        status, answer = await ask(*place, "\r\n".join(lines).encode())
        (verdicts if body else pages).append(1000 * (time.perf_counter() - started))
        assert status == 200, answer
        return answer.decode()

    async def person(token: str) -> None:
        place = await asyncio.open_connection("127.0.0.1", port)
        cookie = f"Cookie: review={token}"
        for _ in range(VERDICTS // PEOPLE):
            page = await timed(place, f"GET / HTTP/1.1\r\n{cookie}")
            form = dict(HIDDEN.findall(page[page.index("<article") :])) | {"label": "good", "seconds": "3"}
            await timed(place, f"POST /verdicts HTTP/1.1\r\n{cookie}", urlencode(form))
        place[1].close()

    await asyncio.gather(*map(person, tokens))
    return pages, verdicts


def at(waits: Sequence[float], percent: int) -> float:
    return statistics.quantiles(waits, n=100)[percent - 1]


if __name__ == "__main__":
    main()
