"""Find the files that a table names, however another system spelt their paths."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from totalml.data.paths import is_text, normal

_OF_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
MEND = "set data.source.root to a folder above it, or write it relative to the root"
_URL = re.compile(r"[a-z][a-z0-9+.-]+://")


class ListedFiles:
    """Turns a table's file names into ids and paths below the root.

    Args: mend: what to do about a file that lies elsewhere.
    """

    def __init__(self, root: Path, mend: str = MEND) -> None:
        self._root = str(root)
        self._real_root = os.path.realpath(root)
        self._mend = mend
        self._inside: dict[str, bool] = {}  # by folder: whether its real path is below the real root
        self._names: dict[str, dict[str, str]] = {}  # by folder: one Unicode form of each name -> the name

    def find(self, file: str) -> tuple[str, Path | None, str]:
        """Id, path, and why there is no path."""
        if not is_text(file) or "\0" in file:
            return file, None, "the name is not valid text"
        name = self._below_root(file)
        if name == ".." or name.startswith("../"):
            return file, None, f"the file lies outside the root {self._root}; {_mend(file) or self._mend}"
        found = self._existing(name)
        if found is None:
            return normal(name), None, f"the file is missing: {self._root}/{name}{self._hint(file, name)}"
        path = Path(self._root, found)
        if not self._is_inside(path):
            return normal(found), None, f"a link in its path leaves the root: it leads to {os.path.realpath(path)}"
        return normal(found), path, ""

    def _below_root(self, file: str) -> str:
        name = posixpath.normpath(file)
        if not posixpath.isabs(name):
            return name
        # The same folder may be written with or without the links in its path.
        roots = (self._root, self._real_root)
        return min((posixpath.relpath(name, root) for root in roots), key=lambda path: path.startswith("../"))

    def _existing(self, name: str) -> str | None:
        """The name as the file system has it; a backslash separates folders where no name holds it."""
        for candidate in dict.fromkeys((name, posixpath.normpath(name.replace("\\", "/")))):
            if not candidate.startswith(("../", "/")) and (found := self._spelt(candidate)):
                return found
        return None

    def _spelt(self, name: str) -> str | None:
        """The name in the Unicode form that the file system has it in."""
        if os.path.lexists(f"{self._root}/{name}"):
            return name
        found = ""
        for part in () if name.isascii() else name.split("/"):
            there = self._listed(posixpath.join(self._root, found)).get(normal(part))
            if there is None:
                return None
            found = posixpath.join(found, there)
        return found or None

    def _listed(self, folder: str) -> dict[str, str]:
        if folder not in self._names:
            try:
                names = sorted(path.name for path in Path(folder).iterdir())
            except OSError:
                names = []
            self._names[folder] = {normal(name): name for name in names}
        return self._names[folder]

    def _hint(self, file: str, name: str) -> str:
        """What it may be called instead."""
        if _URL.match(file) or _OF_WINDOWS.match(file):
            return f"; {_mend(file)}"
        folder, _, last = name.replace("\\", "/").rpartition("/")
        wanted = last.strip().casefold()
        alike = (there for there in self._listed(posixpath.join(self._root, folder)) if there.casefold() == wanted)
        return f"; there is {posixpath.join(folder, there)!r}" if (there := next(alike, None)) else ""

    def _is_inside(self, path: Path) -> bool:
        if path.is_symlink():
            return self._below(os.path.realpath(path))
        folder = str(path.parent)
        if folder not in self._inside:
            self._inside[folder] = self._below(os.path.realpath(folder))
        return self._inside[folder]

    def _below(self, real: str) -> bool:
        return real == self._real_root or real.startswith(self._real_root.rstrip("/") + "/")


def _mend(file: str) -> str:
    if _URL.match(file):
        return "it is a URL; download it below the root and name the file"
    if _OF_WINDOWS.match(file):
        return "it is a path of Windows; write it relative to the root"
    return ""
