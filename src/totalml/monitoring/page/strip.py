"""The verdicts over time as one strip: colour, hatching and a letter for each cause."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from totalml.monitoring.page.causes import meaning_of
from totalml.monitoring.page.moments import Axis, span
from totalml.monitoring.verdict import CAUSES
from totalml.report.markup import Html, joined, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.page.content import MonitorContent
    from totalml.monitoring.page.spells import Spell

LETTER_WIDTH = 0.035  # of the strip on a phone
THINNEST = 0.002


def strip(content: MonitorContent, axis: Axis) -> Html:
    """With its letters above and what they mean below."""
    spells = content.spells
    # What alarms is drawn last, so that nothing lies over it.
    blocks = [_block(each, axis) for each in sorted(spells, key=lambda spell: spell.alarms)]
    bar = tag("div", *blocks, class_="strip", role="img", aria_label=_told(content))
    letters = _letters(spells, axis)
    return joined(tag("div", *letters, class_="letters", aria_hidden="true") if letters else "", bar)


def legend(content: MonitorContent) -> Html:
    counts = _counts(content)
    keys = [
        tag(
            "li",
            tag("span", class_=f"swatch {meaning.kind}", aria_hidden="true"),
            tag("b", meaning.letter) if meaning.letter else "",
            tag("span", meaning.plain, tag("small", f" ({cause}, {counted(count, 'window')})")),
        )
        for cause, count in counts.items()
        for meaning in [meaning_of(cause)]
    ]
    return tag("ul", *keys, class_="keys")


def times(axis: Axis) -> Html:
    """The labels below."""
    marks = []
    for time, label in axis.ticks():
        share = axis.share(time)
        edge = "first" if share < 0.04 else "last" if share > 0.96 else None
        marks.append(tag("span", label, style=f"left:{100 * share:.2f}%", class_=edge))
    return tag("div", *marks, class_="times", aria_hidden="true")


def _block(spell: Spell, axis: Axis) -> Html:
    left, right = axis.share(spell.start), axis.share(spell.end)
    width = max(right - left, THINNEST)
    style = f"left:{100 * min(left, 1 - THINNEST):.2f}%;width:{100 * width:.2f}%"
    return tag("span", style=style, class_=meaning_of(spell.cause).kind)


def _letters(spells: list[Spell], axis: Axis) -> list[Html]:
    """Where they do not run into each other; those of alarms first."""
    placed: dict[float, str] = {}
    for spell in sorted(spells, key=lambda each: not each.alarms):
        letter = meaning_of(spell.cause).letter
        middle = (axis.share(spell.start) + axis.share(spell.end)) / 2
        middle = min(max(middle, LETTER_WIDTH / 2), 1 - LETTER_WIDTH / 2)
        if letter and all(abs(middle - other) >= LETTER_WIDTH for other in placed):
            placed[middle] = letter
    return [tag("b", letter, style=f"left:{100 * middle:.2f}%") for middle, letter in sorted(placed.items())]


def _counts(content: MonitorContent) -> dict[str, int]:
    counts = Counter(each.verdict.cause for each in content.looked)
    order = {cause: place for place, cause in enumerate(CAUSES)}
    return {cause: counts[cause] for cause in sorted(counts, key=lambda cause: order.get(cause, len(order)))}


def _told(content: MonitorContent) -> str:
    if not content.looked:
        return "No window was looked at."
    counts = ", ".join(f"{cause} {count:,}" for cause, count in _counts(content).items())
    alarms = [f"{each.cause} {span(each.start, each.end)}" for each in content.spells if each.alarms][-8:]
    latest = f" Alarms: {'; '.join(alarms)}." if alarms else " No alarm."
    return f"Verdicts of {counted(len(content.looked), 'window')}: {counts}.{latest}"


def with_times(content: MonitorContent, axis: Axis) -> Html:
    return joined(strip(content, axis), times(axis))
