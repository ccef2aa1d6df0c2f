"""One function over many pieces of work, whatever works on them: the same results in the same order."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.workers.crew import Backend, Crew

__all__ = ["Backend", "Crew"]

__getattr__ = lazy_exports(__name__)
