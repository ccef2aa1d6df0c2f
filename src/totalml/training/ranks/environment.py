"""What Lightning and torch are told about processes that train together.

Lightning must start none itself: it would execute the original command line again, which inside a sweep means another
job. To it, every rank is a machine of its own with one device, whatever really holds it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed

from totalml.training.ranks.joint_norm import JointNorm

if TYPE_CHECKING:
    from totalml.training.ranks.process_rank import ProcessRank

LOOPBACK = "127.0.0.1"


def trainer_options(place: ProcessRank, device: torch.device) -> dict[str, Any]:
    """Arguments of Lightning's Trainer: which device, and how it is joined with the others."""
    gpu = device.type == "cuda"
    options: dict[str, Any] = {"accelerator": "gpu" if gpu else "cpu", "devices": [device.index] if gpu else 1}
    if place.alone:  # not what a cluster's variables suggest: one process, one device
        return {**options, "plugins": [LightningEnvironment()]}
    # Buffers need no copying from rank 0 before each step: joint normalisation makes them equal everywhere.
    strategy = DDPStrategy(process_group_backend=_backend(device), broadcast_buffers=False)
    plugins = [_Given(place)] if gpu else [_Given(place), JointNorm()]
    return {**options, "strategy": strategy, "num_nodes": place.world_size, "sync_batchnorm": gpu, "plugins": plugins}


@contextmanager
def process_group(store: Any, address: str, place: ProcessRank, device: torch.device) -> Iterator[None]:
    """Join the other ranks that come to the same `store` of torch; leave them at the end."""
    with _on_interface_of(address):
        distributed.init_process_group(
            _backend(device),
            store=store,
            rank=place.rank,
            world_size=place.world_size,
            device_id=device if device.type == "cuda" else None,
        )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def break_off() -> None:
    """Make this process notice that another rank is gone: NCCL would wait for it; gloo sees the connection close."""
    if distributed.is_initialized() and distributed.get_backend() == "nccl":
        distributed.distributed_c10d._abort_process_group()


def _backend(device: torch.device) -> str:
    return "nccl" if device.type == "cuda" else "gloo"


@contextmanager
def _on_interface_of(address: str) -> Iterator[None]:
    """Processes of one machine talk over its loopback, which nobody else can reach and which always has a name."""
    if address != LOOPBACK or "GLOO_SOCKET_IFNAME" in os.environ:
        yield
        return
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    try:
        yield
    finally:
        del os.environ["GLOO_SOCKET_IFNAME"]


class _Given(ClusterEnvironment):
    """A place that is known already; nothing is read from the process's environment."""

    def __init__(self, place: ProcessRank) -> None:
        self._place = place

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        raise AssertionError("the process group is joined before Lightning could ask where")

    @property
    def main_port(self) -> int:
        raise AssertionError("the process group is joined before Lightning could ask where")

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._place.world_size

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self._place.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return 0

    def node_rank(self) -> int:
        return self._place.rank
