"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.change_point import Change, change_of_numbers, change_of_shares
    from totalml.monitoring.label import LabelResult, LabelTest, StillRight
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.recent import Since
    from totalml.monitoring.stream import ScoreMove, StreamResult, StreamTest
    from totalml.monitoring.worse_slices import WorseSlice

__all__ = [
    "Change",
    "LabelResult",
    "LabelTest",
    "Observations",
    "ScoreMove",
    "Since",
    "StillRight",
    "StreamResult",
    "StreamTest",
    "WorseSlice",
    "change_of_numbers",
    "change_of_shares",
    "observe",
]

__getattr__ = lazy_exports(__name__)
