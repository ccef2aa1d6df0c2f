"""Run folders on any filesystem: an attempt is worked on here and sent when it ends.

So another machine can report it or go on with it. A machine claims the number of its attempt before it sends; whoever
comes second takes the next number, and nothing is overwritten.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from totalml.runs.attempt import RUN_FILE, Attempt
from totalml.runs.folders import RunFolders
from totalml.store.atomic import temporary_beside
from totalml.store.remote import Remote
from totalml.store.whole_folder import (
    DIGESTS,
    DamagedObjectError,
    bring_file,
    bring_folder,
    digests_of,
    read_file,
    send_folder,
)

CLAIM = "claim"
CHECKPOINTS = "checkpoints/"


class RemoteRunFolders(RunFolders):
    """Args:
    root: the folder of this machine that stands before the remote one.
    """

    def __init__(self, root: Path, remote: Remote, say: Callable[[str], None]) -> None:
        super().__init__(root, say)
        self._remote = remote

    def url(self, attempt: Attempt) -> str | None:
        return self._remote.at(self._name(attempt.folder))

    def has(self, attempt: Attempt) -> bool:
        there = self._bytes_there(self._name(attempt.folder))
        return there is not None and there == self._bytes_here(self._name(attempt.folder))

    def fetch(self, recipe: str, run_id: str) -> None:
        for name in self._there(f"{recipe}/{run_id}"):
            if not (self.root / name).exists():
                self._bring_facts(name)

    def settle(self, recipe: str, run_id: str) -> None:
        for name in self._there(f"{recipe}/{run_id}"):
            mine = _facts(self._bytes_here(name))
            theirs = _facts(self._bytes_there(name))
            if mine is None or theirs is None or mine["status"] == "finished":
                continue
            if _key(mine) != _key(theirs):
                self._renumber(Attempt(self.root / name, mine))
            elif theirs["status"] == "finished":
                shutil.rmtree(self.root / name)
        self.fetch(recipe, run_id)

    def complete(self, attempt: Attempt) -> None:
        name, lost, continued = self._name(attempt.folder), attempt.lost(), attempt.status != "finished"
        if not lost or name not in self._there(_run_of(name)):
            return
        try:
            for file, digest in reversed(digests_of(self._remote, name).items()):
                target = attempt.folder / file
                if (not target.exists() or file in lost) and (continued or not file.startswith(CHECKPOINTS)):
                    arriving = temporary_beside(target)
                    bring_file(self._remote, f"{name}/{file}", digest, arriving)
                    arriving.replace(target)
        except DamagedObjectError as error:  # whoever asks finds that something is lost, and makes it again
            self._say(f"{error}. {self._mend(name)}")

    def publish(self, attempt: Attempt) -> None:
        name = self._name(attempt.folder)
        self._remote.forget(_run_of(name))  # what other machines sent meanwhile counts now
        there = self._bytes_there(name)
        if there is not None and there == self._bytes_here(name):
            return
        theirs = _facts(there)
        if theirs is not None and theirs["status"] == "finished":
            self._renumber(attempt)
        while not self._claim(attempt):
            self._renumber(attempt)
        send_folder(self._remote, attempt.folder, self._name(attempt.folder))

    def _claim(self, attempt: Attempt) -> bool:
        """Whether the number is ours there."""
        claim, key = f"{self._name(attempt.folder)}/{CLAIM}", _key(attempt.facts).encode()
        return self._remote.create(claim, key) or self._remote.read(claim) == key

    def _renumber(self, attempt: Attempt) -> None:
        """Give an attempt the next number that is free here and there, and a key of its own."""
        run = attempt.folder.parent
        taken = {int(path.name) for path in run.iterdir() if path.name.isdigit()} | self._numbers(self._name(run))
        free = max(taken) + 1
        self._say(f"attempt {attempt.number} of this run was also made on another machine; this one becomes {free}")
        attempt.folder = attempt.folder.rename(run / str(free))
        attempt.save(attempt=free, key=uuid.uuid4().hex)

    def _there(self, run: str) -> list[str]:
        """Names of the attempts that are whole in the remote folder of a run."""
        names = [f"{run}/{number}" for number in sorted(self._numbers(run))]
        return [name for name in names if f"{name}/{DIGESTS}" in self._remote.files(run)]

    def _numbers(self, run: str) -> set[int]:
        """Every attempt that was begun there."""
        names = {name[len(run) + 1 :].partition("/")[0] for name in self._remote.files(run)}
        return {int(name) for name in names if name.isdigit()}

    def _bring_facts(self, name: str) -> None:
        target = self.root / name
        arriving = temporary_beside(target)
        try:
            bring_folder(self._remote, name, arriving, lambda file: file == RUN_FILE)
            with suppress(OSError):  # another process brought it
                arriving.rename(target)
        except DamagedObjectError as error:
            self._say(f"{error}; attempt {target.name} is left alone. {self._mend(name)}")
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    def _mend(self, name: str) -> str:
        return f"Delete {self._remote.at(name)}/{DIGESTS}: the machine that made it sends it again by the same command."

    def _bytes_here(self, name: str) -> bytes | None:
        file = self.root / name / RUN_FILE
        return file.read_bytes() if file.exists() else None

    def _bytes_there(self, name: str) -> bytes | None:
        """The remote `run.json`; None if the attempt is not whole there."""
        if name not in self._there(_run_of(name)):
            return None
        try:
            return read_file(self._remote, name, RUN_FILE)
        except DamagedObjectError as error:
            self._say(f"{error}. {self._mend(name)}")
            return None

    def _name(self, folder: Path) -> str:
        return folder.absolute().relative_to(self.root).as_posix()


def _facts(data: bytes | None) -> dict[str, Any] | None:
    """What a `run.json` says; None if there is none, or it cannot be read."""
    try:
        facts = json.loads(data or b"")
        return dict(facts) if facts["status"] and _key(facts) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _key(facts: dict[str, Any]) -> str:
    return str(facts.get("key") or facts["started"])


def _run_of(attempt: str) -> str:
    return attempt.rpartition("/")[0]
