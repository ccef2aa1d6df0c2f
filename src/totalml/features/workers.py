"""Apply a function to many things, by threads, by processes or on a cluster: the same results in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import islice
from typing import Any, Literal, TypeVar

from totalml.errors import MissingExtraError

T = TypeVar("T")
R = TypeVar("R")

Backend = Literal["threads", "loky", "ray"]

WAVE = 8  # things a process that are under way or wait to be taken: a bound for memory


def by_threads(function: Callable[[T], R], items: Iterable[T], workers: int, window: int) -> Iterator[R]:
    """Args: window: items under way at once, so memory stays bounded."""
    todo = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        under_way: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(todo, window))
        try:
            while under_way:
                yield under_way.popleft().result()
                under_way.extend(pool.submit(function, item) for item in islice(todo, 1))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def by_processes(
    function: Callable[[T], R], items: Iterable[T], backend: Backend, workers: int | None, wanted_by: str
) -> Iterator[R]:
    """Args:
        function: is pickled, and so are items and results.
        workers: None: all cores that the backend has.
        wanted_by: what asked for the backend, in the user's words.
    Raises:
        MissingExtraError: the backend is not installed.
        BrokenExecutor: a process was ended from outside.
    """
    try:
        from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    except ModuleNotFoundError as error:
        raise MissingExtraError("joblib", "train", wanted_by) from error

    task: Any = delayed(function)
    todo = iter(items)
    with ExitStack() as stack:
        if backend == "ray":
            stack.enter_context(_ray(wanted_by))
        stack.enter_context(parallel_config(backend, n_jobs=workers or -1))
        wave = WAVE * effective_n_jobs()
        result = "list" if backend == "ray" else "generator"  # which Ray's backend for joblib cannot do
        parallel = stack.enter_context(Parallel(return_as=result, batch_size=1, max_nbytes=None))
        # Wave by wave: joblib goes on handing out work although nobody takes the results.
        while part := list(islice(todo, wave)):
            yield from parallel(task(item) for item in part)


@contextmanager
def _ray(wanted_by: str) -> Iterator[None]:
    """The cluster that runs already, that RAY_ADDRESS names, or one on this machine for as long as the block lasts."""
    try:
        ray: Any = import_module("ray")
        backend: Any = import_module("ray.util.joblib")
    except ModuleNotFoundError as error:
        raise MissingExtraError("ray", "ray", wanted_by) from error
    backend.register_ray()
    ours = not ray.is_initialized()
    if ours:
        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
    try:
        yield
    finally:
        if ours:
            ray.shutdown()
