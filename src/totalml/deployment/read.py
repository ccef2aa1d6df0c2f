"""Read a file of `deployments/`, or say every mistake in it with its line. Nothing in it is ever executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from pydantic import ValidationError

from totalml.compose.config_file import read_config
from totalml.compose.origins import Origins, Place, read_layer
from totalml.deployment.deployment import Deployment
from totalml.errors import RecipeError
from totalml.validate import Mistake, explain


def read_deployment(file: Path, name: str) -> Deployment:
    """Args:
        name: the file as shown.
    Raises: RecipeError: it is not there, no plain YAML, or no deployment; all mistakes at once.
    """
    if not file.is_file():
        hint = "" if file.suffix else f"; give its file, such as deployments/{name}.yaml"
        raise RecipeError(f"command line: there is no deployment {name}{hint}")
    values = OmegaConf.to_container(read_config(file, name), resolve=False)
    mistakes = [Mistake(path, "an interpolation; write the value itself") for path in _interpolated(values, ())]
    if not mistakes:
        try:
            return Deployment.model_validate(values)
        except ValidationError as error:
            mistakes = explain(error, Deployment)
    origins = Origins([read_layer(name, file, "")], [])
    raise RecipeError(*(f"{origins.written(each.path) or Place(name, 1)}: {each.message}" for each in mistakes))


def _interpolated(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str) and "${" in value:
        yield path
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _interpolated(below, (*path, key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _interpolated(below, (*path, place))
