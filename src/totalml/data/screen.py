"""Samples that can be read but not learned from: ids that collide, labels that contradict or stand alone."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.data.paths import is_text, meant
from totalml.data.sample import BadSample, Sample
from totalml.data.texts import where_unusual

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Listed = tuple[str, str | None, str | None]  # id, label and blob

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


def screen(samples: pa.Table, labels: tuple[str, ...] | None) -> tuple[pa.Array | None, list[BadSample]]:
    """The numbers of the good rows, None for all of them, and the bad ones.

    Only what is bad becomes objects of Python.

    Args:
        samples: id, label and blob of each.
        labels: the labels that the recipe allows; None: any.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table, good = samples.select(["id", "label", "blob"]), None
    bad: list[BadSample] = []
    for find in (_colliding_ids, lambda table: _unknown_labels(table, labels), _contradictions, _single_labels):
        if not (found := {sample.id: sample for sample in find(table)}):
            continue
        is_bad = pc.is_in(table["id"], pa.array([*found], pa.string()))
        bad.extend(found[name] for name in table["id"].filter(is_bad).to_pylist())
        good = pa.array(range(len(table))) if good is None else good
        table, good = table.filter(pc.invert(is_bad)), good.filter(pc.invert(is_bad).combine_chunks())
    return good, bad


def _colliding_ids(table: pa.Table) -> Iterable[BadSample]:
    rows = _rows_that_share(table, _folded_all(table["id"]))
    counts = Counter(name for name, _, _ in rows)
    labels: dict[str, set[str | None]] = defaultdict(set)
    for name, label, _ in rows:
        labels[name].add(label)
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


def _unknown_labels(table: pa.Table, labels: tuple[str, ...] | None) -> Iterable[BadSample]:
    if labels is None:
        return
    unknown = {label for label in table["label"].unique().to_pylist() if label is not None} - {*labels}
    for name, label, _ in _rows_of(table, "label", unknown):
        yield BadSample(name, f"label {label!r} is not in data.labels {list(labels)}{meant(label or '', labels)}")


def _contradictions(table: pa.Table) -> Iterable[BadSample]:
    """The same content under two labels; all of it is named, because only a person knows which label is right."""
    groups = defaultdict(list)
    for row in _rows_of(table, "blob", _blobs_of_several_labels(table)):
        groups[row[2]].append(row)
    for group in groups.values():
        labelled = _named([f"{name} ({label})" for name, label, _ in group])
        for name, _, _ in group:
            yield BadSample(name, f"the same content has several labels: {labelled}; keep the right one")


def _blobs_of_several_labels(table: pa.Table) -> set[str]:
    import numpy as np

    table = table.select(["blob", "label"]).drop_null()
    if not len(table):
        return set()
    (blobs, blob), (labels, label) = (_encoded(table[name]) for name in table.column_names)
    pairs = np.unique(blob * len(labels) + label)
    several = np.flatnonzero(np.bincount(pairs // len(labels)) > 1)
    return set(blobs.take(several).to_pylist())


def _encoded(values: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """The values that there are, and the place in them of each."""
    import numpy as np
    import pyarrow.compute as pc

    known = values.unique()
    return known, np.asarray(pc.index_in(values, known)).astype(np.int64)


def _single_labels(table: pa.Table) -> Iterable[BadSample]:
    counts = {each["values"]: each["counts"] for each in table["label"].drop_null().value_counts().to_pylist()}
    several = [label for label, count in counts.items() if count > 1]
    for name, label, _ in _rows_of(table, "label", {label for label, count in counts.items() if count == 1}):
        yield BadSample(
            name,
            f"label {label!r} has only this usable sample, which cannot be shared out to train and test; "
            f"add more or drop the label{meant(label or '', several)}",
        )


def _rows_that_share(table: pa.Table, values: pa.ChunkedArray) -> list[Listed]:
    """Those whose value another row has too."""
    import pyarrow.compute as pc

    # In their order it is enough to look at neighbours, which costs no memory.
    ascend = pc.all(pc.less(values[:-1], values[1:]), min_count=0).as_py()
    if ascend or pc.count_distinct(values).as_py() == len(values):
        return []
    counts = pc.value_counts(values)
    shared = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return _listed(table.filter(pc.is_in(values, shared)))


def _rows_of(table: pa.Table, column: str, values: set[str]) -> list[Listed]:
    import pyarrow as pa
    import pyarrow.compute as pc

    return _listed(table.filter(pc.is_in(table[column], pa.array(sorted(values), pa.string())))) if values else []


def _listed(table: pa.Table) -> list[Listed]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _folded_all(names: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return where_unusual(pc.ascii_lower(names), _folded)


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name.casefold())


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
