"""Whether what a model meets today is what it was made for: which of its inputs moved, why, and whether it errs."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.faults import Carrier, Fault, StreamQualityResult
    from totalml.monitoring.moves import Move, WindowResult
    from totalml.monitoring.observations import Observations, observe
    from totalml.monitoring.rates import RateProfile
    from totalml.monitoring.seasons import Seasons, season_reference
    from totalml.monitoring.stream_quality import StreamQuality
    from totalml.monitoring.window import WindowTest
    from totalml.recipe.seasons import HolidaySettings, SeasonSettings

__all__ = [
    "Carrier",
    "Fault",
    "HolidaySettings",
    "Move",
    "Observations",
    "RateProfile",
    "SeasonSettings",
    "Seasons",
    "StreamQuality",
    "StreamQualityResult",
    "WindowResult",
    "WindowTest",
    "observe",
    "season_reference",
]

__getattr__ = lazy_exports(__name__)
