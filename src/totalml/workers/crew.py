"""Who works on pieces that do not need each other: threads, processes of this machine, or a Ray cluster.

What a piece is depends on the data alone, never on the crew, so that results are the same bytes whoever made them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from totalml.workers.cluster import by_cluster
from totalml.workers.processes import by_processes
from totalml.workers.threads import by_threads

T = TypeVar("T")
R = TypeVar("R")

Backend = Literal["threads", "loky", "ray"]

HANDFULS = 64  # of small items, so that a large function is sent that often at most
THREADS = 2  # Pillow, Arrow and onnxruntime free the interpreter lock while they work


@dataclass(frozen=True)
class Crew:
    """Args:
    workers: None: 2 threads, or all cores that the backend has.
    asked_by: what stands before `backend` where a person chose it: the dashes of an option, or a section.
    """

    backend: Backend = "threads"
    workers: int | None = None
    asked_by: str = "--"

    @property
    def shares_files(self) -> bool:
        """Whether all workers see what one of them writes: those of a cluster are on other machines."""
        return self.backend != "ray"

    def map(
        self, function: Callable[[T], R], items: Iterable[T], name: Callable[[T], str], count: int | None = None
    ) -> Iterator[R]:
        """A bounded number of items and results is held at once, however slowly they are taken.

        Args:
            function: for `loky` and `ray` it is pickled, and so are items and results.
            name: what a person knows an item by.
            count: of the items, so that no process is started for nothing; None: nobody knows.
        Raises:
            MissingExtraError: the backend is not installed.
            WorkerError: an item ended every worker that was given it; one that ends for another reason is replaced.
        """
        if self.backend == "threads":
            return by_threads(function, items, self.workers or THREADS)
        wanted_by = f"{self.asked_by}backend {self.backend}"
        if self.backend == "ray":
            return by_cluster(function, items, self.workers, name, wanted_by)
        return by_processes(function, items, self.workers, name, wanted_by, count)

    def spread(self, function: Callable[[T], R], items: Sequence[T], name: Callable[[T], str]) -> Iterator[R]:
        """As `map`, of small items to a function that is large to send, and that holds the interpreter lock.

        So threads are no help, and without processes the items are taken one after the other, here.
        """
        if self.backend == "threads":
            yield from map(function, items)
            return
        size = math.ceil(len(items) / HANDFULS) or 1
        handfuls = [items[start : start + size] for start in range(0, len(items), size)]
        for found in self.map(_Each(function), handfuls, lambda handful: name(handful[0]), len(handfuls)):
            yield from found


@dataclass(frozen=True)
class _Each(Generic[T, R]):
    function: Callable[[T], R]

    def __call__(self, items: Sequence[T]) -> list[R]:
        return [self.function(item) for item in items]
