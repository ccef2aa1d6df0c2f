"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.change_point import Change, change_of_numbers, change_of_shares
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.recent import Since
    from totalml.monitoring.stream import ScoreMove, StreamResult, StreamTest

__all__ = [
    "Change",
    "Observations",
    "ScoreMove",
    "Since",
    "StreamResult",
    "StreamTest",
    "change_of_numbers",
    "change_of_shares",
    "observe",
]

__getattr__ = lazy_exports(__name__)
