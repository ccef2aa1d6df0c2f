"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.attribution import AttributionTest
    from totalml.monitoring.estimated_performance import Estimate, EstimatedPerformance, EstimatedResult
    from totalml.monitoring.faults import Carrier, Fault, StreamQualityResult
    from totalml.monitoring.live_slices import LiveSlices, SliceFigure, SlicesResult
    from totalml.monitoring.moves import Move, WindowResult
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.rates import RateProfile
    from totalml.monitoring.season_settings import HolidaySettings, SeasonSettings
    from totalml.monitoring.seasons import Seasons, season_reference
    from totalml.monitoring.stream_quality import StreamQuality
    from totalml.monitoring.window import WindowTest

__all__ = [
    "AttributionTest",
    "Carrier",
    "Estimate",
    "EstimatedPerformance",
    "EstimatedResult",
    "Fault",
    "HolidaySettings",
    "LiveSlices",
    "Move",
    "Observations",
    "RateProfile",
    "SeasonSettings",
    "Seasons",
    "SliceFigure",
    "SlicesResult",
    "StreamQuality",
    "StreamQualityResult",
    "WindowResult",
    "WindowTest",
    "observe",
    "season_reference",
]

__getattr__ = lazy_exports(__name__)
