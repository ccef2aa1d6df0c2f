"""What each test said of one window, which columns moved, and for whom the model errs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.monitoring.page.detectors import cut, in_order, measured, title
from totalml.monitoring.page.facts import faults, moves, slices
from totalml.monitoring.page.moments import Axis, in_words, moment, span
from totalml.monitoring.page.moved import moved
from totalml.report.markup import Html, joined, section, table, tag
from totalml.report.number_format import MISSING
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent
    from totalml.monitoring.verdict import Evidence


def evidence(content: MonitorContent, axis: Axis) -> Html | str:
    looked = content.focus
    if looked is None:
        return ""
    which = "latest window that alarmed" if looked.verdict.alarms else "latest window"
    lead = f"Of the {which}, {span(looked.start, looked.end)}, with {counted(looked.rows, 'row')}."
    parts = (_tests(looked), faults(looked), moves(looked), slices(looked), moved(content, axis))
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


def _began(each: Evidence) -> str:
    if each.more:
        return f"{each.more:,} more wanted"
    if each.since is None:
        return MISSING
    when = in_words(moment(each.since))
    if each.between is None:
        return when
    return joined(when, tag("small", f"{in_words(moment(each.between[0]))} to {in_words(moment(each.between[1]))}"))
