"""The command line of `run.py`: Hydra composes, we validate, a job runs, or a sweep of jobs.

Values on the command line may set keys that no YAML file holds, because defaults stand in the recipe's models; so
`training.epochs=3` is handed to Hydra as `++training.epochs=3` and the models judge it.
"""

import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hydra import initialize_config_dir
from hydra import main as hydra_main
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from totalml.compose import config_sources
from totalml.compose.merge import VERSION_BASE, Merged, merge
from totalml.compose.stand_ins import stand_in
from totalml.errors import Interrupted, RecipeError, TotalmlError
from totalml.terminal import end_on_sigterm_as_on_ctrl_c, report, without_traceback

if TYPE_CHECKING:
    from totalml.recipe import Recipe

MULTIRUN = {"-m", "--multirun"}
VALUE_OVERRIDE = re.compile(r"^([A-Za-z_][\w.]*)=")

Job = Callable[["Recipe"], object]
# Gets the project, the arguments as Hydra reads them, with -m, and the job.
Sweep = Callable[[Path, list[str], Job], None]


def main(project: Path, job: Job, arguments: Sequence[str] | None = None, sweep: Sweep | None = None) -> int:
    """Compose, validate and run what the command line asks for.

    Args:
        project: folder that holds conf/ and recipes/.
        job: gets every validated recipe.
        arguments: default `sys.argv[1:]`.
        sweep: runs the jobs of `-m`, or of a recipe that carries its own sweep; None: neither is possible.
    Returns: the exit code; see `totalml.errors`.
    """
    end_on_sigterm_as_on_ctrl_c()
    given, show_traceback = without_traceback(sys.argv[1:] if arguments is None else arguments)
    given = [as_hydra_reads_it(argument, project) for argument in given]
    try:
        with explained(project, given):
            _dispatch(project, given, job, sweep or _no_sweep)
    except TotalmlError as error:
        return report(error, show_traceback).exit_code
    except KeyboardInterrupt:
        return report(Interrupted("interrupted; the same command goes on"), show_traceback).exit_code
    return 0


def compose_recipe(project: Path, overrides: Sequence[str]) -> "Recipe":
    """The validated recipe that a command line means; what tests and tools call.

    Raises: RecipeError: with all mistakes.
    """
    given = [as_hydra_reads_it(override, project) for override in overrides]
    with explained(project, given):
        return validated(composed(project, given), project, given)


def _dispatch(project: Path, arguments: list[str], job: Job, sweep: Sweep) -> None:
    """Compose here what is one recipe, in half of Hydra's time; leave the rest to Hydra's own command line."""
    if {*arguments} <= MULTIRUN:
        recipes = sorted(file.stem for file in (project / "recipes").glob("*.yaml"))
        example = recipes[0] if recipes else "NAME"
        raise RecipeError(f"command line: name a recipe, e.g. +recipe={example}; there are: {', '.join(recipes)}")
    if MULTIRUN & {*arguments}:
        sweep(project, arguments, job)
    elif not any(argument.startswith("-") for argument in arguments):
        _run_one(project, arguments, job, sweep)
    elif arguments[-2:] == ["--cfg", "job"] and not any(word.startswith("-") for word in arguments[:-2]):
        print(OmegaConf.to_yaml(composed(project, arguments[:-2]).config), end="")
    else:
        run_hydra(project, arguments, lambda config: job(job_recipe(Merged(config), project, task_overrides())))


def _run_one(project: Path, arguments: list[str], job: Job, sweep: Sweep) -> None:
    # Which sweeper it is that these set, the recipe says.
    given = [argument for argument in arguments if not argument.startswith("hydra.sweeper.")]
    recipe = job_recipe(composed(project, given), project, given)
    if recipe.sweep is None:
        job(recipe)
    elif {*recipe.sweep.parameters} <= {override_key(argument) for argument in arguments}:
        job(recipe.model_copy(update={"sweep": None}))
    else:
        sweep(project, ["-m", *arguments], job)


def _no_sweep(project: Path, arguments: list[str], job: Job) -> NoReturn:
    raise RecipeError("command line: several runs at once are not possible here; give one recipe, without -m")


def composed(project: Path, overrides: list[str]) -> Merged:
    """What conf/, the recipe and the overrides merge to."""
    try:
        return merge(project, overrides)
    except RecursionError as error:
        from totalml.compose import mistakes

        raise mistakes.circle(project, overrides) from error
    except (ValueError, TypeError, AttributeError, AssertionError) as error:  # Hydra's own checks raise these
        raise HydraException(str(error) or type(error).__name__) from error


def parsed(project: Path, overrides: Sequence[str]) -> list[Override]:
    """What Hydra reads in overrides; options of a group are looked up in the project."""
    _register(project)
    with initialize_config_dir(str(project / "conf"), version_base=VERSION_BASE):
        loader = GlobalHydra.instance().config_loader()
        return OverridesParser.create(config_loader=loader).parse_overrides(list(overrides))


def _register(project: Path) -> None:
    config_sources.register(project)
    stand_in(project / "conf")


def run_hydra(project: Path, arguments: list[str], task: TaskFunction) -> None:
    """Leave the command line to Hydra's own `main`; `task` gets the config of each job."""
    if any(argument.startswith("--experimental-rerun") for argument in arguments):
        raise RecipeError("command line: --experimental-rerun unpickles a file, which can run any code")
    _register(project)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hand exceptions to us instead of printing them
    sys.argv[1:] = arguments
    try:
        hydra_main(config_path=str(project / "conf"), config_name="config", version_base=VERSION_BASE)(task)()
    except ValueError as error:  # flags that do not go together, values that are no option
        raise HydraException(str(error)) from error


def task_overrides() -> list[str]:
    """What was asked for beside Hydra's own settings, of the job that Hydra runs now."""
    from hydra.core.hydra_config import HydraConfig

    return list(HydraConfig.get().overrides.task)


def as_hydra_reads_it(argument: str, project: Path) -> str:
    value = VALUE_OVERRIDE.match(argument)
    if value is None:
        return argument
    key = value.group(1)
    if key == config_sources.GROUP:
        return f"+{argument}"
    is_group = (project / "conf" / key).is_dir() or key.partition(".")[0] == "hydra"
    return argument if is_group else f"++{argument}"


def override_key(argument: str) -> str:
    """`training.epochs` of `++training.epochs=3`."""
    return argument.lstrip("+~").partition("=")[0]


def job_recipe(merged: Merged, project: Path, overrides: list[str]) -> "Recipe":
    """What is to be run: as `validated`, with its folders below the project."""
    from totalml.project import placed

    return placed(validated(merged, project, overrides), project)


def validated(merged: Merged, project: Path, overrides: list[str], swept: Collection[str] = ()) -> "Recipe":
    """Args:
        swept: keys of overrides that the recipe's own sweep gives.
    Raises: RecipeError: with all mistakes of the composed config.
    """
    from totalml.compose.plain import plain_values
    from totalml.compose.shared import layers_of, write_out
    from totalml.validate import InvalidRecipe, validate

    values, known = plain_values(merged.config)
    written = write_out(values, project)
    try:
        return validate(written.values, [*known, *written.mistakes])
    except InvalidRecipe as error:
        from totalml.compose import mistakes

        origins = mistakes.read_origins(project, overrides, swept, merged.files)
        raise mistakes.invalid(error, origins.over(layers_of(written.named, project))) from error


@contextmanager
def explained(project: Path, overrides: Sequence[str], swept: Collection[str] = ()) -> Iterator[None]:
    """What Hydra refuses becomes a RecipeError in our words. Args: swept: as of `validated`."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        from totalml.compose import mistakes

        raise mistakes.composition(error, project, overrides, swept) from error
