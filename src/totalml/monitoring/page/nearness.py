"""How near a detector came to an alarm, on one scale for all: 0 is nothing at all, 1 is where it alarms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from totalml.monitoring.verdict import OF_LABELS, OF_LEVERS, OF_STREAM

if TYPE_CHECKING:
    from totalml.monitoring.verdict import Evidence

MOST = 2.0  # further beyond the level is drawn as this
LEAST_ALARM, MOST_QUIET = 1.0, 0.97  # the alarm itself says which side of the level it is on
# Their value and level are natural logarithms of evidence; of others, chances.
BY_LOGARITHM = (OF_LABELS, OF_STREAM, OF_LEVERS)


def nearness(evidence: Evidence) -> float | None:
    """How much of the way in orders of magnitude: log(p) / log(level), or of evidence that grows log(e) / log(level).

    Returns: in [0, MOST]; None: it could not be asked.
    """
    if evidence.alarm:
        return min(max(_share(evidence), LEAST_ALARM), MOST)
    if evidence.more:
        return None
    return min(_share(evidence), MOST_QUIET)


def _share(evidence: Evidence) -> float:
    value, level = evidence.value, evidence.level
    if value is None or level is None or math.isnan(value) or not math.isfinite(level) or level <= 0:
        return 0.0
    if evidence.detector in BY_LOGARITHM:
        return min(max(value / level, 0.0), MOST)
    if level >= 1:
        return 0.0
    return MOST if value <= 0 else min(max(math.log(value) / math.log(level), 0.0), MOST)
