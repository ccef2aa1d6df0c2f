"""By a Ray cluster: the one that runs already, that RAY_ADDRESS names, or one on this machine while the work lasts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from totalml.errors import MissingExtraError, WorkerError
from totalml.workers.processes import AHEAD, TRIES, ended_all

T = TypeVar("T")
R = TypeVar("R")


def by_cluster(
    function: Callable[[T], R], items: Iterable[T], workers: int | None, name: Callable[[T], str], wanted_by: str
) -> Iterator[R]:
    """As `Crew.map`; Ray itself gives an item again whose worker or machine is gone.

    Args:
        workers: None: as many as the cluster has cores.
        wanted_by: what asked for the cluster, in the user's words.
    """
    try:
        ray: Any = import_module("ray")
    except ModuleNotFoundError as error:
        raise MissingExtraError("ray", "ray", wanted_by) from error
    with _cluster(ray, workers) as most:
        call, given = ray.remote(max_retries=TRIES - 1)(_called), ray.put(function)
        todo, under_way = iter(items), deque[tuple[T, Any]]()
        try:
            while True:
                some = islice(todo, most - len(under_way))
                under_way.extend((item, call.remote(given, item)) for item in some)
                if not under_way:
                    return
                item, reference = under_way.popleft()
                yield _result(ray, reference, item, name)
        finally:
            for _, reference in under_way:
                ray.cancel(reference, force=True)


def _result(ray: Any, reference: Any, item: T, name: Callable[[T], str]) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise WorkerError(ended_all(name(item))) from error


def _called(function: Callable[[T], R], item: T) -> R:
    return function(item)


@contextmanager
def _cluster(ray: Any, workers: int | None) -> Iterator[int]:
    """How many items it is given at once."""
    ours = not ray.is_initialized()
    if ours:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what would tell its maker of this cluster
        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
    try:
        yield workers or AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if ours:
            ray.shutdown()
