"""Where a service listens."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from totalml.errors import RecipeError


@dataclass(frozen=True)
class Address:
    """Where to listen, and how each worker does."""

    host: str
    port: int
    threads: int
    traces: bool = False


def listen(address: Address, *options: int) -> socket.socket:
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
