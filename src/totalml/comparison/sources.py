"""The code that a run was made with: kept once in the store, and compared file by file.

`<store>/code/<digest>.zip` holds the sources that `run.json` names by `code.digest`; the same sources give the same
bytes, and what is read back is checked against the digest.
"""

from __future__ import annotations

import difflib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.errors import StoreError
from totalml.fingerprint import CODE, code_digest
from totalml.identity import short, tree_digest
from totalml.own_code import RECIPES, sources_of
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from totalml.recipe import Recipe
    from totalml.store import Store

FOLDER = "code"
LONGEST = 50_000_000  # bytes of sources that are read back; a larger archive is no code
NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
CONTEXT = 2  # lines around a change

# Package -> file below its folder -> content.
Sources = Mapping[str, Mapping[str, bytes]]


@dataclass(frozen=True)
class FileChange:
    """Args:
    name: `totalml/training/augment.py`.
    kind: added, removed or changed.
    lines: of a unified diff, without the two lines of the header.
    """

    name: str
    kind: str
    lines: tuple[str, ...]


def save_code(recipe: Recipe, store: Store) -> None:
    """Keep the sources that a run of `recipe` executes, unless the store has them.

    Raises: StoreError: the store cannot be written.
    """
    sources = current_code(recipe)
    file = store.folder(FOLDER) / f"{short(digest_of(sources), 64)}.zip"
    if not file.exists():
        write_atomically(file, _zipped(sources))


def current_code(recipe: Recipe) -> Sources:
    """The sources of totalml and of the recipe's own code as they lie on disk now."""
    return sources_of(plain(recipe, where=True))


def digest_of(sources: Sources) -> str:
    """What `totalml.fingerprint.code` gives for these sources."""
    return code_digest({package: tree_digest(CODE, files) for package, files in sources.items()})


def load_code(digest: str, store: Store) -> Sources | None:
    """The sources with this digest; None if the store does not have them.

    Raises: StoreError: what it has is damaged.
    """
    file = store.root / FOLDER / f"{short(digest, 64)}.zip"
    if not file.is_file():
        return None
    try:
        sources = _unzipped(file)
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise StoreError(f"{file} is damaged ({error}); delete it, the next run with this code writes it") from error
    if digest_of(sources) != digest:
        raise StoreError(f"{file} no longer holds the code of its name; delete it, the next run writes it")
    return sources


def code_changes(old: Sources, new: Sources) -> list[FileChange]:
    """What differs in the packages that both have, by file."""
    before, after = (dict(_files(side, old.keys() & new.keys())) for side in (old, new))
    return [
        FileChange(name, _kind(name, before, after), tuple(_diff(before.get(name, ""), after.get(name, ""))))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def folder_of(package: str) -> str:
    return package.replace(".", "/")


def split_name(name: str) -> tuple[str, str]:
    """`recipes/guinness/source.py` -> its package `recipes.guinness` and the file below it."""
    parts = name.split("/")
    depth = 2 if parts[0] == RECIPES else 1
    return ".".join(parts[:depth]), "/".join(parts[depth:])


def _kind(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return "added" if name not in before else "removed" if name not in after else "changed"


def _files(sources: Sources, packages: set[str]) -> Iterator[tuple[str, str]]:
    for package in packages:
        for name, content in sources[package].items():
            yield f"{folder_of(package)}/{name}", content.decode(errors="backslashreplace")


def _diff(old: str, new: str) -> Iterator[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm="")
    return (line for number, line in enumerate(lines) if number >= 2)


def _zipped(sources: Sources) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for package, files in sorted(sources.items()):
            for name, content in sorted(files.items()):
                archive.writestr(_entry(f"{folder_of(package)}/{name}"), content)
    return sink.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # or the bytes would depend on the operating system
    return entry


def _unzipped(file: Path) -> Sources:
    """Nothing is written to disk: names in the archive can lead nowhere."""
    sources: dict[str, dict[str, bytes]] = {}
    with zipfile.ZipFile(file) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LONGEST:
            raise ValueError(f"more than {LONGEST:,} bytes")
        for entry in archive.infolist():
            package, name = split_name(entry.filename)
            sources.setdefault(package, {})[name] = archive.read(entry)
    return sources
