"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.moves import Move, WindowResult
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.window import WindowTest

__all__ = ["Move", "Observations", "WindowResult", "WindowTest", "observe"]

__getattr__ = lazy_exports(__name__)
