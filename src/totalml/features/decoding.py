"""Blobs -> pixels, by threads, by processes or on a cluster: the same rows in the same order whatever does it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from totalml.data.image import UnreadableImage, decode
from totalml.errors import FeatureError, MissingExtraError
from totalml.features import pixels
from totalml.recipe import ImageFeatures, RuntimeRecipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.store import Store

T = TypeVar("T")
R = TypeVar("R")

THREADS = 2  # Pillow frees the interpreter lock while it decodes and resizes
WINDOW = 32  # pictures under way at once, so memory stays bounded
CHUNK = 32  # pictures that a process gets at a time
WAVE = 8  # chunks a process that are under way or wait to be written; again a bound for memory


class UndecodableBlob(Exception):
    """Args:
    blob: digest of the picture.
    reason: why it cannot be decoded.
    """

    def __init__(self, blob: str, reason: str) -> None:
        super().__init__(blob, reason)  # both, so that it survives the way from another process
        self.blob, self.reason = blob, reason


def decoded(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, runtime: RuntimeRecipe
) -> Iterator[NDArray[np.uint8]]:
    """(size, size, 3) uint8 of each blob, in order.

    Raises:
        UndecodableBlob: one is no picture.
        FeatureError: a worker was killed.
        MissingExtraError: the backend is not installed.
    """
    if runtime.backend == "threads":
        return _by_threads(blobs, image, max_megapixels, store, runtime.workers or THREADS)
    return _by_joblib(blobs, image, max_megapixels, store, runtime)


def row_of(data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    """(size, size, 3) of one encoded picture.

    Raises: UnreadableImage.
    """
    return pixels.to_pixels(decode(data, max_megapixels, at_least=pixels.OVERSAMPLE * image.size), image)


def _row(blob: str, data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    try:
        return row_of(data, image, max_megapixels)
    except UnreadableImage as error:
        raise UndecodableBlob(blob, str(error)) from error


def _by_threads(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, workers: int
) -> Iterator[NDArray[np.uint8]]:
    def read(item: tuple[str, bytes]) -> NDArray[np.uint8]:
        return _row(*item, image, max_megapixels)

    with ThreadPoolExecutor(workers) as pool:
        yield from _map_in_order(pool, read, zip(blobs, store.read_many(blobs), strict=True), max(WINDOW, 2 * workers))


def _map_in_order(pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], window: int) -> Iterator[R]:
    """Like `pool.map`, with no more than `window` items under way."""
    todo = iter(items)
    under_way: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(todo, window))
    while under_way:
        yield under_way.popleft().result()
        under_way.extend(pool.submit(function, item) for item in islice(todo, 1))


def _by_joblib(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, runtime: RuntimeRecipe
) -> Iterator[NDArray[np.uint8]]:
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config

    task: Any = delayed(_chunk)
    chunks = [blobs[start : start + CHUNK] for start in range(0, len(blobs), CHUNK)]
    with ExitStack() as stack:
        if runtime.backend == "ray":
            stack.enter_context(_ray())
        stack.enter_context(parallel_config(runtime.backend, n_jobs=runtime.workers or -1))
        wave = WAVE * effective_n_jobs()
        result = "list" if runtime.backend == "ray" else "generator"  # which Ray's backend for joblib cannot do
        parallel = stack.enter_context(Parallel(return_as=result, batch_size=1, max_nbytes=None))
        # Wave by wave: joblib goes on handing out work although nobody takes the results.
        for start in range(0, len(chunks), wave):
            part = chunks[start : start + wave]
            try:
                yield from chain.from_iterable(parallel(task(chunk, image, max_megapixels, store) for chunk in part))
            except BrokenExecutor as error:
                raise FeatureError(
                    "a process that decodes pictures was ended from outside, most likely for want of memory; set fewer "
                    "runtime.workers, or runtime.backend=threads."
                ) from error


def _chunk(blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store) -> NDArray[np.uint8]:
    """(n, size, size, 3) uint8; runs in another process, perhaps on another machine that sees the same store."""
    read = zip(blobs, store.read_many(blobs), strict=True)
    return np.stack([_row(blob, data, image, max_megapixels) for blob, data in read])


@contextmanager
def _ray() -> Iterator[None]:
    """The cluster that runs already, that RAY_ADDRESS names, or one on this machine for as long as the block lasts."""
    try:
        ray: Any = import_module("ray")
        backend: Any = import_module("ray.util.joblib")
    except ModuleNotFoundError as error:
        raise MissingExtraError("ray", "ray", "runtime.backend 'ray'") from error
    backend.register_ray()
    ours = not ray.is_initialized()
    if ours:
        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
    try:
        yield
    finally:
        if ours:
            ray.shutdown()
