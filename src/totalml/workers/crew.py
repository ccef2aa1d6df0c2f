"""Who works on pieces that do not need each other: threads, processes of this machine, or a Ray cluster.

What a piece is depends on the data alone, never on the crew, so that results are the same bytes whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from totalml.workers.cluster import by_cluster
from totalml.workers.processes import by_processes
from totalml.workers.threads import by_threads

T = TypeVar("T")
R = TypeVar("R")

Backend = Literal["threads", "loky", "ray"]

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

    def map(self, function: Callable[[T], R], items: Iterable[T], name: Callable[[T], str]) -> Iterator[R]:
        """A bounded number of items and results is held at once, however slowly they are taken.

        Args:
            function: for `loky` and `ray` it is pickled, and so are items and results.
            name: what a person knows an item by.
        Raises:
            MissingExtraError: the backend is not installed.
            WorkerError: an item ended every worker that was given it; one that ends for another reason is replaced.
        """
        if self.backend == "threads":
            return by_threads(function, items, self.workers or THREADS)
        by = by_cluster if self.backend == "ray" else by_processes
        return by(function, items, self.workers, name, f"{self.asked_by}backend {self.backend}")
