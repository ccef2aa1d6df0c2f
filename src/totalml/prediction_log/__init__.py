"""What was predicted, as it lies in the store: read it, keep it small, let go of it."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.prediction_log.reader import LogReader

__all__ = ["LogReader"]

__getattr__ = lazy_exports(__name__)
