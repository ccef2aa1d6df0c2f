"""The output while it is being made: parts beside it that outlive a kill, joined at the end in one step."""

from __future__ import annotations

import glob
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError, RecipeError, StoreError
from totalml.store.atomic import (
    TEMPORARY,
    explained,
    remove_leftovers,
    sync,
    sync_folder,
    temporary_beside,
    write_atomically,
    write_json,
)

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
TOGETHER = 16  # parts that make a row group of the output; a bound for memory
SHOWN = 10  # samples in a message

Say = Callable[[str], None]


@dataclass(frozen=True)
class Finished:
    """Args:
    bad: samples that could not be used.
    shown: id and reason of the first ones.
    """

    samples: int
    bad: int
    shown: list[str]


class Parts:
    """Hold a lock on `out` meanwhile.

    Args: count: of the parts when all are there.
    """

    def __init__(self, out: Path, count: int) -> None:
        self._out, self._folder, self._count = out, parts_folder(out), count

    @classmethod
    def begin(cls, out: Path, facts: Mapping[str, Any], count: int, overwrite: bool, say: Say) -> Parts:
        """Go on with what was made of the same facts, or start anew.

        Args: facts: all that the parts depend on, plain values.
        Raises: RecipeError: another output is there. StoreError: the folder cannot be written.
        """
        parts = cls(out, count)
        with explained(out.parent):
            out.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(out.parent, f"{glob.escape(out.name)}*")
            before = parts._manifest()
            if before == facts:
                remove_leftovers(parts._folder)
                say(f"going on: {sum(map(parts.has, range(count)))} of {count} parts are there")
                return parts
            refuse_output(out, overwrite)
            if before is not None:
                differs = ", ".join(name for name, value in facts.items() if before.get(name) != value)
                say(f"starting anew, since unfinished work in {parts._folder} was of another state of: {differs}")
            parts._remove()
        write_json(parts._folder / MANIFEST, facts)
        return parts

    def has(self, number: int) -> bool:
        return self._file(number).exists()

    def save(self, number: int, data: bytes) -> None:
        """Raises: StoreError: the folder cannot be written."""
        write_atomically(self._file(number), data)

    def join(self) -> Finished:
        """Write the output, whole or not at all, and remove the parts.

        Raises: StoreError: it cannot be written, or a part is damaged.
        """
        temporary, finished = temporary_beside(self._out), Finished(0, 0, [])
        with explained(self._out.parent):
            try:
                finished = self._write(temporary)
                with temporary.open("rb") as file:
                    sync(file.fileno())
                temporary.replace(self._out)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(self._out.parent)
            self._remove()
        return finished

    def _write(self, target: Path) -> Finished:
        import pyarrow.parquet as pq

        from totalml.prediction.columns import words_in

        samples = bad = 0
        shown: list[str] = []
        groups = self._groups()
        first = next(groups)
        written = {"compression": "zstd", "write_page_checksum": True, "use_dictionary": words_in(first.schema)}
        with pq.ParquetWriter(target, first.schema, **written) as writer:
            while first is not None:
                writer.write_table(first, row_group_size=len(first))
                wrong = first.select(["id", "error"]).filter(first["error"].is_valid())
                samples, bad = samples + len(first), bad + len(wrong)
                shown += [f"  {row['id']!r}: {row['error']}" for row in wrong[: SHOWN - len(shown)].to_pylist()]
                first = next(groups, None)
        return Finished(samples, bad, shown)

    def _groups(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        parts = (self._read(number) for number in range(self._count))
        while some := list(islice(parts, TOGETHER)):
            yield pa.concat_tables(some)

    def _read(self, number: int) -> pa.Table:
        import pyarrow as pa

        from totalml.data.snapshot import read_parquet

        file = self._file(number)
        try:
            return read_parquet(file.read_bytes())
        except (pa.ArrowException, OSError) as error:
            file.unlink(missing_ok=True)
            raise StoreError(f"{file} was damaged and is gone; the same command makes it again ({error})") from error

    def _manifest(self) -> dict[str, Any] | None:
        """Raises: DataError: the folder is none of ours."""
        if not self._folder.exists():
            return None
        try:
            found: dict[str, Any] = json.loads((self._folder / MANIFEST).read_text())
            return found
        except (OSError, ValueError) as error:
            if all(path.name.startswith(TEMPORARY) for path in self._folder.iterdir()):  # killed at once
                return None
            raise DataError(
                f"{self._folder} holds no unfinished work of this command; move it away, or choose another --out"
            ) from error

    def _remove(self) -> None:
        """In one step, so that a kill leaves no half of it."""
        if self._folder.exists():
            gone = temporary_beside(self._folder)
            self._folder.rename(gone)
            shutil.rmtree(gone)

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08}.parquet"


def parts_folder(out: Path) -> Path:
    return out.with_name(f"{out.name}.parts")


def refuse_output(out: Path, overwrite: bool) -> None:
    """Raises: RecipeError: it is there already."""
    if out.exists() and not overwrite:
        raise RecipeError(f"command line: --out {out} is there already; choose another, or give --overwrite")
