"""From what labels say to evidence: whether the model errs more than it did, and for whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.monitoring.cause import RIGHT, UNDECIDED, WRONG
from totalml.monitoring.verdict import OF_LABELS, OF_SLICES, Evidence
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.erring import Erring
    from totalml.monitoring.label import LabelResult
    from totalml.monitoring.still_right import StillRight
    from totalml.monitoring.worse_slices import WorseSlice

MOST_TOLD = 3


def label_evidence(
    result: LabelResult | None, still: StillRight, lacking: int, known: float, outside_quality: bool, season: str
) -> Evidence:
    """Args:
    result: None: no label came.
    lacking: rows of validation that nothing can be told without.
    known: loss in validation.
    outside_quality: as of `cause.judge`.
    season: of the one before, which it is held against; empty: of ordinary days.
    """
    alarm = result is not None and result.alarm
    model = WRONG if alarm or still.right is False else RIGHT if still.right else UNDECIDED
    more = still.more or 0
    before = f"in the {season} before" if season else "when it was validated"
    if lacking:
        told = f"the reference lacks {counted(lacking, 'row')} with labels"
    elif result is not None and result.alarm:
        told = _all_and_answers(result, before)
    elif model == RIGHT:
        told = f"wrong in {still.low:.0%} to {still.high:.0%} of the labelled, as {before}"
    else:
        told = "too few labels to say whether it is right" + (f"; about {more:,} more would do" if more else "")
    since, between = result.since.told if result is not None and alarm else (None, None)
    return Evidence(
        detector=OF_LABELS,
        alarm=alarm,
        told=told,
        value=None if result is None or not math.isfinite(result.log_evidence) else result.log_evidence,
        level=None if result is None else result.log_threshold,
        since=since,
        between=between,
        more=lacking,
        facts={
            "model": model,
            "labels_wanted": more,
            "outside_quality": outside_quality,
            "low": still.low,
            "high": still.high,
            "known": known,
        },
    )


def slice_evidence(worse: Sequence[WorseSlice]) -> Evidence:
    names = "; ".join(map(_where, worse[:MOST_TOLD]))
    more = f"; and {len(worse) - MOST_TOLD} more" if len(worse) > MOST_TOLD else ""
    return Evidence(
        detector=OF_SLICES,
        alarm=bool(worse),
        told=f"it errs more where {names}{more}" if worse else "it errs for nobody more than it did",
        moved=tuple(each.name for each in worse),
        facts={"slices": [{"name": each.name, "bound": each.bound, "labels": each.labels} for each in worse]},
    )


def _all_and_answers(result: LabelResult, before: str) -> str:
    told = [
        (f"where it says {each.name}, " if each.name else "") + _how_often(each, before)
        for each in result.erring[: 1 + MOST_TOLD]
    ]
    return "; ".join(told)


def _where(each: WorseSlice) -> str:
    return each.name if each.erring is None else f"{each.name}, {_how_often(each.erring, 'before')}"


def _how_often(each: Erring, before: str) -> str:
    at, _ = each.since.told
    since = "" if at is None else f" since {at[:10]}"
    return f"wrong in {each.now:.0%} of the labelled{since}, in {each.known:.1%} {before}"
