"""What is to be predicted, from what a person calls it: a folder, a glob or a table, here or behind a URL."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from totalml.data.paths import normal
from totalml.errors import DataError, RecipeError
from totalml.identity import digest
from totalml.prediction.chunk import CHUNK, Chunk, Listed
from totalml.prediction.folders import Folder, LocalFolder, RemoteFolder
from totalml.prediction.rows import FILE, Rows, is_table
from totalml.store.remote import LOCAL
from totalml.url import checked, is_url

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.release.scorer import Scorer

CHANGED = "{what} changed while it was read; give the command again when it stays as it is"
MAGIC = re.compile(r"[*?\[]")


class Inputs(Protocol):
    @property
    def folder(self) -> Folder: ...

    @property
    def at_once(self) -> int:
        """Samples of a chunk, but for the last one."""

    def chunks(self) -> Iterator[Chunk]:
        """The same each time, as long as nothing changes."""


@dataclass(frozen=True)
class Pictures:
    """Args: wanted: what ids look like; None: any."""

    folder: Folder
    wanted: re.Pattern[str] | None = None

    @property
    def at_once(self) -> int:
        return CHUNK

    def wants(self, name: str) -> bool:
        return self.wanted is None or bool(self.wanted.match(name))

    def chunks(self) -> Iterator[Chunk]:
        found = (each for each in self.folder.pictures() if self.wants(each.id))
        while some := list(islice(found, self.at_once)):
            yield Chunk([each.id for each in some], some, None, [each.error for each in some])


@dataclass(frozen=True)
class Listing:
    """Args: states: of the chunks, in their order."""

    samples: int
    states: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """Of all names, values and states of files."""
        return digest("inputs v2", b"".join(self.states))


def open_inputs(what: str, scorer: Scorer, out: Path) -> Inputs:
    """Args: out: what will be written.

    Raises: RecipeError: it is no place. DataError: nothing is there, or not what the model sees.
    """
    folder, name = _located(what)
    signature = scorer.signature
    if is_table(name):
        return Rows(folder, name, what, scorer)
    if signature.columns:
        wanted = ", ".join([*([FILE] if signature.picture else []), *signature.columns])
        raise DataError(f"{what} holds pictures; the model sees rows: give a table with the columns {wanted}")
    pictures = Pictures(folder, _translated(name) if name else None)
    if isinstance(folder, LocalFolder) and (own := folder.name_of(out)) and pictures.wants(own):
        raise RecipeError(f"command line: --out {out} lies among the pictures of {what}; choose another folder for it")
    return pictures


def listing(inputs: Inputs, what: str, progress: Progress) -> Listing:
    """Raises: DataError: there is nothing, or the table cannot be read to its end."""
    samples, states = 0, []
    for chunk in progress.track(inputs.chunks(), "list, in chunks"):
        samples += len(chunk.ids)
        states.append(chunk.state())
    if not samples:
        raise DataError(f"nothing was found in {what}; give a folder with pictures, a glob in quotes, or a table")
    return Listing(samples, tuple(states))


def wanted_chunks(inputs: Inputs, listed: Listing, what: str, wanted: Set[int]) -> Iterator[Listed]:
    """Chunks of the wanted numbers. Raises: DataError: there are not as many as were listed."""
    chunks = inputs.chunks()
    try:
        for number, (state, chunk) in enumerate(zip(listed.states, chunks, strict=True)):
            if number in wanted:
                yield Listed(number, state, chunk)
    except ValueError as error:
        raise DataError(CHANGED.format(what=what)) from error


def _located(what: str) -> tuple[Folder, str]:
    """A folder, and what is meant in it: a table, a pattern, or "" for all of it."""
    if is_url(what):
        try:
            protocol, _, path = checked(what).partition("://")
        except ValueError as error:
            raise RecipeError(f"command line: {what}: {error}") from error
        if protocol not in LOCAL:
            base, name = _split(path)
            return RemoteFolder(f"{protocol}://{base}"), name
        what = path
    path = str(Path(what).expanduser())
    if Path(path).is_dir():
        return LocalFolder(Path(path)), ""
    if Path(path).is_file():
        return LocalFolder(Path(path).parent), Path(path).name if is_table(path) else glob.escape(Path(path).name)
    base, name = _split(path)
    if is_table(name) or not name or not Path(base or ".").is_dir():
        raise DataError(f"there is no {what} (seen from {Path.cwd()}); give a folder, a table, or a glob in quotes")
    return LocalFolder(Path(base or ".")), name


def _split(path: str) -> tuple[str, str]:
    """The folder before the first part that is a pattern, and the rest; a table is a rest of its own."""
    parts = path.split("/")
    first = next((place for place, part in enumerate(parts) if MAGIC.search(part)), len(parts))
    if first == len(parts) and is_table(path):
        first -= 1
    return "/".join(parts[:first]) or ("/" if path.startswith("/") and first else ""), "/".join(parts[first:])


def _translated(pattern: str) -> re.Pattern[str]:
    from fsspec.utils import glob_translate

    return re.compile(glob_translate(normal(pattern)))
