"""Two tables held against each other once, without a history: quality, the window test and, where both tell what the
model looked at, that; the level is shared out alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.attribution_watch import AttributionWatch
from totalml.monitoring.cause import judge
from totalml.monitoring.observations import Observations, observe
from totalml.monitoring.quality_evidence import quality_evidence
from totalml.monitoring.stream_quality import StreamQuality
from totalml.monitoring.verdict import OF_WINDOW, Evidence, Verdict
from totalml.monitoring.window import WindowTest
from totalml.monitoring.window_evidence import window_evidence
from totalml.release.log_rows import METADATA
from totalml.target import did_you_mean
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.monitoring.faults import StreamQualityResult
    from totalml.monitoring.moves import WindowResult

LEAST_ROWS = 10


def check(
    reference: pa.Table,
    window: pa.Table,
    *,
    unit: str | None = None,
    by: Sequence[str] = (),
    levers: Sequence[str] = (),
    level: float = 0.05,
) -> Verdict:
    """Args:
        unit: column of which equal values come together; None: each row by itself.
        by: columns of populations, to say who brings what is wrong.
        levers: columns of numbers that people set, so that they may stay as they are.
        level: chance of a false alarm, of all that is looked at together.
    Raises: DataError: they cannot be held against each other.
    """
    shared = [name for name in window.column_names if name in reference.column_names]
    come_together = unit if unit in shared or f"{METADATA}{unit}" in shared else None
    looks = AttributionWatch.fit(reference, shared, unit=unit, level=level / 3, least=LEAST_ROWS)
    share = level / 2 if looks is None else level / 3
    known, seen = observe(reference, unit), observe(window.select(shared), come_together)
    asked = StreamQuality.fit(reference, by=by, unit=unit, level=share, levers=_columns(levers, known))
    faults = asked.test(window)
    quality, _ = quality_evidence(faults, share)
    if seen.count < LEAST_ROWS:
        lacking = LEAST_ROWS - seen.count
        moved = Evidence(OF_WINDOW, False, f"{counted(lacking, 'row')} too few", level=share, more=lacking)
    else:
        result = _without(WindowTest.fit(known, level=share).test(seen), faults)
        moved = window_evidence(OF_WINDOW, result, share, np.arange(seen.count))
    return judge([quality, moved, *([] if looks is None else [looks.look(window, window)])])


def _without(result: WindowResult, faults: StreamQualityResult) -> WindowResult:
    """What is gone, or of another type, is told as that, and has no values that could have moved."""
    named = {fault.column for fault in faults.certain if fault.kind in ("gone", "type")}
    moves = tuple(move for move in result.moves if move.name not in named)
    return replace(result, p=moves[0].p if moves else 1.0, moves=moves)


def _columns(levers: Sequence[str], known: Observations) -> list[str]:
    """By the names of the reference. Raises: DataError: some are no columns of numbers in it, all at once."""
    numbers = list(known.numbers)
    found = [f"{METADATA}{name}" if f"{METADATA}{name}" in numbers else name for name in levers]
    if wrong := [name for name in found if name not in numbers]:
        told = "; ".join(f"no column of numbers {name!r}{did_you_mean(name, numbers)}" for name in wrong)
        raise DataError(f"levers: {told}; the reference has: {', '.join(numbers) or 'none'}")
    return found
