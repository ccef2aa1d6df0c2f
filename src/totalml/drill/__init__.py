"""Traffic of known truth, drawn again and again, by which whatever claims to notice drift is judged."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.drill.detector import Detector
    from totalml.drill.history import History, Pools, draw_history
    from totalml.drill.judgement import judge
    from totalml.drill.monitored import Monitored
    from totalml.drill.ours import Windows
    from totalml.drill.perturbations import (
        CoarseJpeg,
        Cropped,
        FixedColumn,
        Relabelled,
        ResizedTwice,
        ScaledColumn,
        SwappedChannels,
    )
    from totalml.drill.rivals import Adwin, ColumnByColumn

__all__ = [
    "Adwin",
    "CoarseJpeg",
    "ColumnByColumn",
    "Cropped",
    "Detector",
    "FixedColumn",
    "History",
    "Monitored",
    "Pools",
    "Relabelled",
    "ResizedTwice",
    "ScaledColumn",
    "SwappedChannels",
    "Windows",
    "draw_history",
    "judge",
]

__getattr__ = lazy_exports(__name__)
