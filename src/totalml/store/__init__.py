"""Content-addressed blobs and the folders that belong to them."""

from totalml.store.locks import locked
from totalml.store.opened import open_store
from totalml.store.store import Store

__all__ = ["Store", "locked", "open_store"]
