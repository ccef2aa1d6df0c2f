"""Content-addressed blobs and the folders that belong to them."""

from totalml.store.store import Store, locked

__all__ = ["Store", "locked"]
