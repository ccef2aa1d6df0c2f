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
_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


class Pruned(Interrupted):
    """A listener raises it to end the training after this epoch; the run can go on later like an interrupted one."""


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Every training in the block tells `listener` each epoch that it has written down, before those around it."""
    token = _listeners.set((*([listener] if listener else []), *_listeners.get()))
    try:
        yield
    finally:
        _listeners.reset(token)


def tell_listener(epoch: Epoch, epochs: int) -> None:
    """Raises: Pruned: a listener has heard enough."""
    for listener in _listeners.get():
        listener(epoch, epochs)
