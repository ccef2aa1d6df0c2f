"""Values that were known at a time: point-in-time joins of tables."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.features.as_of.point_in_time import join, join_batches

__all__ = ["join", "join_batches"]

__getattr__ = lazy_exports(__name__)
