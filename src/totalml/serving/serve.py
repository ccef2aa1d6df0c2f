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
import ipaddress
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import MissingExtraError, RecipeError

if TYPE_CHECKING:
    from totalml.project import Place

NEEDED = ("fastapi", "uvicorn", "httptools", "onnxruntime", "prometheus_client", "multipart")


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
    from totalml.serving.address import Address, listen
    from totalml.serving.followed import follow
    from totalml.serving.server import serve
    from totalml.serving.workers import serve_by_several

    store = place.open_store() if arguments.what or arguments.store else None
    followed = replace(follow(arguments.what or arguments.bundle, store, logs=not arguments.no_log), place=place)
    _require_token(arguments.host, followed.token_variable)
    address = Address(arguments.host, arguments.port, arguments.threads, arguments.traces)
    if arguments.workers == 1:
        return serve(followed, store, address, listen(address))
    return serve_by_several(followed, store, address, arguments.workers)


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
