"""One YAML file of conf/ or recipes/, held to what a reviewer can read off it: plain keys and values in their place.

Hydra creates whatever its own settings name, before anything of a recipe is validated. So nothing in a recipe, or in a
group of conf/, may reach them; and nothing in a file may stand for something else that is written elsewhere.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf._utils import get_yaml_loader
from omegaconf.errors import OmegaConfBaseException

from totalml.compose.origins import LOADER, Origins, Place, read_layer
from totalml.errors import RecipeError

HYDRA = "hydra"
MAX_BYTES = 200_000
MAX_INTERPOLATED = 1000  # characters: OmegaConf takes minutes to look through a long one
MAX_DEPTH = 32  # of lists and sections in each other

_OPTION = re.compile(r"[\w-]+", re.ASCII)
_GROUP = re.compile(r"(?:override |optional )*/?([\w-]+)", re.ASCII)
_OPENS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSES = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def read_config(file: Path, name: str) -> DictConfig:
    """Args:
        name: the file as shown.
    Raises: RecipeError: it is no YAML mapping in UTF-8, or holds what says more than it shows.
    """
    try:
        text = _text(file, name)
        _refuse_what_is_not_plain(text, name)
        config = deepcopy(_config(text))  # Hydra takes the defaults list out of what it is given
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(f"{name}:{line}: not valid YAML: {error.problem}") from error
    except OSError as error:
        raise RecipeError(f"{name}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, OmegaConfBaseException, AssertionError) as error:
        raise RecipeError(f"{name}:1: not a YAML file in UTF-8: {error}") from error
    if not isinstance(config, DictConfig):
        raise RecipeError(f"{name}:1: expected a mapping of keys to values, got a list")
    return config


def refuse_hydra(config: DictConfig, file: Path, name: str, own_keys: bool) -> None:
    """Args:
        own_keys: the keys of the file are those of the whole config; else they lie below its group.
    Raises: RecipeError: the file, or its defaults list, reaches into Hydra's own settings.
    """
    wrong = [*_wrong_defaults(config)]
    if own_keys and HYDRA in config:
        mend = "say how to run on the command line, e.g. hydra/launcher=joblib"
        wrong.append(((HYDRA,), f"unknown key {HYDRA!r}; {mend}"))
    if wrong:
        origins = Origins([read_layer(name, file, "")], [])
        raise RecipeError(*(f"{origins.written(path) or Place(name, 1)}: {problem}" for path, problem in wrong))


def _text(file: Path, name: str) -> str:
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise RecipeError(f"{name}:1: longer than {MAX_BYTES} bytes; a recipe holds no data")
    return content.decode("utf-8")


@lru_cache
def _config(text: str) -> Any:
    """Not to be changed. Jobs of a sweep read the same files; to make a config of one takes twice as long as a copy."""
    return OmegaConf.create(_values(text))


def _values(text: str) -> Any:
    """What OmegaConf reads in a text; it would take ten times as long by the parser in Python."""
    values = yaml.load(text, Loader=_loader())  # noqa: S506 - a safe loader, of which OmegaConf's is one
    if isinstance(values, str):
        return {values: None}
    return {} if values is None else values


@cache
def _loader() -> Any:
    """OmegaConf's own rules for what a scalar means and which keys clash, behind the parser in C."""
    rules = get_yaml_loader()
    return type("Loader", (LOADER, rules), {}) if LOADER is not yaml.SafeLoader else rules


def _refuse_what_is_not_plain(text: str, name: str) -> None:
    """Raises: RecipeError, and whatever YAML raises."""
    depth, wrong = 0, []
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        problem = "lies too deep" if depth > MAX_DEPTH else _not_plain(event)
        if problem:
            wrong.append(f"{name}:{event.start_mark.line + 1}: {problem}")
        if depth > MAX_DEPTH:
            break
    if wrong:
        raise RecipeError(*wrong)


def _not_plain(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return f"*{event.anchor} repeats what stands elsewhere; write it out, or inherit it by 'defaults'"
    if getattr(event, "anchor", None):
        return f"&{event.anchor} marks a value for repetition; write it out where it counts, or inherit it"
    if getattr(event, "tag", None):
        return f"the tag {event.tag!r} is not allowed; write a plain value, in quotes if it is a text"
    if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
        return "the merge key << is not allowed; write the keys out, or inherit them by 'defaults'"
    if isinstance(event, yaml.ScalarEvent) and "${" in event.value and len(event.value) > MAX_INTERPOLATED:
        return f"an interpolation in a text of more than {MAX_INTERPOLATED} characters; write the value itself"
    return None


def _wrong_defaults(config: DictConfig) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Path in the file and what is wrong there."""
    defaults = dict(OmegaConf.to_container(config)).get("defaults", [])  # type: ignore[arg-type]
    if not isinstance(defaults, list):
        defaults = [None]
    for place, entry in enumerate(defaults):
        if not isinstance(entry, str | dict):
            wanted = "a list such as [guinness, override /model: mlp, _self_]"
            yield ("defaults", place), f"'defaults' should be {wanted}"
        elif not _is_plain_default(entry):
            problem = "may name a file beside this one, or an option of a group in conf/, and never hydra"
            yield ("defaults", place), f"'defaults' {problem}; got {entry!r}"


def _is_plain_default(entry: str | dict[Any, Any]) -> bool:
    if isinstance(entry, str):
        return _OPTION.fullmatch(entry) is not None
    if len(entry) != 1:
        return False
    ((key, option),) = entry.items()
    group = _GROUP.fullmatch(str(key))
    options = option if isinstance(option, list) else [option]
    named = all(each is None or (isinstance(each, str) and _OPTION.fullmatch(each)) for each in options)
    return named and group is not None and group[1] != HYDRA
