"""From what tests of inputs say to evidence: of a window, and of the stream row after row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.verdict import OF_ESTIMATE, OF_FAIRNESS, OF_SEASON, OF_STREAM, Evidence
from totalml.release.log_rows import METADATA, PROPERTY, spoken
from totalml.values.shown import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.estimated_performance import EstimatedResult
    from totalml.monitoring.live_slices import SlicesResult
    from totalml.monitoring.moves import WindowResult
    from totalml.monitoring.stream import StreamResult

MOST_TOLD = 3  # columns in a sentence
MOST_ROWS = 60  # that show what moved


def window_evidence(detector: str, result: WindowResult, level: float, answered: NDArray[np.intp] | None) -> Evidence:
    moves = [move for move in result.moves if move.p <= level]
    witness = np.nan_to_num(result.witness) if moves and result.witness is not None else np.zeros(0)
    shown = np.argsort(-witness)[:MOST_ROWS]
    rows = tuple((shown if answered is None else answered[shown]).tolist())
    if result.too_few:
        return Evidence(detector, False, f"{result.too_few:,} more would be needed", 1.0, level, more=result.too_few)
    what = "the same season before" if detector == OF_SEASON else "the reference"
    names = ", ".join(dict.fromkeys(_short(move.name) for move in moves[:MOST_TOLD]))
    more = f" and {len(moves) - MOST_TOLD} more" if len(moves) > MOST_TOLD else ""
    told = f"{names}{more} moved against {what}" if moves else f"nothing moved against {what}"
    return Evidence(
        detector=detector,
        alarm=bool(moves),
        told=told,
        value=result.p,
        level=level,
        moved=tuple(dict.fromkeys(move.name for move in moves)),
        rows=rows,
        facts={"moves": [_plain(vars(move)) for move in result.moves[:20]]},
    )


def stream_evidence(result: StreamResult, times: NDArray[np.int64] | None = None) -> Evidence:
    """Args: times: (N,) of the window's rows; None: nobody has to be shown any."""
    began, (since, between) = result.since.times, result.since.told
    shown = np.zeros(0, np.intp)
    if times is not None and began is not None:
        shown = np.flatnonzero(times >= began.at)[::-1][:MOST_ROWS]
    names = ", ".join(dict.fromkeys(f"{_short(move.name)} {move.way}" for move in result.moves[:MOST_TOLD]))
    if result.too_few:
        told = f"the reference lacks {counted(result.too_few, 'row')} to follow the stream by"
    else:
        told = f"{names} row after row" if result.alarm else "row after row like the reference"
    return Evidence(
        detector=OF_STREAM,
        alarm=result.alarm,
        told=told,
        value=_finite(result.log_evidence),
        level=result.log_threshold,
        moved=tuple(dict.fromkeys(move.name for move in result.moves)) if result.alarm else (),
        since=since,
        between=between,
        more=result.too_few,
        rows=tuple(shown.tolist()) if result.alarm else (),
        facts={"moves": [_plain(vars(move)) for move in result.moves]},
    )


def fairness_evidence(result: SlicesResult, level: float) -> Evidence:
    found = result.findings
    told = "; ".join(f"{each.figure} of {each.slice} {each.value:.0%}, {each.reference:.0%} before" for each in found)
    return Evidence(
        detector=OF_FAIRNESS,
        alarm=bool(found),
        told=told or "groups are treated as they were",
        value=result.p,
        level=level,
        moved=tuple(dict.fromkeys(each.slice for each in found)),
        facts={"figures": [_plain(vars(each)) for each in result.figures[:20]]},
    )


def estimate_evidence(result: EstimatedResult, level: float) -> Evidence:
    """It says that it found something, but never alone that anything is wrong."""
    worse = [each for each in result.estimates if each.p <= level]
    shown = worse or result.estimates[:1]
    told = "; ".join(
        f"{each.name} by its own confidence {each.value:.3g}, {each.reference:.3g} before" for each in shown
    )
    return Evidence(
        detector=OF_ESTIMATE,
        alarm=bool(worse),
        told=told or "nothing that tells how sure it is",
        value=result.p,
        level=level,
        facts={"estimates": [_plain(vars(each)) for each in result.estimates]},
    )


def _short(name: str) -> str:
    return spoken(name.rpartition(":")[2] if name.startswith((METADATA, PROPERTY)) else name)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _finite(float(value)) if isinstance(value, float) else value for name, value in values.items()}
