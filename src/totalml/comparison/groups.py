"""The groups of samples that got better or worse from one run to another, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.comparison.slices import CONFIDENCE, ERROR_RATE, SliceChange, SliceChanges
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import chance, counted, percent, points, points_interval

if TYPE_CHECKING:
    from totalml.comparison.side_by_side import SideBySide

MOST_ROWS = 10
MOST_APART = 12
NAME_LENGTH = 90
HEAD = ["Group", "Samples", "Right before", "Right now", "Points", "Drawn", "Gained", "Lost", "By chance alone"]


def groups(names: Sequence[str], others: Sequence[SideBySide]) -> Html:
    """Nothing where no run looked at groups."""
    parts = [_of(names[0], name, beside) for name, beside in zip(names[1:], others, strict=True) if beside.slices]
    if not parts:
        return Html("")
    text = (
        "Each group of test samples that both runs looked at, on the very same samples. A group is called better or "
        f"worse only if chance alone makes such a change in fewer than {percent(ERROR_RATE, 0)} of comparisons, "
        f"however many groups there are; intervals hold for all of a table at once ({percent(CONFIDENCE, 0)})."
    )
    return section("groups", "Which groups got better and worse", tag("p", text), *parts)


def _of(first: str, name: str, beside: SideBySide) -> Html:
    slices = beside.slices
    if slices is None:
        return Html("")
    heading = tag("h3", f"{name} against {first}")
    shown = _table(f"Groups, {name} against {first}", slices) if slices.all else Html("")
    return joined(heading, tag("p", _told(slices)), shown, _apart(slices))


def _told(slices: SliceChanges) -> Html:
    if not slices.all:
        return joined("No group was cut alike by both.")
    compared = counted(len(slices.all), "group")
    better = [one for one in slices.all if one.better]
    worse = [one for one in slices.all if one.worse]
    if not better and not worse:
        return joined(f"None of {compared} is clearly better or worse, as far as their samples can tell.")
    told = [_named("Worse", worse), _named("Better", list(reversed(better)))]
    return joined(*told, f"{compared} were compared.")


def _named(word: str, changes: Sequence[SliceChange]) -> Html:
    if not changes:
        return Html("")
    most = changes[0]
    more = f" and {counted(len(changes) - 1, 'other')}" if len(changes) > 1 else ""
    figures = f" ({percent(most.before)} became {percent(most.after)})"
    return joined(tag("strong", f"{word} for ", name_of(most.name, NAME_LENGTH)), figures, more, ". ")


def _table(caption: str, slices: SliceChanges) -> Html:
    shown = slices.closest(max(MOST_ROWS, len(slices.clear())))
    reach = max(max(abs(one.change.low or 0.0), abs(one.change.high or 0.0)) for one in shown)
    rows = [_row(one, reach) for one in shown]
    if len(slices.all) > len(shown):
        caption += f", the {len(shown)} least likely by chance"
    return table(f"{caption}; most harmed first, the upright line is no change", HEAD, rows, "numbers groups")


def _row(one: SliceChange, reach: float) -> list[str]:
    name = name_of(one.name, NAME_LENGTH)
    kind = "second" if one.worse else "first"
    return [
        tag("strong", name, f" is {'better' if one.better else 'worse'}") if one.clear else name,
        f"{one.count:,}",
        percent(one.before),
        percent(one.after),
        joined(tag("b", points(one.change.value or 0.0)), tag("small", points_interval(one.change))),
        forest(one.change, 0.0, -reach, kind, reach),
        str(one.gained),
        str(one.lost),
        chance(one.p),
    ]


def _apart(slices: SliceChanges) -> Html:
    if not slices.apart:
        return Html("")
    named = [name_of(name) for name in slices.apart[:MOST_APART]]
    more = len(slices.apart) - len(named)
    rest = f" and {more} more" if more else ""
    return tag("p", "Not cut alike by both, so not compared: ", Html(", ".join(named)), rest, ".", class_="notes")
