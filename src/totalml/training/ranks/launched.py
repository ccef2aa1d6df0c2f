"""Processes that Slurm or torchrun started, one per device, all with the same command line.

Rank 0 alone takes the recipe through its life; the others wait until it has something to train, and then take part.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TrainingError
from totalml.identity import canonical, config_hash, digest, short
from totalml.recipe import what
from totalml.training.ranks.process_rank import ProcessRank
from totalml.url import local_folder

if TYPE_CHECKING:
    from totalml.recipe import Recipe, RuntimeRecipe

# Task number, tasks in all, number on this machine, tasks on this machine.
_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_SLURM = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE")
# What tells one launch from all others, a restarted one included.
_TORCHRUN_NAME = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT")
_SLURM_NAME = ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")


@dataclass(frozen=True)
class Launch:
    """Args:
    name: the same in all processes of the launch, and in no other launch.
    address: under which the other machines reach this one.
    """

    place: ProcessRank
    name: tuple[str, ...]
    address: str


def launch_of(runtime: RuntimeRecipe, variables: Mapping[str, str] = os.environ) -> Launch | None:
    """What the launcher told this process; None if the recipe asks for one machine.

    Raises: TrainingError: no launcher did, or it started another number of processes than the recipe asks for.
    """
    if runtime.nodes == 1:
        return None
    for numbers, name in ((_TORCHRUN, _TORCHRUN_NAME), (_SLURM, _SLURM_NAME)):
        if all(variable in variables for variable in (*numbers[:2], name[0])):
            place = _place(runtime, [variables.get(variable) for variable in numbers])
            _require_own_name(name[0], variables[name[0]])
            return Launch(place, tuple(variables.get(part, "") for part in name), _address(variables))
    raise TrainingError(
        f"runtime.nodes is {runtime.nodes}, but neither srun nor torchrun started this process; start one process per "
        "device with one of them, or set runtime.nodes=1. See docs/distributed.md."
    )


def call_file(recipe: Recipe, launch: Launch) -> Path:
    """Where rank 0 says where to meet, in the store that all machines share; before a URL, the cache is shared."""
    name = digest("launch v1", canonical([*launch.name, config_hash(what(recipe))]))
    store = local_folder(recipe.runtime.store, "store", recipe.runtime.cache).absolute()
    return store / "launches" / f"{short(name, 32)}.json"


def _place(runtime: RuntimeRecipe, numbers: list[str | None]) -> ProcessRank:
    rank, world_size = int(numbers[0] or 0), int(numbers[1] or 1)
    beside = world_size // runtime.nodes if runtime.devices == "auto" else runtime.devices
    if beside * runtime.nodes != world_size:
        raise TrainingError(
            f"the launcher started {world_size} processes; runtime.nodes={runtime.nodes} and "
            f"runtime.devices={runtime.devices} ask for {'a multiple of' if runtime.devices == 'auto' else ''} "
            f"{beside * runtime.nodes or runtime.nodes}. Make them agree."
        )
    return ProcessRank(rank, world_size, int(numbers[2] or rank % beside), beside)


def _require_own_name(variable: str, value: str) -> None:
    if value == "none":  # torchrun's default, the same for every launch
        raise TrainingError(f"{variable} is 'none'; give torchrun an --rdzv-id that no other launch has")


def _address(variables: Mapping[str, str]) -> str:
    import socket

    return variables.get("SLURMD_NODENAME") or socket.gethostname()
