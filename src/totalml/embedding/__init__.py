"""What a frozen image backbone makes of pictures, computed once and shared by all runs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.embedding.build import embed
    from totalml.embedding.feature import Embedding

__all__ = ["Embedding", "embed"]

__getattr__ = lazy_exports(__name__)
