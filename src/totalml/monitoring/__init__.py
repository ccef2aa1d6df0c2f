"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.attribution import AttributionTest
    from totalml.monitoring.change_point import Change, change_of_numbers, change_of_shares
    from totalml.monitoring.estimated_performance import Estimate, EstimatedPerformance, EstimatedResult
    from totalml.monitoring.faults import Carrier, Fault, StreamQualityResult
    from totalml.monitoring.label import LabelResult, LabelTest
    from totalml.monitoring.live_slices import LiveSlices, SliceFigure, SlicesResult
    from totalml.monitoring.moves import Move, WindowResult
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.rates import RateProfile
    from totalml.monitoring.recent import Since
    from totalml.monitoring.seasons import Seasons
    from totalml.monitoring.still_right import StillRight
    from totalml.monitoring.stream import ScoreMove, StreamResult, StreamTest
    from totalml.monitoring.stream_quality import StreamQuality
    from totalml.monitoring.window import WindowTest
    from totalml.monitoring.worse_slices import WorseSlice

__all__ = [
    "AttributionTest",
    "Carrier",
    "Change",
    "Estimate",
    "EstimatedPerformance",
    "EstimatedResult",
    "Fault",
    "LabelResult",
    "LabelTest",
    "LiveSlices",
    "Move",
    "Observations",
    "RateProfile",
    "ScoreMove",
    "Seasons",
    "Since",
    "SliceFigure",
    "SlicesResult",
    "StillRight",
    "StreamQuality",
    "StreamQualityResult",
    "StreamResult",
    "StreamTest",
    "WindowResult",
    "WindowTest",
    "WorseSlice",
    "change_of_numbers",
    "change_of_shares",
    "observe",
]

__getattr__ = lazy_exports(__name__)
