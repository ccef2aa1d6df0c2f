"""One process that answers: what it is made of, and its life until a signal ends it."""

from __future__ import annotations

import gc
import os
import signal
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from totalml.serving.address import Address
from totalml.serving.followed import DEPLOYMENT, Followed
from totalml.serving.spare_memory import spare_memory
from totalml.terminal import say

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Config, Server

    from totalml.serving.answering import Answering
    from totalml.serving.figures import Figures
    from totalml.serving.service import Service
    from totalml.store import Store

KEEP_ALIVE_S = 30  # of a connection that asks nothing after an answer
ENDS_WITHIN_S = 4  # of what is being answered; with its threads the process ends within 10


def serve(followed: Followed, store: Store | None, address: Address, listener: socket.socket) -> int:
    """Until SIGTERM or SIGINT.

    Args: store: None: predictions are not kept.
    """
    spare_memory()
    from totalml.serving.app import create_app

    service = _service(followed, store, address)
    app = create_app(service)
    release, port = service.live.now.release, listener.getsockname()[1]
    gc.freeze()
    gc.enable()  # the command starts without it
    answer_until_ended(app, listener, f"{followed.named} is release {release}, on http://{address.host}:{port}")
    return 0


def answer_until_ended(app: ASGIApp, listener: socket.socket, line: str) -> None:
    """Until SIGTERM or SIGINT. Args: line: said once it listens."""
    server = telling(config_of(app), line)
    # A signal that comes before uvicorn takes them over ends it, too. It raises the one again that ended it; what was
    # accepted is answered by then, and that is no failure.
    before = {name: signal.signal(name, server.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listener])
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def config_of(app: ASGIApp) -> Config:
    import uvicorn

    from totalml.serving.connection import ImpatientProtocol

    return uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=ENDS_WITHIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        backlog=1024,
        server_header=False,
    )


def telling(config: Config, line: str) -> Server:
    """A server that says the line once it listens, so that whoever reads an address there can ask."""
    import uvicorn

    class Telling(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                say(line)

    return Telling(config)


def _service(followed: Followed, store: Store | None, address: Address) -> Service:
    """What the process is made of."""
    from totalml.prediction_log.housekeeping import Housekeeping
    from totalml.serving.feedback import Feedback
    from totalml.serving.figures import Figures
    from totalml.serving.judging import Judging
    from totalml.serving.prediction_log import PredictionLog
    from totalml.serving.service import Service
    from totalml.serving.traces import open_traces

    live = followed.live(store, address.threads, say)
    token = os.environ.get(followed.token_variable, "")
    traces = open_traces(followed.model) if address.traces else None
    service = Service(live, followed.limits, token, None, Figures(), traces=traces)
    if store is None or not followed.log.predictions:
        return service
    return replace(
        service,
        log=PredictionLog(store, followed.model, followed.log.pictures, followed.log.maps),
        feedback=Feedback(store, followed.model),
        housekeeping=Housekeeping(store, followed.model, followed.log),
        judging=Judging(live, store, followed.key, say) if followed.kind == DEPLOYMENT else None,
        **_watched(followed, store, live, service.figures),
    )


def _watched(followed: Followed, store: Store, live: Answering, figures: Figures) -> dict[str, Any]:
    """Parts of the service that monitor it, where the deployment asks for that."""
    if followed.monitoring is None or followed.place is None:
        return {}
    from totalml.alerts.delivery import Delivery
    from totalml.serving.watching import Watching

    settings = followed.monitoring
    watching = Watching(live, store, settings, followed.key, figures, say)
    return {"watching": watching, "alerting": Delivery(store, followed.model, settings.alerts, followed.place, say)}
