"""From a command line to a running sweep: what a recipe carries, which plugins are there, then Hydra's multirun."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.compose.command_line import MULTIRUN, as_hydra_reads_it, explained, override_key, run_hydra
from totalml.errors import MissingExtraError
from totalml.sweep.carried import carried_sweep, check_parameters

if TYPE_CHECKING:
    from totalml.compose.command_line import Job

DEFAULT = "hydra/sweeper=grid"
# What a choice on the command line needs: module to look for, distribution, extra.
NEEDS = {
    "hydra/launcher=joblib": ("hydra_plugins.hydra_joblib_launcher", "hydra-joblib-launcher", "sweep"),
    "hydra/launcher=submitit_local": ("hydra_plugins.hydra_submitit_launcher", "hydra-submitit-launcher", "slurm"),
    "hydra/launcher=submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "hydra-submitit-launcher", "slurm"),
    "hydra/launcher=ray": ("hydra_plugins.hydra_ray_launcher", "hydra-ray-launcher", "ray"),
    "hydra/sweeper=optuna": ("optuna", "optuna", "sweep"),
}


def start(project: Path, arguments: list[str], job: Job) -> None:
    """See `totalml.sweep.sweep`."""
    from totalml.sweep.sweepers import register
    from totalml.sweep.task import SweepTask

    gc.enable()  # run.py starts without it
    # Hydra cannot read a command line that has the flag in the middle.
    arguments = ["-m", *(argument for argument in arguments if argument not in MULTIRUN)]
    arguments = _with_recipes_sweep(project, arguments)
    if "hydra/sweeper" not in map(override_key, arguments):
        arguments = [arguments[0], DEFAULT, *arguments[1:]]
    for choice in NEEDS.keys() & {*arguments}:
        _require(choice)
    register()
    with explained(project, arguments):
        run_hydra(project, arguments, SweepTask(project, job))


def _with_recipes_sweep(project: Path, arguments: list[str]) -> list[str]:
    """The arguments, with those of the sweep that the one recipe of the command line carries."""
    carried, fixed = carried_sweep(project, arguments[1:])
    if carried is None:
        return arguments
    given = {override_key(argument) for argument in arguments}
    parameters = {key: value for key, value in carried.parameters.items() if key not in given}
    check_parameters(project, fixed, parameters)
    swept = [as_hydra_reads_it(f"{key}={value}", project) for key, value in parameters.items()]
    settings: dict[str, object] = {"metric": carried.metric, "direction": carried.direction}
    if carried.sampler == "optuna":
        settings |= {"trials": carried.trials, "prune": carried.prune}
    if "hydra/sweeper" in given:
        return [*arguments, *swept]
    chosen = [f"hydra.sweeper.{key}={'null' if value is None else value}" for key, value in settings.items()]
    chosen = [argument for argument in chosen if override_key(argument) not in given]
    return [*arguments, f"hydra/sweeper={carried.sampler}", *chosen, *swept]


def _require(choice: str) -> None:
    """Raises: MissingExtraError: what `choice` needs is not installed."""
    module, package, extra = NEEDS[choice]
    try:
        there = find_spec(module)
    except ModuleNotFoundError:  # its parent package is missing too
        there = None
    if there is None:
        raise MissingExtraError(package, extra, choice)
