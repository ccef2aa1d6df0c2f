"""How near each detector came to an alarm over time, with seasons, changes of the release, and how much came."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from totalml.identity import short
from totalml.monitoring.page.detectors import cut, in_order, question, title
from totalml.monitoring.page.moments import Axis, in_words, moment, span
from totalml.monitoring.page.nearness import MOST, nearness
from totalml.monitoring.page.strip import strip, times
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent, Season
    from totalml.monitoring.verdict import Evidence

WIDTH, HEIGHT = 1000, 100  # of a lane, which is stretched to what room there is
GROUND, TOP = 96.0, 10.0
SLOTS = 500  # places of a lane; of windows that share one the nearest to an alarm is drawn
MOST_NAMED = 12  # seasons, and changes of the release


def timeline(content: MonitorContent, axis: Axis) -> Html:
    if not content.looked:
        return section("timeline", "Over time", tag("p", "No window was looked at in this time."))
    detectors = in_order({each.detector for looked in content.looked for each in looked.verdict.evidence})
    behind = joined(_seasons(content, axis), _changes(content.looked, axis))
    lead = (
        "One row for each test: the taller, the harder it is to put down to chance what it saw. A dot is where it "
        "found something, beyond the dashed line, which lies where the budget for false alarms leaves it."
    )
    lanes = [_lane(each, content, axis, behind) for each in detectors]
    verdicts = _row("Verdict", "What all of it comes to", strip(content, axis))
    drawn = tag("div", verdicts, *lanes, _volume(content, axis, behind), _row("", "", times(axis)), class_="lanes")
    return section("timeline", "Over time", tag("p", lead), drawn, _keys(content, axis))


def _row(name: str, small: str, drawn: str) -> Html:
    label = tag("div", tag("b", name), tag("small", small), class_="what") if name else tag("div", class_="what none")
    return tag("div", label, tag("div", drawn, class_="drawn"), class_="lane")


def _lane(detector: str, content: MonitorContent, axis: Axis, behind: Html) -> Html:
    found = [(each, evidence) for each in content.looked if (evidence := each.verdict.of(detector)) is not None]
    near = [(axis.share(_middle(each)), nearness(evidence), evidence.alarm) for each, evidence in found]
    highest: dict[int, float] = {}
    for share, value, _ in near:
        if value is not None:
            slot = round(share * SLOTS)
            highest[slot] = max(highest.get(slot, 0.0), value)
    alarms = {round(share * SLOTS) for share, _, alarm in near if alarm}
    unasked = {round(share * SLOTS) for share, value, _ in near if value is None} - highest.keys()
    stems = "".join(f"M{_x(slot)} {GROUND:g}V{_y(value)}" for slot, value in sorted(highest.items()))
    dots = "".join(f"M{_x(slot)} {_y(highest[slot])}h0" for slot in sorted(alarms))
    gaps = "".join(f"M{_x(slot)} {GROUND:g}h0" for slot in sorted(unasked))
    drawn = _picture(
        f"{title(detector)}: {_told(found)}",
        behind,
        tag("path", d=f"M0 {_y(1.0)}H{WIDTH}", class_="level"),
        *(tag("path", d=d, class_=kind) for d, kind in ((stems, "stems"), (gaps, "unasked"), (dots, "alarm")) if d),
    )
    return _row(cut(title(detector), 60), question(detector), drawn)


def _told(found: Sequence[tuple[Looked, Evidence]]) -> str:
    asked = [evidence for _, evidence in found if nearness(evidence) is not None]
    finds = [looked for looked, evidence in found if evidence.alarm]
    told = f"found something in {len(finds):,} of {counted(len(asked), 'window')}"
    if lacking := len(found) - len(asked):
        told += f", not enough data in {lacking:,}"
    if finds:
        told += f"; the first in {span(finds[0].start, finds[0].end)}, the last in "
        told += span(finds[-1].start, finds[-1].end)
    return told


def _volume(content: MonitorContent, axis: Axis, behind: Html) -> Html:
    bars = [(each.since, each.until, each.rows) for each in content.volume]
    bars = bars or [(each.start, each.end, each.rows) for each in content.looked]
    most = max((rows for *_, rows in bars), default=0)
    slots: dict[int, tuple[float, float, int]] = {}
    for since, until, rows in bars:
        left, right = axis.share(since), axis.share(until)
        slot = round(left * SLOTS)
        known = slots.get(slot, (left, right, 0))
        slots[slot] = (min(left, known[0]), max(right, known[1]), max(rows, known[2]))
    path = "".join(
        f"M{left * WIDTH:.1f} {GROUND:g}V{_y(MOST * rows / most)}H{right * WIDTH - 1:.1f}V{GROUND:g}Z"
        for left, right, rows in slots.values()
        if most
    )
    at_most = f"at most {most:,} in a {'day' if content.volume else 'window'}"
    told = f"Rows: {sum(rows for *_, rows in bars):,} in all, {at_most}"
    return _row("Rows", at_most.capitalize(), _picture(told, behind, tag("path", d=path, class_="column")))


def _picture(told: str, *drawn: str) -> Html:
    """A lane that is as wide as there is room; its strokes stay as they are."""
    ground = tag("path", d=f"M0 {GROUND:g}H{WIDTH}", class_="ground")
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag("svg", *drawn, ground, viewBox=box, preserveAspectRatio="none", role="img", aria_label=told)


def _seasons(content: MonitorContent, axis: Axis) -> Html:
    places = [(axis.share(each.since), axis.share(each.until)) for each in _of_this_time(content, axis)]
    path = "".join(
        f"M{left * WIDTH:.1f} 0H{max(right, left + 0.002) * WIDTH:.1f}V{HEIGHT}H{left * WIDTH:.1f}Z"
        for left, right in places
    )
    return tag("path", d=path, class_="season") if path else Html("")


def _changes(looked: Sequence[Looked], axis: Axis) -> Html:
    path = "".join(f"M{axis.share(each.start) * WIDTH:.1f} 0V{HEIGHT}" for each in changes(looked))
    return tag("path", d=path, class_="change") if path else Html("")


def changes(looked: Sequence[Looked]) -> list[Looked]:
    """Windows with which another release comes, or comes back; not each one of two that answer side by side."""
    found: list[Looked] = []
    ends: dict[str, str] = {}
    for before, each in pairwise(looked):
        ends[before.release] = before.end
        came = each.release not in ends or moment(ends[each.release]) < moment(each.start)
        if each.release != before.release and came:
            found.append(each)
    return found


def _of_this_time(content: MonitorContent, axis: Axis) -> list[Season]:
    return [each for each in content.seasons if axis.share(each.until) > axis.share(each.since)]


def _keys(content: MonitorContent, axis: Axis) -> Html:
    """What the bands and the upright lines are, in words; text in the drawing would run into itself on a phone."""
    bands = [
        joined(
            tag("span", class_="swatch band-of-season", aria_hidden="true"),
            tag("span", name_of(each.name), f", {span(each.since, each.until)}"),
        )
        for each in _of_this_time(content, axis)
    ]
    lines = [
        joined(
            tag("span", class_="swatch line-of-change", aria_hidden="true"),
            tag("span", "release ", tag("code", short(each.release)), f" since {in_words(moment(each.start))}"),
        )
        for each in changes(content.looked)
    ]
    earlier = max(len(bands) - MOST_NAMED, 0) + max(len(lines) - MOST_NAMED, 0)
    shown = [tag("li", each) for each in (*bands[-MOST_NAMED:], *lines[-MOST_NAMED:])]
    shown += [tag("li", f"and {earlier:,} earlier")] if earlier else []
    return tag("ul", *shown, class_="keys") if shown else Html("")


def _x(slot: int) -> str:
    return f"{slot * WIDTH / SLOTS:g}"


def _y(value: float) -> str:
    return f"{GROUND - value / MOST * (GROUND - TOP):.1f}"


def _middle(looked: Looked) -> str:
    start, end = moment(looked.start), moment(looked.end)
    return (start + (end - start) / 2).isoformat()
