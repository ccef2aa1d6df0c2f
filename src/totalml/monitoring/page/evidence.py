"""What each test said of one window, which columns moved, and for whom the model errs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from totalml.monitoring.page.detectors import column, cut, in_order, measured, title
from totalml.monitoring.page.moments import Axis, in_words, moment, span
from totalml.monitoring.page.moved import moved
from totalml.report.markup import Html, joined, name_of, section, table, tag, with_bar
from totalml.report.number_format import MISSING, chance, counted, percent, quantity

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent
    from totalml.monitoring.verdict import Evidence

MOST_MOVES, MOST_SLICES = 40, 40
MOVES, SLICES = "moves", "slices"  # in the facts of evidence: lists of a Move's fields, and of `_slice`'s


def evidence(content: MonitorContent, axis: Axis) -> Html | str:
    looked = content.focus
    if looked is None:
        return ""
    which = "latest window that alarmed" if looked.verdict.alarms else "latest window"
    lead = f"Of the {which}, {span(looked.start, looked.end)}, with {counted(looked.rows, 'row')}."
    parts = (_tests(looked), _moves(looked), _slices(looked), moved(content, axis))
    return section("evidence", "What the tests say", tag("p", lead), *parts)


def _tests(looked: Looked) -> Html | str:
    said = {each.detector: each for each in looked.verdict.evidence}
    if not said:
        return ""
    rows: list[list[str]] = [
        [
            cut(title(name), 60),
            tag("b", "found", class_="stopped")
            if (each := said[name]).alarm
            else "not asked"
            if each.more
            else "quiet",
            cut(each.told),
            measured(each),
            _began(each),
        ]
        for name in in_order({*said})
    ]
    return table("What each test said", ["Test", "Result", "In words", "Measured", "Began about"], rows, "tests")


def _result(each: Evidence) -> str:
    if each.alarm:
        return tag("b", "found", class_="stopped")
    return "too few" if each.more else "quiet"


def _began(each: Evidence) -> str:
    if each.more:
        return f"{each.more:,} more wanted"
    if each.since is None:
        return MISSING
    when = in_words(moment(each.since))
    if each.between is None:
        return when
    return joined(when, tag("small", f"{in_words(moment(each.between[0]))} to {in_words(moment(each.between[1]))}"))


def _moves(looked: Looked) -> Html | str:
    moves = _listed(looked, MOVES)
    known = {str(each.get("name")) for each in (*moves, *_listed(looked, SLICES))}
    rows = [_move(each) for each in moves[:MOST_MOVES]]
    rest = [name for name in looked.verdict.moved if name not in known][: MOST_MOVES - len(rows)]
    rows += [[name_of(column(name)), MISSING, MISSING, MISSING, MISSING] for name in rest]
    if not rows:
        return ""
    more = len(moves) + len(rest) - len(rows)
    caption = "What moved most" + (f"; {more:,} more not shown" if more > 0 else "")
    head = ["What", "Then", "Now", "How far", "By chance alone"]
    return joined(tag("h3", "Then and now"), table(caption, head, rows, "numbers"))


def _move(each: Mapping[str, Any]) -> list[str]:
    name, of = str(each.get("name")), str(each.get("of") or "")
    shown = name_of(column(name))
    value, p = _number(each.get("value")), _number(each.get("p"))
    far = quantity(value) if value is not None else MISSING
    if value is not None and each.get("statistic") == "KS" and 0 <= value <= 1:
        far = with_bar(value, far)
    return [
        joined(shown, tag("small", " share of ", name_of(of, 40))) if of else shown,
        *(_then_or_now(_number(each.get(key)), of) for key in ("before", "now")),
        joined(far, tag("small", cut(str(each.get("statistic") or ""), 24))),
        MISSING if p is None else chance(p),
    ]


def _then_or_now(value: float | None, of: str) -> str:
    if value is None:
        return MISSING
    return percent(value) if of else quantity(value)


def _slices(looked: Looked) -> Html | str:
    slices = _listed(looked, SLICES)
    if not slices:
        return ""
    caption = "Groups" + (f", the first {MOST_SLICES} of {len(slices):,}" if len(slices) > MOST_SLICES else "")
    head = ["Group", "Labels", "Wrong then", "Wrong now", "By chance alone"]
    rows = [_slice(each) for each in slices[:MOST_SLICES]]
    return joined(tag("h3", "For whom it errs"), table(caption, head, rows, "numbers groups"))


def _slice(each: Mapping[str, Any]) -> list[str]:
    """Args: each: `name`, `count`, `before` and `now` as shares, `p`, `alarm`."""
    name, p = name_of(column(str(each.get("name")))), _number(each.get("p"))
    count, before, now = (_number(each.get(key)) for key in ("count", "before", "now"))
    return [
        tag("strong", name, " is worse") if each.get("alarm") else name,
        MISSING if count is None else f"{count:,.0f}",
        MISSING if before is None else percent(before),
        MISSING if now is None else with_bar(min(max(now, 0.0), 1.0), percent(now)),
        MISSING if p is None else chance(p),
    ]


def _listed(looked: Looked, name: str) -> Sequence[Mapping[str, Any]]:
    """Of all detectors; what is no list of records is left out."""
    given = (each.facts.get(name) for each in looked.verdict.evidence)
    return [row for rows in given if isinstance(rows, (list, tuple)) for row in rows if isinstance(row, Mapping)]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if isfinite(value) else None
