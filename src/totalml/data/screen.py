"""Samples that can be read but not learned from: ids that collide, labels that contradict or stand alone."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from totalml.data.paths import is_text, meant
from totalml.data.sample import BadSample, Row, Sample

NAMED = 5  # ids of a group that a reason names


def misfit(sample: Sample) -> str | None:
    """What is wrong with the sample's own fields, if anything."""
    for name, value in (("id", sample.id), ("label", sample.label), ("group", sample.group)):
        if value is None:
            continue
        if not isinstance(value, str):
            return f"its {name} is {value!r}; expected text"
        if not value:
            return f"its {name} is empty"
        if not is_text(value):
            return f"its {name} is not valid UTF-8"
    if isinstance(sample.timestamp, datetime) and sample.timestamp.utcoffset() is None:
        return f"its timestamp {sample.timestamp} has no time zone"
    return None


def screen(rows: Sequence[Row], labels: tuple[str, ...] | None) -> tuple[list[Row], list[BadSample]]:
    """Part the rows into good ones and bad ones.

    Args:
        labels: the labels that the recipe allows; None: any.
    """
    bad: list[BadSample] = []
    for find in (_colliding_ids, lambda rows: _unknown_labels(rows, labels), _contradictions, _single_labels):
        found = {sample.id: sample for sample in find(rows)}
        bad.extend(BadSample(row.id, found[row.id].reason) for row in rows if row.id in found)
        rows = [row for row in rows if row.id not in found]
    return list(rows), bad


def _colliding_ids(rows: Sequence[Row]) -> Iterable[BadSample]:
    counts = Counter(row.id for row in rows)
    labels: dict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        labels[row.id].add(row.label)
    folded = defaultdict(list)
    for name in counts:
        folded[_folded(name)].append(name)
    for name, count in counts.items():
        if count > 1:
            differ = f" with the labels {_named(sorted(map(str, labels[name])))}" if len(labels[name]) > 1 else ""
            yield BadSample(name, f"the id stands {count} times in the source{differ}; keep one of them")
        elif len(alike := folded[_folded(name)]) > 1:
            others = _named([other for other in alike if other != name])
            yield BadSample(name, f"the id differs from {others} only in upper and lower case; rename one")


def _unknown_labels(rows: Sequence[Row], labels: tuple[str, ...] | None) -> Iterable[BadSample]:
    if labels is None:
        return
    for row in rows:
        if row.label is not None and row.label not in labels:
            yield BadSample(
                row.id, f"label {row.label!r} is not in data.labels {list(labels)}{meant(row.label, labels)}"
            )


def _contradictions(rows: Sequence[Row]) -> Iterable[BadSample]:
    """The same content under two labels; all of it is named, because only a person knows which label is right."""
    first: dict[bytes | None, str] = {}
    double: set[bytes] = set()
    for row in rows:
        if row.blob is not None and row.label is not None and first.setdefault(row.blob, row.label) != row.label:
            double.add(row.blob)
    groups = defaultdict(list)
    for row in rows:
        if row.blob in double:
            groups[row.blob].append(row)
    for group in groups.values():
        labelled = _named([f"{row.id} ({row.label})" for row in group])
        for row in group:
            yield BadSample(row.id, f"the same content has several labels: {labelled}; keep the right one")


def _single_labels(rows: Sequence[Row]) -> Iterable[BadSample]:
    counts = Counter(row.label for row in rows if row.label is not None)
    for row in rows:
        if row.label is not None and counts[row.label] == 1:
            yield BadSample(
                row.id,
                f"label {row.label!r} has only this usable sample, which cannot be shared out to train and test; "
                "add more or drop the label",
            )


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name.casefold())


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
