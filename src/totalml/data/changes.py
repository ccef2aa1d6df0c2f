"""What differs between two snapshots, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot

NAMED = 10
_WORDS = {"blob": "content", "size_bytes": None}  # a size changes only with the content

Records = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class SnapshotChanges:
    """Args:
    added, removed: ids, sorted; one that was renamed stands in both.
    renamed: old id -> new id, where exactly one sample with these bytes went and one came.
    changed: id -> what of it changed: content, label, group, timestamp, mask, metadata 'column'.
    columns: sentences about metadata columns that came, went or have another type.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.columns)

    def lines(self) -> list[str]:
        """In words: the counts, and the first ten names of each."""
        return [
            *_listed("added", self.added),
            *_listed("removed", self.removed),
            *_listed("of them renamed", [f"{old} to {new}" for old, new in self.renamed.items()]),
            *_listed("changed", [f"{name} ({', '.join(what)})" for name, what in self.changed.items()]),
            *self.columns,
        ]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def snapshot_changes(before: Snapshot, after: Snapshot) -> SnapshotChanges:
    old, new = _records(before), _records(after)
    return SnapshotChanges(
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        dict(_renamed(old, new)),
        dict(_changed(old, new)),
        tuple(_columns(before, after)),
    )


def describe_changes(before: Snapshot, after: Snapshot) -> str:
    """The same in indented lines."""
    lines = snapshot_changes(before, after).lines()
    return "\n".join(f"  {line}" for line in lines) or "Only the order of columns or rows differs."


def _records(snapshot: Snapshot) -> Records:
    """id -> every value; metadata columns are told apart from the sample's own fields by a prefix."""
    records = {}
    own = snapshot.metadata.to_pylist() if snapshot.metadata.num_columns else [{}] * snapshot.samples.num_rows
    for sample, metadata in zip(snapshot.samples.to_pylist(), own, strict=True):
        name = sample.pop("id")
        fields = {_WORDS.get(key, key): value for key, value in sample.items()}
        fields.pop(None, None)
        records[name] = {**fields, **{f"metadata {key!r}": value for key, value in metadata.items()}}
    return records


def _changed(old: Records, new: Records) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name], new[name]
        fields = tuple(key for key in {**before, **after} if before.get(key) != after.get(key))
        if fields:
            yield name, fields


def _renamed(old: Records, new: Records) -> Iterator[tuple[str, str]]:
    gone, come = _by_content(old, old.keys() - new.keys()), _by_content(new, new.keys() - old.keys())
    pairs = [(gone[content], come[content]) for content in gone.keys() & come.keys() if content is not None]
    return ((before[0], after[0]) for before, after in sorted(pairs) if len(before) == len(after) == 1)


def _by_content(records: Records, names: set[str]) -> dict[str | None, list[str]]:
    found: dict[str | None, list[str]] = {}
    for name in names:
        found.setdefault(records[name]["content"], []).append(name)
    return found


def _listed(what: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{len(names)} {what}: " + ", ".join(names[:NAMED]) + more]


def _columns(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Metadata columns that came, went or have another type."""
    old, new = ({field.name: str(field.type) for field in table.metadata.schema} for table in (before, after))
    yield from (f"metadata column {name!r} is new" for name in sorted(new.keys() - old.keys()))
    yield from (f"metadata column {name!r} is gone" for name in sorted(old.keys() - new.keys()))
    both = sorted(old.keys() & new.keys())
    yield from (f"metadata column {name!r} was {old[name]}, is {new[name]}" for name in both if old[name] != new[name])
