"""From faults of a stream to evidence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.verdict import OF_QUALITY, Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.faults import Fault, StreamQualityResult

MOST_TOLD = 3
MOST_ROWS = 60


def quality_evidence(result: StreamQualityResult, level: float) -> tuple[Evidence, NDArray[np.intp]]:
    """And the rows of the faults."""
    faults = [fault for fault in result.faults if not fault.new_inputs]
    harmless = [fault for fault in result.faults if fault.new_inputs]
    told = "; ".join(fault.words for fault in faults[:MOST_TOLD])
    more = f"; and {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
    rows = np.unique(np.concatenate([np.zeros(0, np.intp), *(fault.rows for fault in faults)]))
    shown = tuple(int(row) for fault in faults[:MOST_TOLD] for row in fault.rows[: MOST_ROWS // MOST_TOLD])
    evidence = Evidence(
        detector=OF_QUALITY,
        alarm=bool(faults),
        told=f"{told}{more}" if faults else "nothing is wrong with the data as such",
        value=result.p,
        level=level,
        moved=tuple(dict.fromkeys(fault.column for fault in faults if fault.column)),
        rows=tuple(dict.fromkeys(shown)),
        facts={"faults": [_plain(fault) for fault in faults], "noticed": [_plain(fault) for fault in harmless]},
    )
    return evidence, rows


def _plain(fault: Fault) -> dict[str, object]:
    shares = {name: value for name in ("share", "expected") if not math.isnan(value := getattr(fault, name))}
    return {
        "kind": fault.kind,
        "column": fault.column,
        "words": fault.words,
        "p": fault.p,
        "certain": fault.certain,
        "population": fault.population,
        **shares,
    }
