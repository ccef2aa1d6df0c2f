"""What detectors left in the facts of their evidence: faults of the data, columns that moved, groups that fare worse.

Facts come from a journal that another version may have written, so what is of another shape is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from totalml.monitoring.page.detectors import column, cut, odds, title
from totalml.monitoring.verdict import OF_STREAM
from totalml.report.markup import Html, joined, name_of, table, tag, with_bar
from totalml.report.number_format import MINUS, MISSING, chance, percent, quantity

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.verdict import Evidence

MOST = 40  # rows of a table
HEAD = ["What", "Expected", "Found", "By chance alone"]
FAULTS, NOTICED, MOVES, SLICES = "faults", "noticed", "moves", "slices"  # lists of records


def faults(looked: Looked) -> Html | str:
    """And what is new without being wrong, such as a value that was never seen."""
    tables = [
        table(_caption(caption, listed), HEAD, [*map(_fault, listed[:MOST])], "faults")
        for name, caption in ((FAULTS, "What is wrong"), (NOTICED, "New, but nothing that is wrong by itself"))
        if (listed := _listed(looked, name))
    ]
    return joined(tag("h3", "The data as such"), *tables) if tables else ""


def _fault(each: Mapping[str, Any]) -> list[str]:
    return [
        cut(str(each.get("words") or "")),
        *(_share(_number(each.get(key))) for key in ("expected", "share")),
        "a rule is broken" if each.get("certain") else _chance(each),
    ]


def moves(looked: Looked) -> Html | str:
    """A table of each detector that says which columns moved; there are none of labels."""
    tables = [_moves(each) for each in looked.verdict.evidence if _records(each, MOVES)]
    return joined(tag("h3", "Then and now"), *tables) if tables else ""


def _moves(evidence: Evidence) -> Html:
    listed = _records(evidence, MOVES)
    caption = _caption(f"{title(evidence.detector)}, what moved most first", listed)
    if evidence.detector == OF_STREAM:
        grown = [[_named(each, evidence), cut(str(each.get("way") or ""), 24), _grown(each)] for each in listed[:MOST]]
        return table(caption, ["What", "Than before", "Evidence"], grown, "numbers")
    head = ["What", "Then", "Now", "How far", "By chance alone"]
    return table(caption, head, [_move(each, evidence) for each in listed[:MOST]], "numbers")


def _move(each: Mapping[str, Any], evidence: Evidence) -> list[str]:
    shown, of = _named(each, evidence), str(each.get("of") or "")
    value = _number(each.get("value"))
    far = quantity(value) if value is not None else MISSING
    if value is not None and each.get("statistic") == "KS" and 0 <= value <= 1:
        far = with_bar(value, far)
    return [
        joined(shown, tag("small", " share of ", name_of(of, 40))) if of else shown,
        *(_then_or_now(_number(each.get(key)), of) for key in ("before", "now")),
        joined(far, tag("small", cut(str(each.get("statistic") or ""), 24))),
        _chance(each),
    ]


def _named(each: Mapping[str, Any], evidence: Evidence) -> Html:
    """Bold where it is among what moved: others are shown for comparison."""
    name = str(each.get("name"))
    return tag("strong", name_of(column(name))) if name in evidence.moved else name_of(column(name))


def _grown(each: Mapping[str, Any]) -> str:
    logarithm = _number(each.get("log_evidence"))
    return MISSING if logarithm is None else odds(logarithm)


def _then_or_now(value: float | None, of: str) -> str:
    if value is None:
        return MISSING
    return percent(value) if of else quantity(value)


def slices(looked: Looked) -> Html | str:
    listed = _listed(looked, SLICES)
    if not listed:
        return ""
    head = ["Group", "Labels", "Wrong at most, when it was made"]
    rows = [_slice(each) for each in listed[:MOST]]
    return joined(tag("h3", "For whom it errs more"), table(_caption("Groups", listed), head, rows, "numbers groups"))


def _slice(each: Mapping[str, Any]) -> list[str]:
    labels = _number(each.get("labels"))
    told = MISSING if labels is None else f"{labels:,.0f}"
    return [name_of(column(str(each.get("name")))), told, _share(_number(each.get("bound")))]


def _share(value: float | None) -> str:
    return MISSING if value is None else percent(value).replace("-", MINUS)


def _chance(each: Mapping[str, Any]) -> str:
    p = _number(each.get("p"))
    return MISSING if p is None else chance(p)


def _caption(what: str, listed: Sequence[object]) -> str:
    return f"{what}, the first {MOST} of {len(listed):,}" if len(listed) > MOST else what


def _listed(looked: Looked, name: str) -> list[Mapping[str, Any]]:
    """Of all detectors."""
    return [record for each in looked.verdict.evidence for record in _records(each, name)]


def _records(evidence: Evidence, name: str) -> list[Mapping[str, Any]]:
    given = evidence.facts.get(name)
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, (list, tuple)) else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if isfinite(value) else None
