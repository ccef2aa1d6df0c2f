"""The command line of `run.py`: Hydra composes, we validate, a job runs.

Values on the command line may set keys that no YAML file holds, because defaults stand in the recipe's models; so
`training.epochs=3` is handed to Hydra as `++training.epochs=3` and the models judge it.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hydra import compose, initialize_config_dir
from hydra import main as hydra_main
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from totalml.compose import recipes_source
from totalml.errors import Interrupted, RecipeError, TotalmlError
from totalml.terminal import end_on_sigterm_as_on_ctrl_c, report, without_traceback

if TYPE_CHECKING:
    from totalml.recipe import Recipe

MULTIRUN = {"-m", "--multirun"}
VALUE_OVERRIDE = re.compile(r"^([A-Za-z_][\w.]*)=")

Job = Callable[["Recipe"], object]


def main(project: Path, job: Job, arguments: Sequence[str] | None = None) -> int:
    """Compose, validate and run what the command line asks for.

    Args:
        project: folder that holds conf/ and recipes/.
        job: gets every validated recipe, one by one in a multirun.
        arguments: default `sys.argv[1:]`.
    Returns: the exit code; see `totalml.errors`.
    """
    end_on_sigterm_as_on_ctrl_c()
    given, show_traceback = without_traceback(sys.argv[1:] if arguments is None else arguments)
    given = [_as_hydra_reads_it(argument, project) for argument in given]
    failures: list[TotalmlError] = []
    jobs, several = 0, bool(MULTIRUN & {*given})

    def guarded(config: DictConfig, overrides: list[str]) -> None:
        nonlocal jobs
        jobs += 1
        if several:
            print(f"--- run {jobs}: {' '.join(overrides)}", file=sys.stderr, flush=True)
        try:
            job(_validated(config, project, overrides))
        except Interrupted:
            raise
        except TotalmlError as error:  # the other jobs of a multirun go on
            failures.append(report(error, show_traceback))

    try:
        with _explained(project, given):
            _dispatch(project, given, guarded)
        if several and not jobs:
            raise RecipeError("command line: nothing to run; no option matches the glob or the list")
    except TotalmlError as error:
        failures.append(report(error, show_traceback))
    except KeyboardInterrupt:
        failures.append(report(Interrupted("interrupted; the same command goes on"), show_traceback))
    return failures[0].exit_code if failures else 0


def compose_recipe(project: Path, overrides: Sequence[str]) -> "Recipe":
    """The validated recipe that a command line means; what tests and tools call.

    Raises: RecipeError: with all mistakes.
    """
    given = [_as_hydra_reads_it(override, project) for override in overrides]
    with _explained(project, given):
        return _validated(_composed(project, given), project, given)


def _dispatch(project: Path, arguments: list[str], job: Callable[[DictConfig, list[str]], None]) -> None:
    """Compose here what is one recipe, in half of Hydra's time; leave the rest to Hydra's own command line."""
    if not arguments:
        recipes = sorted(file.stem for file in (project / "recipes").glob("*.yaml"))
        example = recipes[0] if recipes else "NAME"
        raise RecipeError(f"command line: name a recipe, e.g. +recipe={example}; there are: {', '.join(recipes)}")
    if not any(argument.startswith("-") for argument in arguments):
        job(_composed(project, arguments), arguments)
    elif arguments[-2:] == ["--cfg", "job"] and not any(word.startswith("-") for word in arguments[:-2]):
        print(OmegaConf.to_yaml(_composed(project, arguments[:-2])), end="")
    else:
        _run_hydra(project, arguments, job)


def _composed(project: Path, overrides: list[str]) -> DictConfig:
    recipes_source.register(project / "recipes")
    with initialize_config_dir(str(project / "conf"), version_base="1.3"):
        try:
            return compose("config", overrides=overrides)
        except RecursionError as error:
            raise RecipeError("a recipe inherits itself, directly or through others; look at 'defaults'") from error
        except (ValueError, TypeError, AttributeError, AssertionError) as error:  # Hydra's own checks raise these
            raise HydraException(str(error) or type(error).__name__) from error


def _run_hydra(project: Path, arguments: list[str], job: Callable[[DictConfig, list[str]], None]) -> None:
    if any(argument.startswith("--experimental-rerun") for argument in arguments):
        raise RecipeError("command line: --experimental-rerun unpickles a file, which can run any code")
    recipes_source.register(project / "recipes")
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hand exceptions to us instead of printing them

    def task(config: DictConfig) -> None:
        from hydra.core.hydra_config import HydraConfig

        job(config, list(HydraConfig.get().overrides.task))

    sys.argv[1:] = arguments
    try:
        hydra_main(config_path=str(project / "conf"), config_name="config", version_base="1.3")(task)()
    except ValueError as error:  # flags that do not go together, values that are no option
        raise HydraException(str(error)) from error


def _as_hydra_reads_it(argument: str, project: Path) -> str:
    value = VALUE_OVERRIDE.match(argument)
    if value is None:
        return argument
    key = value.group(1)
    if key == recipes_source.GROUP:
        return f"+{argument}"
    is_group = (project / "conf" / key).is_dir() or key.partition(".")[0] == "hydra"
    return argument if is_group else f"++{argument}"


def _validated(config: DictConfig, project: Path, overrides: list[str]) -> "Recipe":
    from totalml.compose.plain import plain_values
    from totalml.validate import InvalidRecipe, validate

    try:
        return validate(*plain_values(config))
    except InvalidRecipe as error:
        from totalml.compose import mistakes

        raise mistakes.invalid(error, mistakes.read_origins(project, overrides)) from error


@contextmanager
def _explained(project: Path, overrides: list[str]) -> Iterator[None]:
    """What Hydra refuses becomes a RecipeError in our words."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        from totalml.compose import mistakes

        raise mistakes.composition(error, project, overrides) from error
