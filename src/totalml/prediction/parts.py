"""The output while it is being made: parts beside it that outlive a kill, joined at the end in one step."""

from __future__ import annotations

import glob
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError, RecipeError, StoreError
from totalml.identity import canonical, digest, short
from totalml.store.atomic import (
    TEMPORARY,
    explained,
    remove_leftovers,
    sync,
    sync_folder,
    temporary_beside,
    write_in_folder,
)
from totalml.store.locks import locked

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.prediction.chunk import Part

OUT = "--out"
MANIFEST = "manifest.json"
TOGETHER = 16  # parts that make a row group of the output; a bound for memory
SHOWN = 10  # samples in a message
CHECKSUM_BYTES = 32

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

    def joined_by(self, group: pa.Table) -> Finished:
        wrong = group.select(["id", "error"]).filter(group["error"].is_valid())
        more = [f"  {row['id']!r}: {row['error']}" for row in wrong[: SHOWN - len(self.shown)].to_pylist()]
        return Finished(self.samples + len(group), self.bad + len(wrong), self.shown + more)


class Parts:
    """Hold `output_locked` meanwhile. Workers of one that was killed still save what they had in hand.

    Args:
        facts: all that the parts depend on, plain values; their files are named by it.
        count: of the parts when all are there.
    """

    def __init__(self, out: Path, facts: Mapping[str, Any], count: int) -> None:
        self._out, self._folder, self._count = out, parts_folder(out), count
        self._of = short(digest("parts v1", canonical(dict(facts))))

    @classmethod
    def begin(cls, out: Path, facts: Mapping[str, Any], count: int, overwrite: bool, say: Say) -> Parts:
        """Go on with what was made of the same facts, or start anew.

        Raises: RecipeError: another output is there. StoreError: the folder cannot be written.
        """
        parts = cls(out, facts, count)
        with explained(out.parent, named=OUT):
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
            parts._folder.mkdir()
        write_in_folder(parts._folder / MANIFEST, canonical(dict(facts)), OUT)
        return parts

    def has(self, number: int) -> bool:
        return self._file(number).exists()

    @property
    def missing(self) -> list[int]:
        return [number for number in range(self._count) if not self.has(number)]

    def save(self, part: Part) -> None:
        """Raises: StoreError: the folder cannot be written, or is no longer there."""
        if part.data is not None:
            write_in_folder(self._file(part.number), part.data, OUT)

    def join(self, made: Iterable[Part]) -> Finished:
        """Write the output, whole or not at all, while its parts are made, and remove these.

        Args: made: those that are missing, in their order; each is saved at once, unless it is already.
        Raises: StoreError: it cannot be written, or a part is damaged.
        """
        temporary = temporary_beside(self._out)
        try:
            finished = self._write(temporary, self._groups(iter(made)))
            with explained(self._out.parent, named=OUT):
                with temporary.open("rb") as file:
                    sync(file.fileno())
                temporary.replace(self._out)
                sync_folder(self._out.parent)
                self._remove()
        finally:
            temporary.unlink(missing_ok=True)
        return finished

    def _write(self, target: Path, groups: Iterator[pa.Table]) -> Finished:
        import pyarrow.parquet as pq

        finished, first = Finished(0, 0, []), next(groups)
        written = {"compression": "zstd", "write_page_checksum": True, "use_dictionary": _recurring(first.schema)}
        with explained(target.parent, named=OUT):
            writer = pq.ParquetWriter(target, first.schema, **written)
        try:
            for group in chain([first], groups):
                with explained(target.parent, named=OUT):
                    writer.write_table(group, row_group_size=len(group))
                finished = finished.joined_by(group)
        finally:
            with explained(target.parent, named=OUT):
                writer.close()
        return finished

    def _groups(self, made: Iterator[Part]) -> Iterator[pa.Table]:
        import pyarrow as pa

        parts = self._tables(made)
        while some := list(islice(parts, TOGETHER)):
            yield pa.concat_tables(some)

    def _tables(self, made: Iterator[Part]) -> Iterator[pa.Table]:
        missing = {*self.missing}
        for number in range(self._count):
            if number in missing:
                self.save(next(made))
            yield self._read(number)
        for _ in made:  # there are no more; it may end with an error
            pass

    def _read(self, number: int) -> pa.Table:
        import pyarrow as pa

        file = self._file(number)
        try:
            return part_table(file.read_bytes())
        except (pa.ArrowException, OSError, ValueError) as error:
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
        return self._folder / f"{number:08}-{self._of}.arrow"


def part_bytes(table: pa.Table) -> bytes:
    """A checksum, and an Arrow stream: a part is read once, and as Parquet that would take longer than to write it."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    data = bytes(sink.getvalue())
    return _checksum(data) + data


def part_table(data: bytes) -> pa.Table:
    """Raises: ValueError: these are not the bytes that `part_bytes` made."""
    import pyarrow as pa

    checksum, stream = data[:CHECKSUM_BYTES], memoryview(data)[CHECKSUM_BYTES:]
    if checksum != _checksum(stream):
        raise ValueError("its bytes are not those that were written")
    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all()


def _checksum(data: bytes | memoryview) -> bytes:
    from blake3 import blake3

    return bytes(blake3(data).digest())


def _recurring(schema: pa.Schema) -> list[str]:
    """Columns of text whose values may recur; of others it takes time to find out that they do not."""
    import pyarrow as pa

    return [field.name for field in schema if pa.types.is_string(field.type) and field.name not in ("id", "input")]


def parts_folder(out: Path) -> Path:
    return out.with_name(f"{out.name}.parts")


@contextmanager
def output_locked(out: Path) -> Iterator[None]:
    """Wait until no other command makes this output, from whatever store; what a killed one left is held anew."""
    lock = out.parent.resolve() / f".{out.name}.lock"  # hidden: inputs may lie in this folder too
    with locked(lock, OUT):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)  # while it is held: who waits for it makes another one


def refuse_output(out: Path, overwrite: bool) -> None:
    """Raises: RecipeError: it is there already."""
    if out.exists() and not overwrite:
        raise RecipeError(f"command line: --out {out} is there already; choose another, or give --overwrite")
