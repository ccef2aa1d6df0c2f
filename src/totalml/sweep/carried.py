"""The sweep that a recipe carries, checked before Hydra sees any of it.

Its keys and values are text of a file that become arguments. `SweepRecipe` lets only keys of the recipe pass; here
every value is composed and validated in its place, so that a component is judged by its socket as one written there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra.errors import HydraException
from pydantic import ValidationError

from totalml.compose.command_line import as_hydra_reads_it, composed, explained, parsed, validated
from totalml.compose.mistakes import read_origins
from totalml.compose.plain import plain_values
from totalml.errors import RecipeError
from totalml.recipe import SweepRecipe
from totalml.sweep.space import corners, dimension


def carried_sweep(project: Path, arguments: Sequence[str]) -> tuple[SweepRecipe | None, list[str]]:
    """What the one recipe of a command line carries, and the arguments that make one job but for that.

    None also where the section is wrong: every job has it, so validating them tells.
    """
    if any(argument.startswith("-") for argument in arguments):
        return None, []
    with explained(project, arguments):
        overrides = [each for each in parsed(project, arguments) if not each.is_hydra_override()]
        fixed = [each.input_line or "" for each in overrides if not each.is_sweep_override()]
        found = plain_values(composed(project, fixed).config)[0].get("sweep")
    try:
        sweep = SweepRecipe.model_validate(found) if found else None
    except ValidationError:
        return None, fixed
    try:
        varied = next(iter(corners([dimension(each) for each in overrides if each.is_sweep_override()])), None)
    except ValueError as error:
        raise RecipeError(f"command line: {error}") from error
    return sweep, [*fixed, *(f"{key}={value}" for key, value in (varied or {}).items())]


def check_parameters(project: Path, given: Sequence[str], parameters: Mapping[str, str]) -> None:
    """Compose and validate jobs that have every value, or both ends of an interval, between them.

    Args:
        given: what else makes a job.
        parameters: of the recipe that `given` names.
    Raises: RecipeError: each mistake once, at the line of its parameter.
    """
    points, lines = _points(project, given, parameters)
    for point in points:
        arguments = [*given, *point]
        try:
            with explained(project, arguments, parameters):
                validated(composed(project, arguments), project, arguments, parameters)
        except RecipeError as error:
            lines |= dict.fromkeys(error.mistakes)
    if lines:
        raise RecipeError(*lines)


def _points(
    project: Path, given: Sequence[str], parameters: Mapping[str, str]
) -> tuple[list[list[str]], dict[str, None]]:
    """The arguments of each job, and the lines of parameters that cannot be read."""
    single, dimensions = [], []
    lines: dict[str, None] = {}
    for key, text in parameters.items():
        argument = as_hydra_reads_it(f"{key}={text}", project)
        try:
            (override,) = parsed(project, [argument])
            if override.is_sweep_override():
                dimensions.append(dimension(override))
            else:
                single.append(argument)
        except (HydraException, ValueError, RecursionError) as error:
            place = read_origins(project, list(given)).swept_at(key)
            lines[f"{place}: sweep.parameters.{key}: cannot read {text!r}: {str(error).splitlines()[0]}"] = None
    varied = [[f"{key}={value}" for key, value in point.items()] for point in corners(dimensions)]
    return [[*single, *point] for point in varied], lines
