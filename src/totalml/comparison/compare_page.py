"""`compare.html`: runs side by side for people; one file, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.comparison import figures
from totalml.comparison.beside import titles
from totalml.comparison.compare_runs import accuracy_in_words
from totalml.comparison.flips import Pictures, flips
from totalml.report.document import by_name, document
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.words import MISSING, TITLES, counted
from totalml.store.atomic import write_atomically
from totalml.values import shown
from totalml.values.keys import ABSENT

if TYPE_CHECKING:
    from totalml.comparison.beside import Beside
    from totalml.comparison.metrics import MetricChange
    from totalml.evaluation.paired import PairedAccuracy
    from totalml.project import Place
    from totalml.runs.attempt import Attempt

MOST_KEYS, MOST_CLASSES = 100, 60
SAME = "="


def write_page(path: Path, attempts: Sequence[Attempt], others: Sequence[Beside], place: Place) -> Path:
    """Write it, whole or not at all, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render(attempts, others, place).encode())
    return path


def render(attempts: Sequence[Attempt], others: Sequence[Beside], place: Place) -> Html:
    names, pictures = titles(attempts), Pictures(place.store)
    parts = {
        "Summary": _summary(names, attempts, others),
        "Keys": _keys(names, others),
        "Metrics": _metrics(names, others),
        "Classes": _classes(names, others),
        "Pictures": flips(names, others, pictures),
    }
    heading = f"{counted(len(attempts), 'run')} side by side"
    recipes = dict.fromkeys(each.facts["name"] for each in attempts)
    named = (part for name in recipes for part in (" · ", name_of(name)))
    header = tag("header", tag("p", "Total ML · comparison", *named, class_="eyebrow"), tag("h1", heading))
    return document(heading, header, by_name(parts), "totalml.comparison")


def _summary(names: Sequence[str], attempts: Sequence[Attempt], others: Sequence[Beside]) -> Html:
    items = [
        tag("p", tag("strong", name), f" against {names[0]}: {accuracy_in_words(beside)}.", class_=_verdict(beside))
        for name, beside in zip(names[1:], others, strict=True)
    ]
    rows = [
        [
            tag("b", name),
            name_of(attempt.facts["name"]),
            tag("code", attempt.facts["run_id"]),
            str(attempt.number),
            str(attempt.facts.get("ended", MISSING)).replace("T", " ")[:16],
        ]
        for name, attempt in zip(names, attempts, strict=True)
    ]
    listed = table("The runs", ["", "Recipe", "Run", "Attempt", "Ended, UTC"], rows)
    text = f"In brackets: what 19 of 20 such tests would show. Everything is held against {names[0]}."
    return section("summary", "Summary", *items, tag("p", text, class_="notes"), listed)


def _verdict(beside: Beside) -> str:
    return "verdict" if beside.accuracy and _clear(beside.accuracy) else "verdict unclear"


def _clear(paired: PairedAccuracy) -> bool:
    return not paired.low <= 0 <= paired.high


def _keys(names: Sequence[str], others: Sequence[Beside]) -> Html:
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


def _metrics(names: Sequence[str], others: Sequence[Beside]) -> Html:
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


def _classes(names: Sequence[str], others: Sequence[Beside]) -> Html:
    text = "How often the test samples of each class are recognised, most harmed class first. Bold: more than chance."
    shown_parts = [
        joined(tag("h3", f"{name} against {names[0]}"), _class_table(f"{name} against {names[0]}", beside))
        for name, beside in zip(names[1:], others, strict=True)
    ]
    return section("classes", "Which classes are better and worse for it", tag("p", text), *shown_parts)


def _class_table(caption: str, beside: Beside) -> Html:
    if not beside.classes:
        return tag("p", "They were not tested on the same samples.")
    rows: list[list[str]] = [
        [
            name_of(change.label),
            tag("b" if _clear(change.accuracy) else "span", change.accuracy.in_words()),
            str(change.accuracy.gained),
            str(change.accuracy.lost),
            f"{change.accuracy.count:,}",
        ]
        for change in beside.classes[:MOST_CLASSES]
    ]
    return table(f"Classes, {caption}", ["Class", "Recognised", "Gained", "Lost", "Samples"], rows)
