"""What differs between two snapshots, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot

NAMED = 10
_WORDS = {"blob": "content", "size_bytes": None}  # a size changes only with the content


def describe_changes(before: Snapshot, after: Snapshot) -> str:
    """Samples added, removed and changed: the counts, and the first ten names of each."""
    old, new = _records(before), _records(after)
    lines = [
        *_listed("added", sorted(new.keys() - old.keys())),
        *_listed("removed", sorted(old.keys() - new.keys())),
        *_listed("changed", [f"{name} ({what})" for name, what in _changed(old, new)]),
    ]
    kinds = _kinds(before, after)
    return "\n".join(lines + kinds) or "Only the order of columns or rows differs."


def _records(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """id -> every value; metadata columns are told apart from the sample's own fields by a prefix."""
    records = {}
    own = snapshot.metadata.to_pylist() if snapshot.metadata.num_columns else [{}] * snapshot.samples.num_rows
    for sample, metadata in zip(snapshot.samples.to_pylist(), own, strict=True):
        name = sample.pop("id")
        fields = {_WORDS.get(key, key): value for key, value in sample.items()}
        fields.pop(None, None)
        records[name] = {**fields, **{f"metadata {key!r}": value for key, value in metadata.items()}}
    return records


def _changed(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name], new[name]
        fields = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if fields:
            yield name, ", ".join(fields)


def _listed(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"  {len(names)} {what}: " + ", ".join(names[:NAMED]) + more]


def _kinds(before: Snapshot, after: Snapshot) -> list[str]:
    """Metadata columns that came, went or have another type."""
    old, new = ({field.name: str(field.type) for field in table.metadata.schema} for table in (before, after))
    lines = [f"  metadata column {name!r} is new" for name in sorted(new.keys() - old.keys())]
    lines += [f"  metadata column {name!r} is gone" for name in sorted(old.keys() - new.keys())]
    both = sorted(old.keys() & new.keys())
    lines += [f"  metadata column {name!r} was {old[name]}, is {new[name]}" for name in both if old[name] != new[name]]
    return lines
