"""What a reviewer waits for: the next of 100,000 items, and a verdict that is kept, while fifty people judge at once.

Beside it the same application that reads and keeps nothing, in turns on the same machine. Clients are in this process.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench_serving import ask

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse

    from totalml.store import Store

MODEL, NOTHING = "pints", "nothing"
ITEMS, PEOPLE, VERDICTS, REPEATS = 100_000, 50, 1_000, 3
AT_MOST_MS = 100
GOOD = {"label": {"label": "good"}}
PAGE = "<!doctype html><title>Would you serve this pint?</title><h1>Would you serve this pint?</h1><p id=item>{}</p>"


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
        fill(Path(name), options.items)
        waits: dict[str, list[list[float]]] = {name: [[], []], NOTHING: [[], []]}
        for repeat in range(REPEATS):
            for store, (pages, verdicts) in waits.items():
                with serving(store) as port:
                    for found, all_of_it in zip(asyncio.run(judge(port, repeat)), (pages, verdicts), strict=True):
                        all_of_it += found
    print(f"{'':<28}{'page p50':>10}{'p95':>10}{'verdict p50':>14}{'p95':>10}   milliseconds")
    for told, (pages, verdicts) in zip(("a desk", "what keeps nothing"), waits.values(), strict=True):
        print(
            f"{told:<28}{at(pages, 50):>10.1f}{at(pages, 95):>10.1f}{at(verdicts, 50):>14.1f}{at(verdicts, 95):>10.1f}"
        )
    print(f"target: p95 of a page under {AT_MOST_MS} ms; load of the machine now {os.getloadavg()[0]:.1f}")


def fill(folder: Path, count: int) -> None:
    from totalml.review.item import CONTROL, Item, table_of
    from totalml.review.reviews import Reviews

    answer = {"predicted": "good", "confidence": 0.9, "p:bad": 0.1, "p:good": 0.9}
    items = (Item(queue=CONTROL, request_id=f"order-{number}", answer=answer) for number in range(count))
    Reviews(store_at(str(folder)), MODEL).queue(table_of(items), "numbers")


def store_at(folder: str) -> "Store":
    from totalml.store import Store

    return Store(Path(folder))


def serve(store: str, port: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, PlainTextResponse
    from starlette.routing import Route

    from totalml.recipe.review import ReviewRecipe
    from totalml.review.desk import Desk
    from totalml.review.reviews import Reviews

    desk = None if store == NOTHING else Desk(Reviews(store_at(store), MODEL), ReviewRecipe())

    # On the loop itself: it takes a third of a millisecond, and so waits for no thread that waits for the disk.
    async def page(request: "Request") -> "HTMLResponse":
        found = desk.next(request.path_params["who"]) if desk else []
        return HTMLResponse(PAGE.format(found[0].item if found else NOTHING))

    def verdict(request: "Request") -> "PlainTextResponse":
        given = request.path_params
        if desk:
            about = desk.item(given["item"])
            assert about is not None
            desk.give(given["who"], given["key"], about, GOOD, 3.0)
        return PlainTextResponse(given["key"])

    routes = [Route("/next/{who}", page), Route("/give/{who}/{key}/{item}", verdict, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(port), log_level="error", access_log=False)


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


async def judge(port: int, repeat: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each page, and of each verdict."""
    pages: list[float] = []
    verdicts: list[float] = []

    async def timed(place: tuple[asyncio.StreamReader, asyncio.StreamWriter], line: str, waits: list[float]) -> str:
        request = f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode()
        started = time.perf_counter()
        status, body = await ask(*place, request)
        waits.append(1000 * (time.perf_counter() - started))
        assert status == 200, body
        return body.decode()

    async def person(number: int) -> None:
        place = await asyncio.open_connection("127.0.0.1", port)
        who = f"reviewer-{number}"
        for each in range(VERDICTS // PEOPLE):
            page = await timed(place, f"GET /next/{who}", pages)
            item = page.partition("<p id=item>")[2].partition("<")[0]
            await timed(place, f"POST /give/{who}/{repeat}-{number:03}-{each:04}/{item}", verdicts)
        place[1].close()

    await asyncio.gather(*(person(number) for number in range(PEOPLE)))
    return pages, verdicts


def at(waits: Sequence[float], percent: int) -> float:
    return statistics.quantiles(waits, n=100)[percent - 1]


if __name__ == "__main__":
    main()
