"""Answer over HTTP with a release, and follow its alias: a promotion or a rollback is live within two seconds.

  totalml serve guinness@production                    on 127.0.0.1:8000
  curl --data-binary @pint.jpg -H "Content-Type: image/jpeg" http://127.0.0.1:8000/predict
  TOTALML_TOKEN=... totalml serve guinness@production --host 0.0.0.0 --workers 3

Needs the extra `serve` and no torch. Routes: /predict, /healthz, /readyz, /version, /metrics, /docs. On another address
than this machine's own it wants a token in TOTALML_TOKEN. SIGTERM: it answers what it has accepted, writes its log and
ends with 0. Each prediction is kept in the store, without its picture, unless --no-log is given.
"""

from __future__ import annotations

import argparse
import ipaddress
import multiprocessing
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.errors import MissingExtraError, RecipeError
from totalml.identity import PREFIX

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from totalml.project import Place
    from totalml.store import Store

TOKEN = "TOTALML_TOKEN"  # noqa: S105  # the name of a variable
NEEDED = ("fastapi", "uvicorn", "onnxruntime", "prometheus_client", "multipart")
ENDS_WITHIN_S = 8
AGAIN_AFTER_S = 1.0  # a worker that died is started again


@dataclass(frozen=True)
class Address:
    """Where to listen, and for what."""

    host: str
    port: int
    threads: int
    logs: bool


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH, which is not followed")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
    parser.add_argument("--workers", type=int, default=1, help="processes behind the port (1)")
    parser.add_argument("--threads", type=int, default=1, help="that a worker computes with (1)")
    parser.add_argument("--no-log", action="store_true", help="keep no predictions")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import find_promotion, require_release

    _require_packages()
    if not 0 <= arguments.port < 2**16 or arguments.workers < 1 or arguments.threads < 1:
        raise RecipeError("command line: --port is a number up to 65535, --workers and --threads are numbers from 1")
    _require_token(arguments.host)
    # Of numpy's own algebra, before numpy is imported; two threads for a product of 128 columns only wait for another.
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    store = place.open_store()
    require_release(find_promotion(arguments.release, store), arguments.release)
    address = Address(arguments.host, arguments.port, arguments.threads, not arguments.no_log)
    if arguments.workers == 1:
        return serve(arguments.release, store, address, _listen(address))
    return _serve_by_several(arguments.release, store, address, arguments.workers)


def serve(text: str, store: Store, address: Address, listener: socket.socket) -> int:
    """Until SIGTERM or SIGINT.

    Args: text: model@alias or model@hash.
    """
    import uvicorn

    _spare_pandas()
    from totalml.release.named import START, find_promotion, require_release
    from totalml.serving.app import Service, create_app
    from totalml.serving.figures import Figures
    from totalml.serving.limits import Limits
    from totalml.serving.live import Live
    from totalml.serving.prediction_log import PredictionLog

    promotion = find_promotion(text, store)
    model, _, which = text.partition("@")
    by_hash = START.fullmatch(which) and promotion.release.removeprefix(PREFIX).startswith(which.removeprefix(PREFIX))
    release = require_release(promotion, text)
    live = Live(store, model, None if by_hash else which, release, address.threads, _say)
    log = PredictionLog(store, model) if address.logs else None
    limits = Limits()
    app = create_app(Service(live, limits, os.environ.get(TOKEN, ""), log, Figures()))
    _say(f"{text} is release {live.now.release}, on http://{address.host}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
        timeout_keep_alive=30,
        backlog=1024,
        http="h11",  # uvicorn would take httptools where that is installed, which holds headers of any length
        h11_max_incomplete_event_size=64 * 1024,
        server_header=False,
    )
    # uvicorn raises the signal again that ended it; what was accepted is answered by then, and that is no failure.
    before = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return 0


def _listen(address: Address) -> socket.socket:
    """Raises: RecipeError: the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named: asyncio sends small answers at once (TCP_NODELAY) only of sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise RecipeError(
            f"command line: cannot listen on {address.host}:{address.port}: {error.strerror or error}; "
            "give another --port"
        ) from error
    return listener


def _work(text: str, store: Store, address: Address) -> None:
    """One of several processes behind the port."""
    sys.exit(serve(text, store, address, _listen(address)))


def _serve_by_several(text: str, store: Store, address: Address, count: int) -> int:
    """Start the workers, start again those that die, and end them all on SIGTERM."""
    with _listen(address) as reserved:  # so that the port is free, and one for all if any was asked for
        chosen = Address(address.host, reserved.getsockname()[1], address.threads, address.logs)
        spawned: Any = multiprocessing.get_context("spawn")

        def start() -> BaseProcess:
            worker: BaseProcess = spawned.Process(target=_work, args=(text, store, chosen))
            worker.start()
            return worker

        ending: list[int] = []
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, _: ending.append(number))
        workers = [start() for _ in range(count)]
        while not ending:
            time.sleep(0.1)
            for place, worker in enumerate(workers):
                if worker.exitcode is not None and not ending:
                    _say(f"a worker ended with {worker.exitcode} and is started again")
                    time.sleep(AGAIN_AFTER_S)
                    workers[place] = start()
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        return max(abs(worker.exitcode or 0) for worker in workers)


def _spare_pandas() -> None:
    """Where pandas is installed pyarrow imports it for its first array: 35 MB and 0.2 s that no answer needs.

    It asks once, and is told that there is none; whoever wants pandas later gets it.
    """
    import pyarrow as pa

    hidden = _Hidden("pandas")
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([""])
    finally:
        sys.meta_path.remove(hidden)


class _Hidden:
    """A finder of modules that hides one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)


def _require_packages() -> None:
    """Raises: MissingExtraError."""
    from importlib.util import find_spec

    for package in NEEDED:
        if find_spec(package) is None:
            raise MissingExtraError(package, "serve", "totalml serve")


def _require_token(host: str) -> None:
    """Raises: RecipeError: whoever reaches this machine could ask."""
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own and not os.environ.get(TOKEN):
        raise RecipeError(
            f"command line: on {host} everybody who reaches this machine could ask; set {TOKEN} to a long secret, "
            "which callers then show as 'Authorization: Bearer ...'"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
