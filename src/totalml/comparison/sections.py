"""A comparison as titled blocks of short lines, for the terminal and for Markdown alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.comparison import figures
from totalml.identity import short
from totalml.report.number_format import TITLES
from totalml.terminal import aligned
from totalml.values import shown
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.compared import Comparison
    from totalml.comparison.environment import FactChange
    from totalml.comparison.metrics import MetricChange
    from totalml.comparison.side import Side
    from totalml.comparison.sources import FileChange
    from totalml.compose.origins import Origins
    from totalml.values.keys import KeyChange

MOST_KEYS = 80
MOST_FILES, MOST_FILE_LINES, MOST_CODE_LINES = 50, 40, 150
MOST_PACKAGES = 15


@dataclass(frozen=True)
class Section:
    """Args:
    lines: each one starts with one of the markers of `shown`.
    """

    title: str
    lines: tuple[str, ...] = ()


def sections(comparison: Comparison) -> list[Section]:
    """The two sides first, the lines of code last because they can be many."""
    return [
        Section("Compared", tuple(aligned([_side("a", comparison.old), _side("b", comparison.new)], shown.SAME))),
        recipe_section(comparison.keys, comparison.new.origins),
        _data_section(comparison),
        *_metrics_section(comparison),
        *_surroundings(comparison),
        _code_section(comparison),
    ]


def recipe_section(changes: Sequence[KeyChange], origins: Origins | None) -> Section:
    """Args:
    origins: of the new side; None: not told.
    """
    counting = [change for change in changes if change.counts]
    others = [change for change in changes if not change.counts]
    lines = [*_keys(counting, origins)]
    if others:
        lines += [f"{shown.SAME}where and how, not in the config hash:", *_keys(others, origins)]
    if not changes:
        return Section("Recipe: the same")
    count = counted(len(counting), "key") if counting else "no key that counts"
    return Section(f"Recipe: {count} differ{'' if len(counting) > 1 else 's'}", tuple(lines))


def metric_lines(changes: Sequence[MetricChange], names: tuple[str, str] = ("a", "b")) -> list[str]:
    rows = [("", *names, "difference")]
    rows += [(title(each.name), *_both(each), figures.difference(each)) for each in changes]
    return aligned(rows, shown.SAME)


def title(metric: str) -> str:
    return TITLES.get(metric, shown.visible(metric))


def _side(letter: str, side: Side) -> tuple[str, ...]:
    config = f"config {short(side.recipe.config_hash)}" if side.recipe.config_hash else "no config hash"
    data = f"data {short(side.data_hash)}" if side.data_hash else "data not pinned"
    return (letter, shown.visible(side.title), config, data, "; ".join(map(shown.visible, side.notes)))


def _keys(changes: Sequence[KeyChange], origins: Origins | None) -> list[str]:
    cut = changes[:MOST_KEYS]
    rows = [(shown.visible(each.key), shown.change(each), _written(each, origins)) for each in cut]
    lines = [shown.marker(each) + line for each, line in zip(cut, aligned(rows), strict=True)]
    return [*lines, *([f"{shown.SAME}and {len(changes) - MOST_KEYS} more"] if len(changes) > MOST_KEYS else [])]


def _written(change: KeyChange, origins: Origins | None) -> str:
    if origins is None or change.kind == "removed":
        return ""
    return str(place) if (place := origins.written(change.new_path)) else "a default"


def _data_section(comparison: Comparison) -> Section:
    lines = comparison.data.lines() if comparison.data else []
    return Section(f"Data: {comparison.remarks['data']}", tuple(shown.SAME + shown.visible(line) for line in lines))


def _code_section(comparison: Comparison) -> Section:
    files, remark = comparison.files, comparison.remarks["code"]
    if not files:
        return Section(f"Code: {shown.visible(remark)}")
    lines = _files(files[:MOST_FILES])
    if len(files) > MOST_FILES:
        lines.append(f"{shown.SAME}and {len(files) - MOST_FILES} more files")
    told = f"; {shown.visible(remark)}" if remark else ""
    return Section(f"Code: {counted(len(files), 'file')} differ{'s' if len(files) == 1 else ''}{told}", tuple(lines))


def _files(files: Sequence[FileChange]) -> list[str]:
    """Every file is named; their lines are shown until there are too many."""
    lines: list[str] = []
    left = MOST_CODE_LINES
    for file in files:
        # The code of a file that is new or gone tells nothing about a difference.
        changed = file.lines if file.kind == "changed" else ()
        cut = changed[: min(left, MOST_FILE_LINES)]
        left -= len(cut)
        more = f", {counted(len(changed) - len(cut), 'more line')}" if len(cut) < len(changed) else ""
        lines += [f"{shown.SAME}{shown.visible(file.name)} {file.kind}{more}", *map(_line, cut)]
    return lines


def _line(line: str) -> str:
    marker, text = (line[:1], line[1:]) if line[:1] in "+-" else (" ", line.removeprefix(" "))
    return f"{marker} {shown.visible(text.expandtabs(4))}".rstrip()


def _surroundings(comparison: Comparison) -> Iterator[Section]:
    named = {"Environment": comparison.environment, "Files": comparison.inputs, "Execution": comparison.execution}
    for title_, changes in named.items():
        if changes is None:
            continue
        moving = [change for change in changes if change.moves_numbers]
        if not changes:
            yield Section(f"{title_}: the same")
        else:
            others = len(changes) - len(moving)
            remark = f"; {counted(others, 'other package')} that move no numbers" if others else ""
            yield Section(f"{title_}: {len(moving)} that move numbers{remark}", tuple(_facts(changes)))


def _facts(changes: Sequence[FactChange]) -> list[str]:
    rows = [(shown.visible(each.name), f"{_fact(each.old)} → {_fact(each.new)}") for each in changes[:MOST_PACKAGES]]
    more = len(changes) - MOST_PACKAGES
    return aligned(rows, shown.SAME) + ([f"{shown.SAME}and {more} more"] if more > 0 else [])


def _fact(given: object) -> str:
    return "not there" if given is None else shown.visible(str(given))


def _metrics_section(comparison: Comparison) -> Iterator[Section]:
    if comparison.metrics:
        paired = comparison.paired
        told = f": {figures.paired_told(paired)}" if paired else ""
        yield Section(f"Metrics{told}", tuple(metric_lines(comparison.metrics)))


def _both(change: MetricChange) -> tuple[str, str]:
    return figures.metric(change.name, change.old), figures.metric(change.name, change.new)
