"""Write the page of a monitor: one file, no network, no script, always under 950 KB.

The text comes first; pictures take what it leaves of the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.monitoring.page.alerts import alerts
from totalml.monitoring.page.evidence import evidence
from totalml.monitoring.page.moments import Axis, moment, span
from totalml.monitoring.page.pictures import glance, pictures
from totalml.monitoring.page.promise import promise
from totalml.monitoring.page.summary import summary
from totalml.monitoring.page.timeline import timeline
from totalml.monitoring.page.verdicts import verdicts
from totalml.report.document import document
from totalml.report.markup import Html, joined, name_of, tag
from totalml.store.atomic import explained, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.monitoring.page.content import MonitorContent

LIMIT_BYTES = 950_000
PICTURE_BYTES = 400_000  # more would only make them larger than the page shows them
# Windows that the table of all holds; fewer where even the text would be too large.
MOST_WINDOWS = (4_000, 1_000, 100)
TITLES = {
    "summary": "Summary",
    "alerts": "Open alerts",
    "timeline": "Over time",
    "evidence": "What the tests say",
    "pictures": "Pictures",
    "verdicts": "Verdicts",
    "promise": "What is promised",
}


def write_monitor_page(path: Path, content: MonitorContent) -> Path:
    """Write it, whole or not at all, and return its path.

    Raises: StoreError: the folder cannot be written, or the disk is full.
    """
    page = render(content)
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page)
    return path


def render(content: MonitorContent) -> bytes:
    """The page as UTF-8, fewer than `LIMIT_BYTES`."""
    for most_windows in MOST_WINDOWS:
        page = _page(content, 0, most_windows).encode()
        if len(page) < LIMIT_BYTES:
            break
    budget = min(LIMIT_BYTES - len(page), PICTURE_BYTES)
    for _ in range(3):
        pictured = _page(content, budget, most_windows).encode()
        if len(pictured) < LIMIT_BYTES:
            return pictured
        # A picture also brings its tag and its text.
        budget -= len(pictured) - LIMIT_BYTES + 1
    return page


def _page(content: MonitorContent, budget_bytes: int, most_windows: int) -> Html:
    axis = _axis(content)
    parts: dict[str, Html | str] = {
        "summary": summary(content, axis, glance(content, budget_bytes)),
        "alerts": alerts(content),
        "timeline": timeline(content, axis),
        "evidence": evidence(content, axis),
        "pictures": pictures(content, budget_bytes),
        "verdicts": verdicts(content, most_windows),
        "promise": promise(content),
    }
    sections = {key: (TITLES[key], joined(shown)) for key, shown in parts.items() if shown}
    heading = f"Is all well with {content.asked or content.model}?"
    shown = span(axis.since.isoformat(), axis.until.isoformat())
    where = joined(" · ", name_of(content.deployment)) if content.deployment else ""
    eyebrow = tag("p", "Total ML · monitor", where, f" · {shown}", class_="eyebrow")
    return document(heading, tag("header", eyebrow, tag("h1", heading)), sections, "totalml.monitoring.page")


def _axis(content: MonitorContent) -> Axis:
    """From the first window, or the first rows, where there was nothing before."""
    starts = [moment(each.since) for each in content.volume if each.rows]
    starts += [moment(each.start) for each in content.looked]
    return Axis(max(content.since, min(starts, default=content.since)), content.until)
