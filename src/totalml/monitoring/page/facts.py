"""What detectors left in the facts of their evidence: faults of the data, columns that moved, groups that fare worse.

Facts come from a journal that another version may have written, so what is of another shape is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from totalml.monitoring.page.detectors import column, cut
from totalml.report.markup import Html, joined, name_of, table, tag, with_bar
from totalml.report.number_format import MINUS, MISSING, chance, percent, quantity

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked

MOST = 40  # rows of a table
# Lists of records: `words`, `share`, `expected`, `p` and `certain` of a Fault; all of a Move; all of a SliceFigure.
FAULTS, MOVES, SLICES = "faults", "moves", "slices"


def faults(looked: Looked) -> Html | str:
    listed = _listed(looked, FAULTS)
    if not listed:
        return ""
    rows: list[list[str]] = [
        [
            cut(str(each.get("words") or "")),
            *(_share(_number(each.get(key))) for key in ("expected", "share")),
            "a rule is broken" if each.get("certain") else _chance(each),
        ]
        for each in listed[:MOST]
    ]
    head = ["Fault", "Then", "Now", "By chance alone"]
    return joined(tag("h3", "What is wrong with the data"), table(_caption("Faults", listed), head, rows, "faults"))


def moves(looked: Looked) -> Html | str:
    listed = _listed(looked, MOVES)
    known = {str(each.get("name")) for each in listed} | {str(each.get("slice")) for each in _listed(looked, SLICES)}
    rows = [_move(each) for each in listed[:MOST]]
    rest = [name for name in looked.verdict.moved if name not in known][: MOST - len(rows)]
    rows += [[name_of(column(name)), MISSING, MISSING, MISSING, MISSING] for name in rest]
    if not rows:
        return ""
    more = len(listed) + len(rest) - len(rows)
    caption = "What moved most" + (f"; {more:,} more not shown" if more > 0 else "")
    head = ["What", "Then", "Now", "How far", "By chance alone"]
    return joined(tag("h3", "Then and now"), table(caption, head, rows, "numbers"))


def _move(each: Mapping[str, Any]) -> list[str]:
    name, of = str(each.get("name")), str(each.get("of") or "")
    shown = name_of(column(name))
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


def _then_or_now(value: float | None, of: str) -> str:
    if value is None:
        return MISSING
    return percent(value) if of else quantity(value)


def slices(looked: Looked) -> Html | str:
    level = next((each.level for each in looked.verdict.evidence if SLICES in each.facts), None)
    listed = _listed(looked, SLICES)
    if not listed:
        return ""
    head = ["Group", "Figure", "Rows", "Then", "Now", "By chance alone"]
    shown = table(_caption("Groups", listed), head, [_slice(each, level) for each in listed[:MOST]], "numbers groups")
    return joined(tag("h3", "How groups fare"), shown)


def _slice(each: Mapping[str, Any], level: float | None) -> list[str]:
    name, p, count = name_of(column(str(each.get("slice")))), _number(each.get("p")), _number(each.get("count"))
    return [
        tag("strong", name, " moved") if p is not None and level is not None and p <= level else name,
        cut(str(each.get("figure") or ""), 60),
        MISSING if count is None else f"{count:,.0f}",
        *(_share(_number(each.get(key))) for key in ("reference", "value")),
        _chance(each),
    ]


def _share(value: float | None) -> str:
    return MISSING if value is None else percent(value).replace("-", MINUS)


def _chance(each: Mapping[str, Any]) -> str:
    p = _number(each.get("p"))
    return MISSING if p is None else chance(p)


def _caption(what: str, listed: Sequence[object]) -> str:
    return f"{what}, the first {MOST} of {len(listed):,}" if len(listed) > MOST else what


def _listed(looked: Looked, name: str) -> Sequence[Mapping[str, Any]]:
    """Of all detectors; what is no list of records is left out."""
    given = (each.facts.get(name) for each in looked.verdict.evidence)
    return [row for rows in given if isinstance(rows, (list, tuple)) for row in rows if isinstance(row, Mapping)]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if isfinite(value) else None
