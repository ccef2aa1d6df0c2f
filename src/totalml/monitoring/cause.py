"""From what each detector found to one cause: which of them explains all of it, and what rules the others out.

The order is that of what a wrong guess costs. Wrong data explains wrong answers, so it is asked about first; labels
that say the model errs outweigh any reason why inputs might have moved; and an expected season excuses inputs, never
errors. What is left is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

from totalml.monitoring.faults import SET
from totalml.monitoring.verdict import (
    CAUSES,
    CONCEPT,
    COVARIATE,
    NONE,
    OF_ATTRIBUTION,
    OF_ESTIMATE,
    OF_FAIRNESS,
    OF_LABELS,
    OF_LEVERS,
    OF_PERIODS,
    OF_QUALITY,
    OF_SEASON,
    OF_SLICES,
    OF_STREAM,
    OF_WINDOW,
    PAGE,
    QUALITY,
    SEASON,
    SEVERITY,
    TOO_FEW,
    UNKNOWN,
    Evidence,
    Verdict,
    found,
)
from totalml.values.shown import counted

# Detectors that say that what comes in is other than it was: so it is where the same model looks elsewhere, too.
OF_INPUTS = (OF_WINDOW, OF_STREAM, OF_FAIRNESS, OF_ATTRIBUTION)
OF_ERRORS = (OF_LABELS, OF_SLICES, OF_LEVERS, OF_PERIODS)  # that say that the model errs more, by labels
RIGHT, UNDECIDED, WRONG = "right", "undecided", "wrong"  # what labels say of the model


def judge(evidence: Sequence[Evidence], season: str = "") -> Verdict:
    """Args:
    evidence: of a window, one of each detector that could be asked. That of OF_LABELS says in its facts `model`: RIGHT,
        UNDECIDED or WRONG, and `labels_wanted`; and `outside_quality`, whether it errs on rows that quality does not
        complain of, too. That of OF_SEASON says whether the window differs from the season that was expected.
    season: its name; empty: none was expected.
    """
    cause, why = _cause(evidence, season)
    told = {**_ruled_out(evidence, season), **why}
    told.pop(cause, None)
    severity = SEVERITY.get(cause, "")
    if cause in (COVARIATE, UNKNOWN) and found(evidence, OF_ESTIMATE):
        severity = PAGE  # it says of itself that it is right less often
    return Verdict(
        cause=cause,
        told=_sentence(cause, evidence, season),
        severity=severity,
        evidence=tuple(evidence),
        ruled_out={name: told[name] for name in CAUSES if name in told},
        season=season,
    )


def inputs_moved(evidence: Sequence[Evidence]) -> bool:
    return found(evidence, *OF_INPUTS) or bool(_set_anew(evidence))


def _set_anew(evidence: Sequence[Evidence]) -> list[str]:
    """What people set, and left so for longer than ever: that it moved, whatever else has seen it."""
    noticed = _fact(evidence, OF_QUALITY, "noticed")
    return [each["words"] for each in noticed if each["kind"] == SET] if isinstance(noticed, list | tuple) else []


def _told(evidence: Sequence[Evidence]) -> list[str]:
    return [*(each.told for each in evidence if each.alarm), *_set_anew(evidence)]


def _cause(evidence: Sequence[Evidence], season: str) -> tuple[str, dict[str, str]]:
    """And further reasons against other causes."""
    errs = found(evidence, *OF_ERRORS)
    moved = inputs_moved(evidence)
    if found(evidence, OF_QUALITY):
        if errs and _fact(evidence, OF_LABELS, "outside_quality"):
            return CONCEPT, {QUALITY: "the model errs as often on rows that nothing is wrong with"}
        return QUALITY, {CONCEPT: "the data itself is wrong, which explains errors"} if errs else {}
    if errs:
        return CONCEPT, {SEASON: "a season excuses new inputs, no errors"} if season else {}
    if moved and season and not _differs_from_season(evidence):
        return SEASON, {}
    if moved:
        if _fact(evidence, OF_LABELS, "model") == RIGHT:
            return COVARIATE, {}
        return UNKNOWN, {}
    if _asked(evidence):
        return NONE, {}
    return TOO_FEW, {}


def _ruled_out(evidence: Sequence[Evidence], season: str) -> dict[str, str]:
    """What each detector that found nothing speaks against."""
    told: dict[str, str] = {}
    for each in evidence:
        if each.alarm or each.more:
            continue
        if each.detector == OF_QUALITY:
            told[QUALITY] = each.told
        if each.detector == OF_LABELS and each.facts.get("model") == RIGHT:
            told[CONCEPT] = each.told
        if each.detector == OF_WINDOW:
            told[COVARIATE] = each.told
    if not season:
        told[SEASON] = "none was expected"
    elif differs := [each.told for each in evidence if _from_season(each)]:
        told[SEASON] = _joined(differs)
    if found(evidence, OF_QUALITY, *OF_ERRORS) or inputs_moved(evidence):
        told[NONE] = _joined(_told(evidence))
    if _asked(evidence):
        told[TOO_FEW] = "there was enough to ask"
    return told


def _differs_from_season(evidence: Sequence[Evidence]) -> bool:
    """Unless nothing is there to hold it against: then it is only said that the season was expected."""
    return any(map(_from_season, evidence))


def _from_season(evidence: Evidence) -> bool:
    """Whether it was held against the season before, and differs."""
    of_attribution = evidence.detector == OF_ATTRIBUTION and bool(evidence.facts.get("season"))
    return evidence.alarm and (evidence.detector == OF_SEASON or of_attribution)


def _asked(evidence: Sequence[Evidence]) -> bool:
    """Whether any detector that looks at all of the window had enough to say that nothing is wrong."""
    return any(each.detector in (OF_WINDOW, OF_STREAM) and not each.more for each in evidence)


def _sentence(cause: str, evidence: Sequence[Evidence], season: str) -> str:
    by = {each.detector: each for each in evidence}
    told = _told(evidence)
    if cause == NONE:
        return "Nothing moved that chance does not explain."
    if cause == TOO_FEW:
        lacking = max((each.more for each in evidence if each.detector != OF_ATTRIBUTION), default=0)
        more = f"; {counted(lacking, 'more row')} would do" if lacking else ""
        return f"Too little came to say anything{more}."
    if cause == SEASON:
        beside = "it looks like that season did" if OF_SEASON in by else "there is no such season to hold it against"
        return f"Inputs moved as in {season}, which was expected; {beside}."
    if cause == QUALITY:
        return f"Something is wrong with the data: {_joined(told)}."
    if cause == CONCEPT:
        return f"The model errs more than it did: {_joined(told)}."
    if OF_LABELS not in by:  # two tables, of which no model need know
        return f"Inputs moved: {_joined(told)}."
    wanted = _fact(evidence, OF_LABELS, "labels_wanted")
    if cause == COVARIATE:
        return f"New inputs, and the model is right on them as far as labels show: {_joined(told)}."
    more = counted(wanted, "label") if isinstance(wanted, int) and wanted else "labels"
    return f"Inputs moved, and nobody knows yet whether the model is right on them; {more} would tell: {_joined(told)}."


def _joined(told: Sequence[str]) -> str:
    return "; ".join(told)


def _of(evidence: Sequence[Evidence], detector: str) -> Evidence | None:
    return next((each for each in evidence if each.detector == detector), None)


def _fact(evidence: Sequence[Evidence], detector: str, name: str) -> object:
    each = _of(evidence, detector)
    return None if each is None else each.facts.get(name)
