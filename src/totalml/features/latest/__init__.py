"""The latest known values of each entity in one file, for answers to requests."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.features.latest.latest import Latest, open_latest
    from totalml.features.latest.write import write_latest

__all__ = ["Latest", "open_latest", "write_latest"]

__getattr__ = lazy_exports(__name__)
