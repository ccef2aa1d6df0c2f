"""Photos in a folder per class."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from totalml.component import Where
from totalml.data.paths import existing_folder, is_ignored, is_text, normal, printable
from totalml.data.sample import BadSample, Ignored, Sample
from totalml.data.split_folders import COLUMN, mend_of_split, split_named
from totalml.errors import SnapshotError
from totalml.kinds import Source

EMPTY = "the folder is empty; remove it or put photos in it"


def _one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups != 1:
        raise ValueError(f"expected exactly one (group) in the pattern, got {groups}")
    return pattern


class ImageFolder(Source):
    """`root/<label>/<anything>/photo.jpg`, or the same below train, validation and test; a sample's id is its path.

    Hidden files and what operating systems leave behind (`.DS_Store`, `Thumbs.db`) are ignored, and the number of
    them is told; every other file must be a picture.
    """

    root: Annotated[str, Field(min_length=1), Where]
    # Regular expression with one group; what it finds in the id names the sample's group, e.g. 'pub-(\d+)'.
    group_pattern: Annotated[str, AfterValidator(_one_group)] | None = None
    # Whether the root holds train, validation and test, and the labels lie in these; the metadata column `split` keeps
    # which. None: neither was said, and folders of such names stop the run.
    split_folders: bool | None = None

    def folder(self) -> Path:
        return existing_folder(self.root, "data.source.root")

    def fingerprint(self) -> str | None:
        """Names and states of all files; None while one is so new that a change of it could go unseen."""
        from blake3 import blake3

        from totalml.store.stat_cache import is_settled, state_of

        started_ns, hasher = time.time_ns(), blake3()
        for found in self._walk():
            if not isinstance(found, File):
                hasher.update(repr(found).encode())
                continue
            try:
                state = state_of(found.entry.stat())
            except OSError:
                return None
            if not is_settled(state, started_ns):
                return None
            hasher.update(repr((found.id, *state)).encode())
        return hasher.hexdigest()

    def watched(self) -> list[Path]:
        return [self.folder()]

    def samples(self) -> Iterator[Sample | BadSample | Ignored]:
        for found in self._walk():
            yield self._labelled(found) if isinstance(found, File) else found

    def _walk(self) -> Iterator[File | BadSample | Ignored]:
        root = self.folder()
        try:
            entries = _listed(root)
        except OSError as error:
            raise SnapshotError(f"the folder {root} cannot be read: {error.strerror}") from error
        folders = [entry.name for entry in entries if not is_ignored(entry.name) and _is_folder(entry)]
        if not folders:
            raise SnapshotError(f"no class folders in {root}; expected one folder per label: {root}/<label>/photo.jpg")
        if self.split_folders is None and (mend := mend_of_split(root, folders)):
            raise SnapshotError(mend)
        yield from files_below(root)

    def _labelled(self, file: File) -> Sample | BadSample:
        *folders, _ = file.id.split("/")
        split = split_named(folders.pop(0)) if self.split_folders and folders else None
        if self.split_folders and split is None:
            return BadSample(file.id, "lies in no folder named train, validation or test; move it, or the folder")
        if not folders:
            return BadSample(file.id, "lies beside the class folders; move it into one of them or out of the root")
        group = None
        if self.group_pattern is not None:
            match = re.search(self.group_pattern, file.id)
            group = match and match.group(1)
            if group is None:
                return BadSample(file.id, f"data.source.group_pattern {self.group_pattern!r} finds no group in it")
        return Sample(file.id, Path(file.entry.path), folders[0], group, metadata={COLUMN: split} if split else {})


class File(NamedTuple):
    """Args: id: its path below the root."""

    id: str
    entry: os.DirEntry[str]


def files_below(root: Path) -> Iterator[File | BadSample | Ignored]:
    """Everything below a folder in sorted order, links followed as long as they stay below it.

    Raises: OSError: the folder itself cannot be read.
    """
    walk = _Walk(os.path.realpath(root))
    for entry in _listed(root):
        yield from walk.visit(entry, "")


class _Walk:
    def __init__(self, root: str) -> None:
        self._root = root
        self._above = [root]  # real paths of the folders that are being walked

    def visit(self, entry: os.DirEntry[str], prefix: str) -> Iterator[File | BadSample | Ignored]:
        if not is_text(entry.name):
            yield BadSample(prefix + printable(entry.name), "the name is not valid UTF-8; rename it")
            return
        name = prefix + normal(entry.name)
        if is_ignored(entry.name):
            yield Ignored(name)
        elif entry.is_symlink() and (reason := self._refuse_link(entry.path)):
            yield BadSample(name, reason)
        elif entry.is_dir():
            yield from self._folder(entry.path, name + "/")
        elif entry.is_file():
            yield File(name, entry)
        else:
            yield BadSample(name, "is neither a file nor a folder")

    def _folder(self, path: str, prefix: str) -> Iterator[File | BadSample | Ignored]:
        try:
            entries = _listed(path)
        except OSError as error:
            yield BadSample(prefix, f"the folder cannot be read: {error.strerror}")
            return
        if not entries:
            yield BadSample(prefix, EMPTY)
        self._above.append(os.path.realpath(path))
        for entry in entries:
            yield from self.visit(entry, prefix)
        self._above.pop()

    def _refuse_link(self, path: str) -> str | None:
        try:
            target = os.path.realpath(path, strict=True)
        except OSError as error:
            return f"the link cannot be followed: {error.strerror}"
        if target != self._root and not target.startswith(self._root.rstrip("/") + "/"):
            return f"the link leaves the root: it points to {target}; copy the file instead"
        if target in self._above:
            return f"the link points back to a folder it lies in: {target}"
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _listed(path: str | Path) -> list[os.DirEntry[str]]:
    # Sorted: directory order differs between file systems, and messages should not.
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)
