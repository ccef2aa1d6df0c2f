"""Judge what lies in a store, and remove what nothing reaches and nobody has used for a while.

References go before what they refer to, and each thing at once or not at all, so that a cleaning killed half-way leaves
a store like any other. A run under way is safe: what it has just begun to use is young, and what is young stays with
all that it refers to.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from totalml.data.snapshot import load_snapshot
from totalml.features.segments import BLOBS
from totalml.features.shared.materialised import MANIFEST
from totalml.garbage.contents import LEFTOVERS, LOCKS, Thing, things
from totalml.identity import PREFIX
from totalml.store import Store
from totalml.store.atomic import temporary_beside
from totalml.store.index import read_index
from totalml.store.locks import locked_if_free
from totalml.store.store import to_text

LEAST_S = 3600.0  # unfinished things may be somebody's work under way, whatever age was asked for
YOUNG = "young things"
ELSEWHERE = "a link out of the store"


@dataclass(frozen=True)
class Verdict:
    """Args:
    size: bytes.
    needed_by: why it stays; None: it goes.
    """

    thing: Thing
    size: int
    needed_by: str | None


def judge(store: Path, reached: Mapping[str, str], before: float) -> list[Verdict]:
    """What goes and what stays, in the order in which it may go.

    Args:
        reached: name -> who needs it.
        before: seconds since 1970; what was used later stays.
    Raises: StoreError: a snapshot that is needed, or an index, is damaged.
    """
    found = list(things(store))
    young = {thing.name for thing in found if thing.kind == "snapshots" and thing.used() >= before}
    elsewhere = {thing.name for thing in found if not thing.lies_in(store)}
    needed = {**dict.fromkeys(elsewhere, ELSEWHERE), **dict.fromkeys(young, YOUNG), **reached}
    blobs = _blobs(store, {thing.name: needed[thing.name] for thing in found if thing.name in needed})
    return [Verdict(thing, thing.size(), _needed_by(thing, needed, blobs, before)) for thing in found]


def remove(thing: Thing, before: float) -> str | None:
    """Remove a thing; why it stays after all, if it does: it is in use now, or was a moment ago."""
    if thing.used() >= _limit(thing, before):
        return YOUNG
    with locked_if_free(thing.lock) if thing.lock else nullcontext(True) as free:
        if not free:
            return "a run under way"
        if thing.kind != LOCKS and thing.used() >= _limit(thing, before):
            return YOUNG
        for path in thing.paths:
            _remove(path)
        if thing.lock:
            thing.lock.unlink(missing_ok=True)
    return None


def _blobs(store: Path, needed: Mapping[str, str]) -> dict[str, str]:
    """Digest of each picture and mask of the needed snapshots -> who needs it."""
    whole = {name: why for name, why in needed.items() if (store / name / "manifest.json").exists()}
    found: dict[str, str] = {}
    for name, why in whole.items():
        samples = load_snapshot(PREFIX + Path(name).name, Store(store)).samples
        found |= dict.fromkeys([*samples["blob"].to_pylist(), *samples["mask"].to_pylist()], why)
    return found


def _needed_by(thing: Thing, needed: Mapping[str, str], blobs: Mapping[str, str], before: float) -> str | None:
    if why := needed.get(thing.name) or _through(thing, needed, blobs):
        return why
    return YOUNG if thing.used() >= _limit(thing, before) else None


def _through(thing: Thing, needed: Mapping[str, str], blobs: Mapping[str, str]) -> str | None:
    """Who needs something that it holds or belongs to."""
    path = thing.paths[0]
    match thing.kind:
        case "fingerprints":
            return needed.get(f"snapshots/{_remembered(path)}")
        case "shared":
            return needed.get(f"snapshots/{_remembered(path / MANIFEST)}")
        case "features" | "embeddings":
            held = (path / BLOBS).read_text().split() if (path / BLOBS).is_file() else []
        case "packs":
            held = [to_text(raw) for raw in read_index(path)]
        case "large":
            held = [PREFIX + path.name]
        case _:
            return None
    return next((blobs[blob] for blob in held if blob in blobs), None)


def _remembered(file: Path) -> str:
    try:
        return str(json.loads(file.read_bytes())["data_hash"]).removeprefix(PREFIX)
    except (OSError, ValueError, KeyError, TypeError):  # only a memory
        return ""


def _limit(thing: Thing, before: float) -> float:
    return min(before, time.time() - LEAST_S) if thing.kind == LEFTOVERS else before


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():  # of a link only the link goes
        hidden = path if path.name.startswith(".") else path.rename(temporary_beside(path))
        shutil.rmtree(hidden)
    else:
        path.unlink(missing_ok=True)
