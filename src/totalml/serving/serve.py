"""Answer over HTTP with a release, and follow its alias: a promotion or a rollback is live within two seconds.

  totalml serve guinness@production                    on 127.0.0.1:8000
  curl --data-binary @pint.jpg -H "Content-Type: image/jpeg" http://127.0.0.1:8000/predict
  TOTALML_TOKEN=... totalml serve guinness@production --host 0.0.0.0 --workers 3
  totalml serve deployments/guinness.yaml              as `totalml deploy` applied it last
  totalml serve --bundle guinness-onnx                 a release that was exported; needs no project and no store

Needs the extra `serve` and no torch. Routes: /predict, /feedback, /healthz, /readyz, /version, /metrics, /docs, and
those of the Open Inference Protocol below /v2. On another address than this machine's own it wants a token in
TOTALML_TOKEN. --traces sends a trace of each request by OpenTelemetry (extra `otel`) to where the OTEL_* variables
say. SIGTERM: it answers what it has accepted, writes its log and ends with 0. Each prediction is kept in the store,
without its picture, unless --no-log is given; of --bundle only in one that --store names.
"""

from __future__ import annotations

import argparse
import gc
import ipaddress
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import MissingExtraError, RecipeError
from totalml.serving.followed import DEPLOYMENT, Followed, follow

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from totalml.project import Place
    from totalml.store import Store

NEEDED = ("fastapi", "uvicorn", "onnxruntime", "prometheus_client", "multipart")
ENDS_WITHIN_S = 4  # of what is being answered; with its threads the process ends within 10
AGAIN_AFTER_S = 1.0  # a worker that died is started again


@dataclass(frozen=True)
class Address:
    """Where to listen, and how each worker does."""

    host: str
    port: int
    threads: int
    traces: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="WHAT", nargs="?", help="MODEL@ALIAS; MODEL@HASH, which stays; deployments/X.yaml"
    )
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="the folder of a release instead")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
    parser.add_argument("--workers", type=int, default=1, help="processes behind the port (1)")
    parser.add_argument("--threads", type=int, default=1, help="that a worker computes with (1)")
    parser.add_argument("--no-log", action="store_true", help="keep no predictions")
    parser.add_argument("--traces", action="store_true", help="send traces by OpenTelemetry, as OTEL_* say")


def anywhere(arguments: argparse.Namespace) -> bool:
    return arguments.bundle is not None


def run(arguments: argparse.Namespace, place: Place) -> int:
    _require_packages()
    if arguments.traces:
        from totalml.serving.traces import require_traces

        require_traces()
    if not 0 <= arguments.port < 2**16 or arguments.workers < 1 or arguments.threads < 1:
        raise RecipeError("command line: --port is a number up to 65535, --workers and --threads are numbers from 1")
    if (arguments.what is None) == (arguments.bundle is None):
        raise RecipeError("command line: give MODEL@ALIAS, or the folder of a release by --bundle")
    # Of numpy's own algebra, before numpy is imported; two threads for a product of 128 columns only wait for another.
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    store = place.open_store() if arguments.what or arguments.store else None
    followed = follow(arguments.what or arguments.bundle, store, logs=not arguments.no_log)
    _require_token(arguments.host, followed.token_variable)
    address = Address(arguments.host, arguments.port, arguments.threads, arguments.traces)
    if arguments.workers == 1:
        return serve(followed, store, address, _listen(address))
    return _serve_by_several(followed, store, address, arguments.workers)


def serve(followed: Followed, store: Store | None, address: Address, listener: socket.socket) -> int:
    """Until SIGTERM or SIGINT.

    Args: store: None: predictions are not kept.
    """
    import uvicorn

    _spare_pandas()
    from totalml.prediction_log.housekeeping import Housekeeping
    from totalml.serving.app import Service, create_app
    from totalml.serving.connection import ImpatientProtocol
    from totalml.serving.feedback import Feedback
    from totalml.serving.figures import Figures
    from totalml.serving.judging import Judging
    from totalml.serving.prediction_log import PredictionLog
    from totalml.serving.traces import open_traces

    live = followed.live(store, address.threads, _say)
    log, feedback, housekeeping, judging = None, None, None, None
    if store is not None and followed.log.predictions:
        log = PredictionLog(store, followed.model, followed.log.pictures)
        feedback = Feedback(store, followed.model)
        housekeeping = Housekeeping(store, followed.model, followed.log)
        judging = Judging(live, store, followed.key, _say) if followed.kind == DEPLOYMENT else None
    token = os.environ.get(followed.token_variable, "")
    traces = open_traces(followed.model) if address.traces else None
    figures = Figures()
    app = create_app(Service(live, followed.limits, token, log, figures, feedback, housekeeping, judging, traces))
    _say(f"{followed.named} is release {live.now.release}, on http://{address.host}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        app,
        http=ImpatientProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
        timeout_keep_alive=30,
        backlog=1024,
        h11_max_incomplete_event_size=64 * 1024,
        server_header=False,
    )
    gc.freeze()
    gc.enable()  # the command starts without it
    server = uvicorn.Server(config)
    # A signal that comes before uvicorn takes them over ends it, too. It raises the one again that ended it; what was
    # accepted is answered by then, and that is no failure.
    before = {name: signal.signal(name, server.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listener])
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return 0


def _listen(address: Address, *options: int) -> socket.socket:
    """Args: options: further ones of the socket, such as SO_REUSEPORT.

    Raises: RecipeError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # With the protocol named: asyncio sends small answers at once (TCP_NODELAY) only of sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Of a port that the system chose nobody hangs on from before, and it would choose it for another process once more.
    for option in (*([socket.SO_REUSEADDR] if address.port else []), *options):
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise RecipeError(
            f"command line: cannot listen on {address.host}:{address.port}: {error.strerror or error}; "
            "give another --port"
        ) from error
    return listener


def _work(followed: Followed, store: Store | None, address: Address) -> None:
    """One of several processes behind the port; it ends with the one that started it, even where that was killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(serve(followed, store, address, _listen(address, socket.SO_REUSEPORT)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101  # for the type checker
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _serve_by_several(followed: Followed, store: Store | None, address: Address, count: int) -> int:
    """Start the workers, start again those that die, and end them all on SIGTERM."""
    _listen(address).close()  # a port that is shared below would be shared with another service too, in silence
    with _listen(address, socket.SO_REUSEPORT) as reserved:  # one for all if any was asked for
        chosen = replace(address, port=reserved.getsockname()[1])
        spawned: Any = multiprocessing.get_context("spawn")

        def start() -> BaseProcess:
            worker: BaseProcess = spawned.Process(target=_work, args=(followed, store, chosen))
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
        # One that was only starting is ended by the signal itself, and has lost nothing.
        codes = [abs(worker.exitcode or 0) for worker in workers if worker.exitcode != -signal.SIGTERM]
        return max(codes, default=0)


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


def _require_token(host: str, variable: str) -> None:
    """Raises: RecipeError: whoever reaches this machine could ask."""
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own and not os.environ.get(variable):
        raise RecipeError(
            f"command line: on {host} everybody who reaches this machine could ask; set {variable} to a long secret, "
            "which callers then show as 'Authorization: Bearer ...'"
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")  # whole, as several workers write: `print` may bring the end of a line by itself
    sys.stderr.flush()
