"""Where and how training runs: device, precision, threads, determinism; put back as they were afterwards."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from totalml.errors import TrainingError
from totalml.recipe import RuntimeRecipe
from totalml.training.ranks.process_rank import ALONE, ProcessRank

THREADS = "OMP_NUM_THREADS"
_NOT_OURS = (
    # Lightning looks at every batch with a class of torch that torch is about to rename.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    # Its advice to use a GPU, where the recipe's runtime says cpu.
    r"GPU available but not used",
    # Its successor is not there in torch 2.11.
    r"`broadcast_buffers` is deprecated",
)


def device_of(runtime: RuntimeRecipe, local_rank: int = 0) -> torch.device:
    """The device of one of the processes on this machine.

    Raises: TrainingError: a GPU is asked for and torch sees none, or fewer than there are processes.
    """
    if runtime.device == "gpu" and not torch.cuda.is_available():
        raise TrainingError(
            "runtime.device is 'gpu' but torch sees none; install a driver and a torch build for it, "
            "or set runtime.device to 'auto' or 'cpu'."
        )
    if runtime.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    count = torch.cuda.device_count()
    if count == 1 and runtime.nodes > 1:
        return torch.device("cuda", 0)  # a cluster may show each process its own GPU only
    needed = max(local_rank + 1, processes_of(runtime) if runtime.nodes == 1 else 1)
    if needed > count:
        raise TrainingError(f"runtime.devices asks for {needed} GPUs and torch sees {count} here; set it to {count}.")
    return torch.device("cuda", local_rank)


def processes_of(runtime: RuntimeRecipe) -> int:
    """How many processes train together on this machine, where nobody else starts them."""
    if runtime.devices != "auto":
        return runtime.devices
    return max(1, torch.cuda.device_count()) if runtime.device != "cpu" else 1


def used(runtime: RuntimeRecipe) -> dict[str, str | int]:
    """What the computing is done with: the device by its model, and the threads of torch on the CPU."""
    device = device_of(runtime)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {"device": name, "threads": runtime.threads or torch.get_num_threads()}


@contextmanager
def reproducible(runtime: RuntimeRecipe, seed: int, place: ProcessRank = ALONE) -> Iterator[torch.device]:
    """Seeded and deterministic inside; torch's state outside is untouched."""
    device = device_of(runtime, place.local_rank)
    # cuBLAS is deterministic only with a fixed workspace, which must be set before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    devices = [device.index] if device.type == "cuda" else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.enter_context(_deterministic())
        stack.enter_context(_threads(runtime.threads, place.local_size))
        torch.manual_seed(seed)
        yield device


@contextmanager
def _deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # a module with a property, which type checkers do not see
    fill, benchmark = memory.fill_uninitialized_memory, torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    # Filling every fresh tensor guards against reading it unwritten, which torch's own layers do not do.
    memory.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = fill
        torch.backends.cudnn.benchmark = benchmark


@contextmanager
def _threads(count: int | None, processes: int) -> Iterator[None]:
    before, told = torch.get_num_threads(), os.environ.get(THREADS)
    wanted = count or max(1, before // processes)
    torch.set_num_threads(wanted)
    # Where nothing is told, Lightning's launchers of processes set a number of their own, and tell it for good.
    os.environ[THREADS] = str(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        os.environ.pop(THREADS)
        if told is not None:
            os.environ[THREADS] = told


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Only errors of Lightning: its tips and its list of hardware are not for the user of a recipe."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _NOT_OURS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        logger.setLevel(level)
