"""Compare two composed recipes key by key.

Components in a list are found again by their class, see `align`; any other list is one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from totalml.validate import Path, dotted
from totalml.values.align import aligned


class Absent(Enum):
    """The value of a key on the side where it does not stand."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class KeyChange:
    """Args:
    old_path, new_path: keys and list indices on either side; only one of them means something for a key that was
        added or removed.
    old, new: plain values; ABSENT for a key that was added or removed.
    counts: for the config hash.
    """

    old_path: Path
    new_path: Path
    old: Any
    new: Any
    counts: bool = field(default=True, compare=False)

    @property
    def key(self) -> str:
        return dotted(self.old_path if self.new is ABSENT else self.new_path)

    @property
    def kind(self) -> str:
        return "added" if self.old is ABSENT else "removed" if self.new is ABSENT else "changed"

    def as_json(self) -> dict[str, Any]:
        sides = {side: value for side, value in (("old", self.old), ("new", self.new)) if value is not ABSENT}
        return {"key": self.key, "kind": self.kind, "counts": self.counts, **sides}


def key_changes(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    old_what: Mapping[str, Any] | None = None,
    new_what: Mapping[str, Any] | None = None,
) -> list[KeyChange]:
    """What differs, in the order of the recipe.

    Args:
        old, new: recipes as `totalml.component.plain` gives them.
        old_what, new_what: the parts of them that count for the config hash; None: all counts.
    """
    old_what, new_what = (old if old_what is None else old_what), (new if new_what is None else new_what)
    return [
        replace(
            change,
            counts=(change.old is not ABSENT and _holds(old_what, change.old_path))
            or (change.new is not ABSENT and _holds(new_what, change.new_path)),
        )
        for change in _changes(old, new, (), ())
    ]


def same(one: Any, other: Any) -> bool:
    """Equality of plain values: 1 is 1.0, as in the config hash, but not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(isinstance(one, bool) == isinstance(other, bool) and one == other)


def _changes(old: Any, new: Any, old_path: Path, new_path: Path) -> Iterator[KeyChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _at(old.get(key, ABSENT), new.get(key, ABSENT), (*old_path, key), (*new_path, key))
    elif _components(old) and _components(new):
        yield from _in_lists(old, new, old_path, new_path)
    elif not same(old, new):
        yield KeyChange(old_path, new_path, old, new)


def _at(old: Any, new: Any, old_path: Path, new_path: Path) -> Iterator[KeyChange]:
    if old is ABSENT or new is ABSENT:
        yield KeyChange(old_path, new_path, old, new)
    else:
        yield from _changes(old, new, old_path, new_path)


def _in_lists(old: list[Any], new: list[Any], old_path: Path, new_path: Path) -> Iterator[KeyChange]:
    pairs = aligned(old, new)
    kept, found = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, item in enumerate(old):
        if i not in kept:
            yield KeyChange((*old_path, i), (*old_path, i), item, ABSENT)
    for i, j in pairs:
        yield from _changes(old[i], new[j], (*old_path, i), (*new_path, j))
    for j, item in enumerate(new):
        if j not in found:
            yield KeyChange((*new_path, j), (*new_path, j), ABSENT, item)


def _components(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


def _holds(values: Any, path: Path) -> bool:
    for key in path:
        keys = range(len(values)) if isinstance(values, list) else values
        if not isinstance(keys, Mapping | range) or key not in keys:
            return False
        values = values[key]
    return True
