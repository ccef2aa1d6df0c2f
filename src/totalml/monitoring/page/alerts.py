"""What is open and waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from totalml.monitoring.page.causes import meaning_of
from totalml.monitoring.page.detectors import cut
from totalml.monitoring.page.moments import in_words, moment
from totalml.monitoring.verdict import PAGE
from totalml.report.markup import Html, name_of, section, table, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.page.content import MonitorContent

MOST = 100
COMMANDS = ('totalml alerts ack ID --why "I look at it"', 'totalml alerts resolve ID --why "the camera is mended"')
HEAD = ["Alert", "What it is", "When to look", "Since", "State", "Judged by people"]


def alerts(content: MonitorContent) -> Html | str:
    title = "Open alerts"
    if content.alerts is None:
        return ""
    if not content.alerts:
        return section("alerts", title, tag("p", "None is open."))
    pages_first = sorted(content.alerts, key=lambda each: each.get("severity") != PAGE)
    rows = [_row(each) for each in pages_first[:MOST]]
    caption = counted(len(content.alerts), "open alert")
    if len(content.alerts) > MOST:
        caption += f", {MOST} shown, those to be seen to at once first"
    text = "An alert stays open until somebody says that it is settled:"
    command = tag("pre", tag("code", "\n".join(COMMANDS)), tabindex=0, role="region", aria_label="What to answer")
    return section("alerts", title, table(caption, HEAD, rows, "alerts"), tag("p", text), command)


def _row(alert: Mapping[str, Any]) -> list[str]:
    cause = str(alert.get("verdict") or "")
    return [
        tag("code", name_of(str(alert.get("id", "")), 24)),
        tag("span", badge(cause), tag("span", cut(str(alert.get("sentence") or "")), class_="told")),
        tag("b", "at once", class_="stopped") if alert.get("severity") == PAGE else "tomorrow will do",
        _when(alert.get("since")),
        cut(str(alert.get("state") or "open"), 40),
        cut(str(alert.get("judged") or "-"), 200),
    ]


def badge(cause: str) -> Html:
    """A cause with the colour and the letter that it has everywhere."""
    meaning = meaning_of(cause)
    letter = tag("b", meaning.letter, " ") if meaning.letter else ""
    swatch = tag("span", class_=f"swatch {meaning.kind}", aria_hidden="true")
    return tag("span", swatch, letter, tag("span", cut(cause, 40)), class_="badge")


def _when(since: object) -> str:
    """As it stands there if it is no time: it comes from another room's journal."""
    try:
        return in_words(moment(str(since)))
    except ValueError:
        return cut(str(since or ""), 40)
