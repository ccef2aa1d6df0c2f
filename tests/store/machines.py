"""Machines that share a remote store, and a filesystem that dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from totalml.store import Store, open_store


class Killed(BaseException):
    """Not an Exception, as a kill cannot be caught."""


class DyingFileSystem(MemoryFileSystem):
    """Kills who writes once too often."""

    protocol = "dying"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    steps_left: ClassVar[float] = float("inf")

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return MemoryFileSystem._strip_protocol(path.removeprefix("dying://"))

    @classmethod
    def die_after(cls, steps: float) -> None:
        cls.steps_left = steps

    @classmethod
    def empty(cls) -> None:
        cls.store.clear()
        cls.pseudo_dirs[:] = [""]

    def step(self) -> None:
        if self.steps_left <= 0:
            raise Killed
        type(self).steps_left -= 1

    def put_file(self, *args: Any, **kwargs: Any) -> None:
        self.step()
        super().put_file(*args, **kwargs)

    def pipe_file(self, *args: Any, **kwargs: Any) -> None:
        self.step()
        super().pipe_file(*args, **kwargs)

    def open(self, path: str, mode: str = "rb", *args: Any, **kwargs: Any) -> Any:
        if "x" in mode:
            self.step()
        return super().open(path, mode, *args, **kwargs)

    def mv(self, *args: Any, **kwargs: Any) -> None:
        self.step()
        super().mv(*args, **kwargs)


fsspec.register_implementation("dying", DyingFileSystem, clobber=True)


def machine(url: str, cache: Path, told: list[str] | None = None) -> Store:
    """The store of a machine with nothing but its cache."""
    return open_store(url, str(cache), (told if told is not None else []).append)
