"""A file that is a section by itself: read it, or say every mistake in it with its line. Nothing in it is executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import OmegaConf
from pydantic import ValidationError

from totalml.component import Section
from totalml.compose.config_file import read_config
from totalml.compose.origins import Origins, Place, read_layer
from totalml.errors import RecipeError
from totalml.validate import Mistake, explain

S = TypeVar("S", bound=Section)


def read_section(cls: type[S], file: Path, name: str, kind: str, context: Mapping[str, Any] | None = None) -> S:
    """Args:
        name: the file as shown.
        kind: what it holds, in a word.
        context: that validators of the section ask for.
    Raises: RecipeError: it is not there, no plain YAML, or no such section; all mistakes at once.
    """
    values = read_values(file, name, kind)
    mistakes = interpolated(values)
    if not mistakes:
        try:
            return cls.model_validate(values, context=context)
        except ValidationError as error:
            mistakes = explain(error, cls)
    raise with_lines(mistakes, file, name)


def read_values(file: Path, name: str, kind: str) -> Any:
    """As they are written. Raises: RecipeError: the file is not there, or no plain YAML."""
    if not file.is_file():
        hint = "" if file.suffix else f"; give its file, such as deployments/{name}.yaml"
        raise RecipeError(f"command line: there is no {kind} {name}{hint}")
    return OmegaConf.to_container(read_config(file, name), resolve=False)


def interpolated(values: Any, path: tuple[str | int, ...] = ()) -> list[Mistake]:
    """Whatever is not written out, which nobody resolves here."""
    return [Mistake(each, "an interpolation; write the value itself") for each in _interpolated(values, path)]


def with_lines(mistakes: Sequence[Mistake], file: Path, name: str) -> RecipeError:
    origins = origins_of(file, name)
    return RecipeError(*(f"{origins.written(each.path) or Place(name, 1)}: {each.message}" for each in mistakes))


def origins_of(file: Path, name: str) -> Origins:
    """Where its keys stand."""
    return Origins([read_layer(name, file, "")], [])


def _interpolated(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str) and "${" in value:
        yield path
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _interpolated(below, (*path, key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _interpolated(below, (*path, place))
