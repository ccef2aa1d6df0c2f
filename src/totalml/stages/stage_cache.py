"""Finished stages, kept in the store so that a run which differs elsewhere need not do them again.

`stages/<stage>/<key>/` holds the files that a stage leaves, and `stage.json` with the digest of each. The key is a
digest of all that the result depends on, so nothing in it ever goes out of date; it is verified before it is used.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.identity import canonical, digest, file_digest, short
from totalml.store.atomic import atomic_folder
from totalml.store.copy import duplicate
from totalml.values.keys import ABSENT, KeyChange, key_changes
from totalml.values.shown import value

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

STAGE_FILE = "stage.json"
KEY_LENGTH = 32  # hex digits of a key that name its folder
SHOWN_CHANGES, SHOWN_PARTS, LONGEST = 3, 2, 40  # in one line of the closing table; run.json holds all
DIGESTS = ("code", "files")  # parts whose values say nothing to a reader, only their names do
MISSING = object()


@dataclass(frozen=True)
class Definition:
    """All that the result of a stage depends on.

    Args:
        parts: plain values by origin: `definition` (its part of the recipe), `data`, `code`, `environment`,
            `execution`, or the name of a stage before it with that stage's key.
    """

    stage: str
    parts: Mapping[str, Any]

    @property
    def key(self) -> str:
        return digest("stage v1", canonical({"stage": self.stage, "parts": dict(self.parts)}))


class Stages:
    """The stages of one attempt: each is taken from the store, or done and kept there.

    Args:
        before: the stages in `run.json` of the recipe's latest other attempts, the latest first; of the one that
            comes closest it is told what changed.
        fresh: do every stage again whatever the store holds.
        edited: what on disk is no longer what the definitions say, if anything; a stage is not kept then.
    """

    def __init__(
        self,
        store: Store,
        attempt: Attempt,
        before: Sequence[Mapping[str, Any]],
        progress: Progress,
        *,
        fresh: bool,
        edited: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._store, self._attempt, self._progress = store, attempt, progress
        self._before, self._fresh, self._edited = before, fresh, edited

    def run(
        self, definition: Definition, files: Sequence[str], work: Callable[[], object], also: Sequence[str] = ()
    ) -> None:
        """Leave `files` in the attempt's folder, from the store or by `work`; of two processes at once one works.

        Args: also: files that the work may leave or not.
        """
        name, key = definition.stage, definition.key
        with self._attempt.stage(name), self._store.lock(f"stage-{name}-{short(key, KEY_LENGTH)}"):
            kept = self._store.folder("stages", name) / short(key, KEY_LENGTH)
            if self._fresh:
                self._work(definition, kept, (files, also), work, "runtime.rerun")
                return
            self._store.fetch("stages", name, kept.name)
            fault = self._fault(kept, files)
            if fault is None and kept.is_dir():
                os.utime(kept)  # in use, though no finished run may name it yet
                for file in (*files, *(name for name in also if (kept / name).exists())):
                    duplicate(kept / file, self._attempt.folder / file)
                self.note(definition, reused=True)
                return
            if fault is not None:
                self._progress.say(f"{fault}; {name} is done again")
                shutil.rmtree(kept)
            self._work(definition, kept, (files, also), work, fault and f"damaged in the store: {kept}")

    def changed(self, definition: Definition) -> str:
        """What differs from the latest other attempt that comes closest, in words."""
        before, now = self._parts(definition.stage), definition.parts
        return changes(min(before, key=lambda parts: _distance(parts, now), default=None), now)

    def note(self, definition: Definition, *, reused: bool | None, why: str | None = None) -> None:
        """Write into `run.json` whether a stage was reused and why not.

        Args:
            reused: None: it leaves nothing in the store that could be.
            why: the reason where it is not that something changed.
        """
        gone = "not in the store" if reused is False and self._parts(definition.stage) else ""
        told = "" if reused else why or self.changed(definition) or gone
        stages = self._attempt.facts.setdefault("stages", {})
        stages[definition.stage] = {
            "key": definition.key,
            "reused": bool(reused),
            "why": told,
            "parts": dict(definition.parts),
        }
        self._attempt.save()

    def _parts(self, stage: str) -> list[Mapping[str, Any]]:
        """Those of the attempts before."""
        return [stages[stage]["parts"] for stages in self._before if stage in stages]

    def _work(
        self,
        definition: Definition,
        kept: Path,
        files: tuple[Sequence[str], Sequence[str]],
        work: Callable[[], object],
        why: str | None,
    ) -> None:
        work()
        always, also = files
        left = [*always, *(file for file in also if (self._attempt.folder / file).exists())]
        if not kept.exists() and not self._edited():  # made again although it is there: the first result stays
            with atomic_folder(kept) as temporary:
                for file in left:
                    duplicate(self._attempt.folder / file, temporary / file)
                digests = {file: file_digest(temporary / file) for file in left}
                manifest = {"stage": definition.stage, "parts": dict(definition.parts), "files": digests}
                (temporary / STAGE_FILE).write_text(json.dumps(manifest, indent=2))
            self._store.publish("stages", definition.stage, kept.name)
        self.note(definition, reused=False, why=why)

    def _fault(self, kept: Path, files: Sequence[str]) -> str | None:
        """What is wrong with a kept stage; None if it is whole or not there."""
        if not kept.is_dir():
            return None
        try:
            digests = json.loads((kept / STAGE_FILE).read_text(encoding="utf-8"))["files"]
            wrong = [file for file in {*files, *digests} if file_digest(kept / file) != digests[file]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return f"the stage kept in {kept} cannot be read ({type(error).__name__})"
        return f"{kept / wrong[0]} is damaged" if wrong else None


def _distance(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[int, int]:
    """How many parts differ, and how many keys of the recipe in them."""
    differing = [part for part in {*before, *now} if before.get(part, MISSING) != now.get(part, MISSING)]
    recipes = (before.get("definition", {}), now.get("definition", {}))
    return len(differing), len(key_changes(*recipes)) if "definition" in differing else 0


def changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """What differs between two definitions of a stage, in words; empty if nothing does or there is no earlier one."""
    if before is None:
        return ""
    told = []
    for part in dict.fromkeys([*now, *before]):
        old, new = before.get(part, MISSING), now.get(part, MISSING)
        if old != new:
            detail = _names(old, new) if part in DIGESTS else _detail(old, new)
            told.append(f"{part} changed{detail and f': {detail}'}")
    return "; ".join(told[:SHOWN_PARTS]) + ("; ..." if len(told) > SHOWN_PARTS else "")


def _detail(old: Any, new: Any) -> str:
    """`size 96 -> 128` for each key that differs; digests of things that are not shown here say nothing."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return ""
    found = key_changes(old, new)
    shown = [f"{change.key} {_text(change)}" for change in found[:SHOWN_CHANGES]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _names(old: Any, new: Any) -> str:
    old, new = (side if isinstance(side, dict) else {} for side in (old, new))
    return ", ".join(name for name in sorted({*old, *new}) if old.get(name) != new.get(name))


def _text(change: KeyChange) -> str:
    sides = ("none" if side in (ABSENT, None) else value(side, LONGEST) for side in (change.old, change.new))
    return " -> ".join(sides)
