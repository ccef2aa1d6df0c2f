"""Which columns moved when: what moved together, and since when, is seen before it is understood."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from totalml.monitoring.page.detectors import column
from totalml.monitoring.page.moments import Axis, moment, span
from totalml.report.markup import Html, joined, name_of, table, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent

MOST = 24
WIDTH, HEIGHT = 400, 16
THINNEST = 2.0  # of such a width


def moved(content: MonitorContent, axis: Axis) -> Html | str:
    windows: dict[str, list[Looked]] = defaultdict(list)
    for looked in content.looked:
        for name in looked.verdict.moved:
            windows[name].append(looked)
    if not windows:
        return ""
    latest = sorted(windows, key=lambda name: (moment(windows[name][-1].end), len(windows[name])), reverse=True)
    rows: list[list[str]] = [
        [name_of(column(name)), _marks(found, axis), counted(len(found), "window"), span(found[0].start, found[-1].end)]
        for name in latest[:MOST]
        for found in [windows[name]]
    ]
    caption = "What moved in any window, the latest first"
    if len(windows) > MOST:
        caption += f"; {MOST} of {len(windows):,}"
    shown = table(caption, ["What", "When", "In", "From the first to the last"], rows, "moved")
    return joined(tag("h3", "All that moved in this time"), shown)


def _marks(windows: list[Looked], axis: Axis) -> Html:
    """Beside it stands the same in words."""
    slots: dict[int, float] = {}
    for each in windows:
        left = axis.share(each.start) * WIDTH
        slots[round(left)] = max(axis.share(each.end) * WIDTH, left + THINNEST, slots.get(round(left), 0.0))
    path = "".join(f"M{left} 0H{right:.0f}V{HEIGHT}H{left}Z" for left, right in slots.items())
    ground = tag("rect", width=WIDTH, height=HEIGHT, class_="ground")
    drawn = tag("path", d=path, class_="column")
    return tag("svg", ground, drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none", aria_hidden="true")
