"""The groups of samples that got better or worse from one run to another, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.comparison.figures import moved, step, step_interval
from totalml.comparison.slices import CONFIDENCE, ERROR_RATE, SliceChange, SliceChanges
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import SHARES, chance, figure, percent
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.side_by_side import SideBySide

MOST_ROWS = 10
MOST_APART = 12
NAME_LENGTH = 90


def _head(name: str) -> list[str]:
    figures = ("Right before", "Right now", "Points") if name == "accuracy" else ("Before", "Now", "Better by")
    gained, lost = (word.capitalize() for word in moved(name in SHARES))
    return ["Group", "Samples", *figures, "Drawn", gained, lost, "By chance alone"]


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
        return joined("There is no group to compare.")
    compared = counted(len(slices.all), "group")
    better = [one for one in slices.all if one.better]
    worse = [one for one in slices.all if one.worse]
    if not better and not worse:
        return joined(f"None of {compared} is clearly better or worse, as far as their samples can tell.")
    told = [_named("Worse", worse, slices.figure), _named("Better", list(reversed(better)), slices.figure)]
    return joined(*told, f"{compared} {'was' if len(slices.all) == 1 else 'were'} compared.")


def _named(word: str, changes: Sequence[SliceChange], name: str) -> Html:
    if not changes:
        return Html("")
    most = changes[0]
    more = f" and {counted(len(changes) - 1, 'other')}" if len(changes) > 1 else ""
    figures = f" ({figure(name, most.before)} became {figure(name, most.after)})"
    return joined(tag("strong", f"{word} for ", name_of(most.name, NAME_LENGTH)), figures, more, ". ")


def _table(caption: str, slices: SliceChanges) -> Html:
    shown = slices.closest(max(MOST_ROWS, len(slices.clear())))
    reach = max(max(abs(one.change.low or 0.0), abs(one.change.high or 0.0)) for one in shown)
    rows = [_row(one, reach, slices.figure) for one in shown]
    if len(slices.all) > len(shown):
        caption += f", the {len(shown)} least likely by chance"
    return table(
        f"{caption}; most harmed first, the upright line is no change", _head(slices.figure), rows, "numbers groups"
    )


def _row(one: SliceChange, reach: float, figure_name: str) -> list[str]:
    name = name_of(one.name, NAME_LENGTH)
    kind = "second" if one.worse else "first"
    return [
        tag("strong", name, f" is {'better' if one.better else 'worse'}") if one.clear else name,
        f"{one.count:,}",
        figure(figure_name, one.before),
        figure(figure_name, one.after),
        joined(tag("b", step(figure_name, one.step)), tag("small", step_interval(figure_name, one.change))),
        forest(one.change, 0.0, -reach, kind, reach),
        str(one.gained),
        str(one.lost),
        chance(one.p),
    ]


def _apart(slices: SliceChanges) -> Html:
    return joined(
        _left_out("Not cut alike by both, so not compared: ", slices.apart),
        _left_out("Of too few samples in each of their groups (evaluation.slices.min_support): ", slices.small),
    )


def _left_out(why: str, columns: Sequence[str]) -> Html:
    if not columns:
        return Html("")
    named = [name_of(name) for name in columns[:MOST_APART]]
    more = len(columns) - len(named)
    rest = f" and {more} more" if more else ""
    return tag("p", why, Html(", ".join(named)), rest, ".", class_="notes")
