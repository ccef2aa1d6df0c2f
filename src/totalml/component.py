"""What a recipe is made of: strict sections, and components that a `_target_` names.

A component of ours is itself a pydantic model: its fields are its schema and its defaults are hashed, so there is
no second copy of either in YAML. Heavy imports happen inside its methods, never when its module is imported.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

# Read by pydantic when the first model is made: what else is installed must not change what a recipe means, and
# looking for plugins opens a file of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, ConfigDict, Strict, model_validator
from pydantic.fields import FieldInfo

T = TypeVar("T")

# YAML has lists only; a tuple keeps a validated recipe immutable.
Items = Annotated[tuple[T, ...], Strict(False)]


# Begins the tag of each form of a value that may be written in several; no key can begin so.
UNION = "\0"


class Where:
    """Marks a field that says where or how, not what: it does not count for the config hash.

    As `Annotated[str, Where]`, however deep in the type of the field, such as in `Annotated[str, Where] | None`. If a
    part of the type does not say so, as in `tuple[Annotated[str, Where], int]`, the field counts.
    """


def says_where(field: FieldInfo) -> bool:
    return any(map(_is_where, (*field.metadata, field.annotation)))


def _is_where(mark: Any) -> bool:
    """Args: mark: a type, by a name or written out, or what annotates one."""
    if mark is Where or isinstance(mark, Where):
        return True
    written = getattr(mark, "__value__", mark)
    kind, parts = get_origin(written), get_args(written)
    if kind is Annotated:
        return any(map(_is_where, parts))
    held = parts[1:] if isinstance(kind, type) and issubclass(kind, Mapping) else parts  # values of a mapping
    told = [each for each in held if each is not NoneType and each is not ...]
    return bool(told) and all(map(_is_where, told))


class Misfit(ValueError):
    """What a validator raises about a value inside the one that it validates.

    Args:
        below: the keys that lead to it.
    """

    def __init__(self, message: str, *below: str | int) -> None:
        super().__init__(message)
        self.below = below


class Section(BaseModel):
    """A part of a recipe: unknown keys, wrong types and later changes are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_floats_are_ints(cls, values: Any) -> Any:
        """`epochs: 3.0` means 3, so both spellings give one config hash."""
        if not isinstance(values, dict):
            return values
        return {key: _as_int(cls, key, value) for key, value in values.items()}


class Component(Section):
    """A class that a recipe names by `_target_`; its fields are the arguments a recipe may give."""

    @classmethod
    def public_path(cls) -> str:
        """The `_target_` that counts: `totalml.<room>.<Class>`, so that moving a file inside a room changes no hash."""
        modules = cls.__module__.split(".")
        return ".".join([*(modules[:2] if modules[0] == "totalml" else modules), cls.__qualname__])

    def files(self) -> list[Path]:
        """Local files besides the data whose content moves the result, such as pretrained weights."""
        return []


class ForeignComponent(Section):
    """A class of another package, kept as name and arguments until it is needed.

    That a socket takes it, and its arguments fit, is checked from its source text, so validating imports nothing.
    """

    target: str
    arguments: dict[str, Any]

    def files(self) -> list[Path]:
        """Files that an argument names, such as weights: whoever is given one reads it."""
        return [Path(value) for value in self.arguments.values() if isinstance(value, str) and os.path.isfile(value)]  # noqa: PTH113 - a text may be too long for a name

    def create(self, *args: Any, **kwargs: Any) -> Any:
        """Import the class and call it; positional arguments come from the caller (parameters, an optimizer)."""
        import importlib

        module, _, name = self.target.rpartition(".")
        return getattr(importlib.import_module(module), name)(*args, **kwargs, **self.arguments)


def components(value: Any) -> Iterator[Component | ForeignComponent]:
    """Every component below a section, itself included."""
    if isinstance(value, Component | ForeignComponent):
        yield value
    if isinstance(value, Section):
        value = [getattr(value, key) for key in type(value).model_fields]
    if isinstance(value, tuple | list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from components(item)


def plain(value: Any, *, where: bool) -> Any:
    """A section as dicts, lists and scalars, defaults written out.

    Args:
        where: keep the fields marked `Where`; False gives what the config hash is made of.
    """
    if isinstance(value, ForeignComponent):
        return {"_target_": value.target, **value.arguments}
    if isinstance(value, Section):
        fields = {
            key: plain(getattr(value, key), where=where)
            for key, field in type(value).model_fields.items()
            if where or not says_where(field)
        }
        return {"_target_": value.public_path(), **fields} if isinstance(value, Component) else fields
    if isinstance(value, tuple | list):
        return [plain(item, where=where) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, where=where) for key, item in value.items()}
    return value


def _as_int(cls: type[BaseModel], key: str, value: Any) -> Any:
    field = cls.model_fields.get(key)
    if field is None or type(value) is not float or not value.is_integer():
        return value
    kinds = {field.annotation, *get_args(field.annotation)}
    return int(value) if int in kinds and float not in kinds else value
