"""How a frozen backbone starts: built once a process, and named by the bytes of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from totalml.identity import PREFIX
from totalml.model.frozen import FrozenBackbone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.kinds import ImageBackbone

# Always this many pictures at once, blank ones at the end: the last bits of an embedding may depend on the size of its
# batch, and must not on which pictures it was computed with.
BATCH = 32


@dataclass(frozen=True)
class Start:
    """Args:
    backbone: on the CPU.
    state: its tensors by name.
    digest: of names, types, shapes and bytes of all of them.
    """

    backbone: FrozenBackbone
    state: dict[str, Tensor]
    digest: str


def start_of(backbone: ImageBackbone, seed: int) -> Start:
    """The backbone that a run of this seed begins with, trained or not.

    Raises: ModelError: it cannot be built.
    """
    return _built(backbone, seed, tuple(_stamp(file) for file in backbone.files()))


def embedded(backbone: FrozenBackbone, pixels: NDArray[np.uint8], device: torch.device) -> NDArray[np.float32]:
    """(N, H, W, 3) -> (N, D). Raises: ModelError: it cannot take pictures of this size."""
    made = np.empty((len(pixels), backbone.width), np.float32)
    for begin in range(0, len(pixels), BATCH):
        some = pixels[begin : begin + BATCH]
        batch = np.zeros((BATCH, *some.shape[1:]), np.uint8)
        batch[: len(some)] = some
        with torch.inference_mode():
            found = backbone(torch.from_numpy(batch).to(device)).float().cpu().numpy()
        made[begin : begin + BATCH] = found[: len(some)]
    return made


def _stamp(file: Path) -> tuple[int, int] | None:
    """What shows in a process that lives on that a file has changed."""
    stat = file.stat() if file.is_file() else None
    return stat and (stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=2)  # the jobs of a sweep take the same few in turn, and each takes as much memory as its weights
def _built(backbone: ImageBackbone, seed: int, stamps: tuple[tuple[int, int] | None, ...]) -> Start:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        built = FrozenBackbone(backbone)
    state = built.state_dict()
    return Start(built, state, _digest(state))


def _digest(state: dict[str, Tensor]) -> str:
    from blake3 import blake3

    hasher = blake3(derive_key_context="totalml frozen backbone v1", max_threads=blake3.AUTO)
    for name, tensor in state.items():
        header = f"{name} {tensor.dtype} {tuple(tensor.shape)}\n"
        hasher.update(header.encode())
        hasher.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return PREFIX + hasher.hexdigest()
