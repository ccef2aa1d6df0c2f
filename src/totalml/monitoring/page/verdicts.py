"""What was said of each window: the longer story by spells, and every window in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.identity import short
from totalml.monitoring.page.alerts import badge
from totalml.monitoring.page.detectors import cut, title
from totalml.monitoring.page.moments import span, stamp
from totalml.monitoring.verdict import NONE, TOO_FEW
from totalml.report.markup import Html, joined, section, table, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent
    from totalml.monitoring.page.spells import Spell

MOST_SPELLS = 40
MOST_REASONS = 7
PLAIN = (NONE, TOO_FEW)  # that it is none of these, or why it is nothing more, the verdict itself says
HEAD = ["Verdict", "When", "Why", "What ruled others out"]


def verdicts(content: MonitorContent, most_windows: int) -> Html | str:
    if not content.looked:
        return ""
    shown = _chosen(content.spells)
    caption = f"{counted(len(shown), 'spell')} of windows of which the same was said, the latest first"
    if left_out := len(content.spells) - len(shown):
        caption += f"; {left_out:,} more, of which those that alarmed stand among the windows below"
    several = len({each.release for each in content.looked}) > 1
    rows = [_row(each, several) for each in shown]
    told = table(caption, HEAD, rows, "spells")
    return section("verdicts", "Verdicts", told, _windows(content.looked, most_windows))


def _chosen(spells: Sequence[Spell]) -> list[Spell]:
    """The latest, and before them rather those that alarmed."""
    latest = list(reversed(spells))
    alarmed = [each for each in latest if each.alarms][:MOST_SPELLS]
    quiet = [each for each in latest if not each.alarms][: max(MOST_SPELLS - len(alarmed), 0)]
    return sorted([*alarmed, *quiet], key=lambda each: (each.end, each.start), reverse=True)


def _row(spell: Spell, several: bool) -> list[str]:
    """Args: several: releases are shown, so that each has to be told."""
    release = tag("small", "release ", tag("code", short(spell.last.release))) if several else ""
    verdict = spell.last.verdict
    ruled_out = [] if verdict.cause in PLAIN else [each for each in verdict.ruled_out.items() if each[0] not in PLAIN]
    reasons = [tag("li", tag("b", f"Not {cause}: "), cut(why)) for cause, why in ruled_out[:MOST_REASONS]]
    season = tag("small", f"in {cut(verdict.season, 60)}") if verdict.season else ""
    return [
        joined(badge(spell.cause), season),
        joined(span(spell.start, spell.end), tag("small", counted(len(spell.looked), "window")), release),
        cut(verdict.told),
        tag("ul", *reasons, class_="reasons") if reasons else "",
    ]


def _windows(looked: Sequence[Looked], most: int) -> Html:
    """All of them; where there are too many, those that alarmed and the latest."""
    chosen = set(range(len(looked)))
    if len(looked) > most:
        alarmed = [place for place, each in enumerate(looked) if each.verdict.alarms][-most:]
        chosen = {*alarmed, *range(len(looked) - (most - len(alarmed)), len(looked))}
    several = len({each.release for each in looked}) > 1
    head = ["From", "Until", "Rows", "Labels", "Verdict", "Found by", *(["Release"] if several else [])]
    rows: list[list[str]] = [
        [
            stamp(each.start),
            stamp(each.end),
            f"{each.rows:,}",
            f"{each.labels:,}",
            tag("b", each.verdict.cause) if each.verdict.alarms else each.verdict.cause,
            ", ".join(cut(title(found.detector), 40) for found in each.verdict.evidence if found.alarm),
            *([short(each.release)] if several else []),
        ]
        for place, each in reversed([*enumerate(looked)])
        if place in chosen
    ]
    caption = f"{counted(len(looked), 'window')}, times in UTC"
    if len(rows) < len(looked):
        caption += f"; {len(rows):,} of them here, which are those that alarmed and the latest"
    name = f"Every window ({len(looked):,})" if len(rows) == len(looked) else f"{len(rows):,} windows"
    return tag("details", tag("summary", name), table(caption, head, rows, "windows"))
