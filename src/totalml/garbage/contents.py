"""What lies in a store, thing by thing: how large it is, when it was last used, and by which lock it is guarded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from totalml.store.atomic import TEMPORARY

LEFTOVERS, LOCKS, STAT = "leftovers", "locks", "stat"
REMOTE = "remote"  # copies of remote stores, each a store of its own
# Kind -> where its things lie. In the order in which they go: what refers to other things goes first.
PLACES = {
    "fingerprints": "fingerprints/*",
    "snapshots": "snapshots/*",
    "stages": "stages/*/*",
    "features": "features/*/segments/*",
    "embeddings": "embeddings/*/segments/*",
    "shared": "shared/*",
    "code": "code/*",
    "packs": "packs/*.idx",
    "large": "large/*",
    STAT: "stat/*",
    "reports": "reports/*",
    "launches": "launches/*",
    LOCKS: "locks/*.lock",
}


@dataclass(frozen=True)
class Thing:
    """Args:
    name: its place in the store, with slashes.
    paths: files and folders that make it up, in the order in which they go.
    lock: file that whoever makes it or takes it holds; None: the locks of snapshots and blobs guard it.
    """

    kind: str
    name: str
    paths: tuple[Path, ...]
    lock: Path | None = None

    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.st_size for each in self._stats() if stat.S_ISREG(each.st_mode))

    def used(self) -> float:
        """When it was last written or marked as used, in seconds since 1970; 0 if it is gone."""
        # A stat memory is only written when something changed, and read whenever its folder is looked at.
        return max((max(s.st_mtime, s.st_atime if self.kind == STAT else 0.0) for s in self._stats()), default=0.0)

    def lies_in(self, store: Path) -> bool:
        """False where a link on the way leads out of the store: what lies there is somebody else's."""
        return self.paths[0].parent.resolve().is_relative_to(store.resolve())

    def _stats(self) -> Iterator[os.stat_result]:
        for path in self.paths:
            for each in (path, *(path.rglob("*") if path.is_dir() else ())):
                try:
                    yield each.stat()
                except FileNotFoundError:  # a run under way has just finished or removed it
                    continue


def things(store: Path) -> Iterator[Thing]:
    """Everything that a cleaning may look at; releases, the journal, predictions and `referrers` are none of it."""
    yield from _leftovers(store)
    for kind, pattern in PLACES.items():
        for path in sorted(store.glob(pattern)):
            if not path.name.startswith("."):
                paths = (path, path.with_suffix(".pack")) if kind == "packs" else (path,)
                yield Thing(kind, _name(store, path), paths, _lock(store, kind, path))


def _leftovers(store: Path) -> Iterator[Thing]:
    """What killed processes left: unfinished files and folders, and packs that no index counts."""
    unfinished = (path for path in sorted(store.rglob(f"{TEMPORARY}*")) if _name(store, path).split("/")[0] != REMOTE)
    lone = (pack for pack in sorted(store.glob("packs/[!.]*.pack")) if not pack.with_suffix(".idx").exists())
    for path in (*unfinished, *lone):
        if not any(part.startswith(TEMPORARY) for part in path.parent.parts):
            kind = path.relative_to(store).parts[0]
            final = path.with_name(path.name.removeprefix(TEMPORARY).rpartition("-")[0] or path.name)
            yield Thing(LEFTOVERS, _name(store, path), (path,), _lock(store, kind, final))


def _lock(store: Path, kind: str, path: Path) -> Path | None:
    parts = path.relative_to(store).parts
    if kind == LOCKS:
        return path
    if kind in ("features", "embeddings", "shared") and len(parts) > 1:
        return store / "locks" / f"{kind}-{parts[1]}.lock"
    return store / "locks" / f"stage-{parts[1]}-{path.name}.lock" if kind == "stages" else None


def _name(store: Path, path: Path) -> str:
    return path.relative_to(store).as_posix()
