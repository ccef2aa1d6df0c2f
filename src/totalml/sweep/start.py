"""From a command line to a running sweep: what a recipe carries, which plugins are there, then Hydra's multirun."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.compose.command_line import MULTIRUN, as_hydra_reads_it, composed, explained, override_key, run_hydra
from totalml.errors import MissingExtraError
from totalml.recipe import SweepRecipe

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
    carried = _carried(project, arguments[1:])
    if carried is None:
        return arguments
    given = {override_key(argument) for argument in arguments}
    swept = [f"{key}={value}" for key, value in carried.parameters.items() if key not in given]
    settings: dict[str, object] = {"metric": carried.metric, "direction": carried.direction}
    if carried.sampler == "optuna":
        settings |= {"trials": carried.trials, "prune": carried.prune}
    if "hydra/sweeper" in given:
        return [*arguments, *(as_hydra_reads_it(argument, project) for argument in swept)]
    chosen = [f"hydra.sweeper.{key}={'null' if value is None else value}" for key, value in settings.items()]
    chosen = [argument for argument in chosen if override_key(argument) not in given]
    swept = [as_hydra_reads_it(argument, project) for argument in swept]
    return [*arguments, f"hydra/sweeper={carried.sampler}", *chosen, *swept]


def _carried(project: Path, arguments: list[str]) -> SweepRecipe | None:
    """None also where the section is wrong: every job has it, so validating them tells."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from totalml.compose.plain import plain_values

    if any(argument.startswith("-") for argument in arguments):
        return None
    with explained(project, arguments):
        overrides = OverridesParser.create().parse_overrides(arguments)
        fixed = [each for each in overrides if not each.is_sweep_override() and not each.is_hydra_override()]
        plain = [each.input_line or "" for each in fixed]
        found = plain_values(composed(project, plain))[0].get("sweep")
    try:
        return SweepRecipe.model_validate(found) if found else None
    except ValidationError:
        return None


def _require(choice: str) -> None:
    """Raises: MissingExtraError: what `choice` needs is not installed."""
    module, package, extra = NEEDS[choice]
    try:
        there = find_spec(module)
    except ModuleNotFoundError:  # its parent package is missing too
        there = None
    if there is None:
        raise MissingExtraError(package, extra, choice)
