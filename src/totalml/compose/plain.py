"""A composed config as plain values, and what in it cannot be one.

A value that depends on the clock or the environment would make the same recipe mean something else tomorrow.
"""

import re
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from totalml.validate import Mistake, dotted

UNREPEATABLE = re.compile(r"\$\{\s*(now|oc\.env)\s*:")
WHERE_AND_HOW = ("runtime",)

Path = tuple[str | int, ...]


def plain_values(config: DictConfig) -> tuple[dict[str, Any], list[Mistake]]:
    """Dicts, lists and scalars with interpolations resolved; what could not be resolved is None and a mistake."""
    found = _unusable(OmegaConf.to_container(config, resolve=False), ())
    config = config.copy()
    OmegaConf.set_struct(config, False)
    for mistake in found:
        OmegaConf.update(config, dotted(mistake.path), None)
    while True:  # an interpolation that fails hides the next one
        try:
            return _resolved(config), found
        except OmegaConfBaseException as error:
            key = str(error.full_key)
            found.append(Mistake(_path(key), f"{key!r}: {str(error).splitlines()[0]}"))
            OmegaConf.update(config, key, None)


def _resolved(config: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(config, resolve=True)
    return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}


def _unusable(value: Any, path: Path) -> list[Mistake]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _unusable(item, (*path, str(key)))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _unusable(item, (*path, index))]
    if not isinstance(value, str):
        return []
    key = dotted(path)
    if value == "???":
        return [Mistake(path, f"{key!r} has no value yet (???); set it, e.g. {key}=...")]
    if (match := UNREPEATABLE.search(value)) and path[0] not in WHERE_AND_HOW:
        return [Mistake(path, f"{key!r} depends on {match.group(1)!r}; write the value itself")]
    return []


def _path(full_key: str) -> Path:
    parts = full_key.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts if part)
