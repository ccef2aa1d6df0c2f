"""Let whoever started a training hear of each epoch, and end it there: what a pruner needs.

A context variable, because everything between a sweep and its training knows nothing of sweeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from totalml.errors import Interrupted

if TYPE_CHECKING:
    from totalml.training.history import Epoch

# Gets the epoch and the number of epochs that the whole training has at most.
Listener = Callable[["Epoch", int], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


class Pruned(Interrupted):
    """A listener raises it to end the training after this epoch; the run can go on later like an interrupted one."""


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Every training in the block tells `listener` each epoch that it has written down."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell_listener(epoch: Epoch, epochs: int) -> None:
    """Raises: Pruned: the listener has heard enough."""
    if listener := _listener.get():
        listener(epoch, epochs)
