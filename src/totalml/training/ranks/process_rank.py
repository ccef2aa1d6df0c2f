"""The place of one process among those that train together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ProcessRank:
    """Args:
    rank: 0 writes all results; the others only compute.
    world_size: processes in all.
    local_rank: the place among the processes of this machine, and so the number of the GPU.
    local_size: processes on this machine; they share its cores.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def alone(self) -> bool:
        return self.world_size == 1

    def share(self, start: int, end: int) -> slice:
        """The part of start..end-1 that falls to this rank; shares differ by one at most and may be empty."""
        count = end - start
        return slice(start + count * self.rank // self.world_size, start + count * (self.rank + 1) // self.world_size)

    def total(self, values: Tensor) -> Tensor:
        """The sum over all ranks, the same bits on each; every rank must call it."""
        if not self.alone:
            from torch import distributed

            distributed.all_reduce(values)
        return values


ALONE = ProcessRank()
