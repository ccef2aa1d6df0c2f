"""`compare.html`: runs side by side for people; one file, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.comparison import figures
from totalml.comparison.flips import Pictures, flips
from totalml.comparison.groups import groups
from totalml.comparison.side_by_side import titles
from totalml.comparison.summary import summary
from totalml.report.document import by_name, document
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import MISSING, TITLES
from totalml.store.atomic import write_atomically
from totalml.values import shown
from totalml.values.keys import ABSENT
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.metrics import MetricChange
    from totalml.comparison.side_by_side import SideBySide
    from totalml.project import Place
    from totalml.runs.attempt import Attempt

MOST_KEYS, MOST_CLASSES = 100, 60
SAME = "="


def write_page(path: Path, attempts: Sequence[Attempt], others: Sequence[SideBySide], place: Place) -> Path:
    """Write it, whole or not at all, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render(attempts, others, place).encode())
    return path


def render(attempts: Sequence[Attempt], others: Sequence[SideBySide], place: Place) -> Html:
    names, pictures = titles(attempts), Pictures(place.store)
    parts = {
        "Summary": summary(names, attempts, others),
        "Keys": _keys(names, others),
        "Metrics": _metrics(names, others),
        "Classes": _classes(names, others),
        "Groups": groups(names, others),
        "Pictures": flips(names, others, pictures),
    }
    parts = {name: part for name, part in parts.items() if part}
    heading = f"{counted(len(attempts), 'run')} side by side"
    recipes = dict.fromkeys(each.facts["name"] for each in attempts)
    named = (part for name in recipes for part in (" · ", name_of(name)))
    header = tag("header", tag("p", "Total ML · comparison", *named, class_="eyebrow"), tag("h1", heading))
    return document(heading, header, by_name(parts), "totalml.comparison")


def _keys(names: Sequence[str], others: Sequence[SideBySide]) -> Html:
    changes = [{change.key: change for change in beside.keys if change.counts} for beside in others]
    keys = list(dict.fromkeys(key for each in changes for key in each))
    if not keys:
        return section("keys", "What was asked", tag("p", "No key that counts for the config hash differs."))
    rows: list[list[str]] = []
    for key in keys[:MOST_KEYS]:
        known = next(each[key] for each in changes if key in each)
        cells = [_value(each[key].new) if key in each else SAME for each in changes]
        rows.append([tag("code", name_of(shown.visible(key))), _value(known.old), *cells])
    more = tag("p", f"{len(keys) - MOST_KEYS} more not shown.") if len(keys) > MOST_KEYS else ""
    caption = f"Keys that differ; {SAME} is as in {names[0]}"
    return section("keys", "What was asked", table(caption, ["Key", *names], rows), more)


def _value(given: object) -> Html:
    return name_of("not there" if given is ABSENT else shown.value(given))


def _metrics(names: Sequence[str], others: Sequence[SideBySide]) -> Html:
    by_name = [{change.name: change for change in beside.metrics} for beside in others]
    metrics = list(dict.fromkeys(name for each in by_name for name in each))
    rows: list[list[str]] = []
    for metric in metrics:
        known = next(each[metric] for each in by_name if metric in each)
        cells = [_metric(metric, each) for each in by_name]
        rows.append([TITLES.get(metric, shown.visible(metric)), figures.metric(metric, known.old), *cells])
    return section("metrics", "What came of it", table("Metrics with intervals", ["Metric", *names], rows))


def _metric(name: str, changes: dict[str, MetricChange]) -> Html:
    if name not in changes:
        return joined(MISSING)
    change = changes[name]
    return joined(figures.metric(name, change.new), tag("small", " ", figures.difference(change), class_="step"))


def _classes(names: Sequence[str], others: Sequence[SideBySide]) -> Html:
    """Nothing where no run told classes apart."""
    if all(beside.paired and not beside.classes for beside in others):
        return Html("")
    text = "How often the test samples of each class are recognised, most harmed class first. Bold: more than chance."
    shown_parts = [
        joined(tag("h3", f"{name} against {names[0]}"), _class_table(f"{name} against {names[0]}", beside))
        for name, beside in zip(names[1:], others, strict=True)
    ]
    return section("classes", "Which classes are better and worse for it", tag("p", text), *shown_parts)


def _class_table(caption: str, beside: SideBySide) -> Html:
    if not beside.classes:
        return tag("p", "They were not tested on the same samples.")
    rows: list[list[str]] = [
        [
            name_of(change.label),
            tag("b" if change.paired.clear else "span", figures.paired_in_words(change.paired)),
            str(change.paired.gained),
            str(change.paired.lost),
            f"{change.paired.count:,}",
        ]
        for change in beside.classes[:MOST_CLASSES]
    ]
    return table(f"Classes, {caption}", ["Class", "Recognised", "Gained", "Lost", "Samples"], rows)
