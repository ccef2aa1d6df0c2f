"""A composed config as plain values, and what in it cannot be one.

A value that depends on the clock, the environment or `runtime` would make the same recipe mean something else
tomorrow or elsewhere, however it is spelt; so nothing of these is there while the *what* is resolved.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from omegaconf import DictConfig, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import OmegaConfBaseException

from totalml.validate import Mistake, dotted

WHERE_AND_HOW = "runtime"
UNREPEATABLE = ("now", "oc.env", "python_version", "hydra")

Path = tuple[str | int, ...]


def plain_values(config: DictConfig) -> tuple[dict[str, Any], list[Mistake]]:
    """Dicts, lists and scalars with interpolations resolved; what could not be resolved is None and a mistake."""
    config = config.copy()
    OmegaConf.set_struct(config, False)
    found = _without_value(OmegaConf.to_container(config, resolve=False), ())
    for mistake in found:
        OmegaConf.update(config, dotted(mistake.path), None)
    where = OmegaConf.create({WHERE_AND_HOW: config.pop(WHERE_AND_HOW, {})})
    plain = _resolved(where, found)
    with _no_clock_and_no_environment():
        plain |= _resolved(config, found)
    return plain, found


def _resolved(config: DictConfig, found: list[Mistake]) -> dict[str, Any]:
    while True:  # an interpolation that fails hides the next one
        try:
            plain = OmegaConf.to_container(config, resolve=True)
            return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
        except OmegaConfBaseException as error:
            key = str(error.full_key)
            reason = str(error).splitlines()[0].rpartition("resolving interpolation: ")[2]
            found.append(Mistake(_path(key), f"{key!r}: {reason}"))
            OmegaConf.update(config, key, None)


@contextmanager
def _no_clock_and_no_environment() -> Iterator[None]:
    kept = dict(BaseContainer._resolvers)
    for name in UNREPEATABLE:
        OmegaConf.register_new_resolver(name, _refusing(name), replace=True)
    try:
        yield
    finally:
        BaseContainer._resolvers.clear()
        BaseContainer._resolvers.update(kept)


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any) -> NoReturn:
        raise ValueError(f"depends on {name!r}; write the value itself")

    return refuse


def _without_value(value: Any, path: Path) -> list[Mistake]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _without_value(item, (*path, str(key)))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _without_value(item, (*path, index))]
    if value == "???":
        return [Mistake(path, f"{dotted(path)!r} has no value yet (???); set it, e.g. {dotted(path)}=...")]
    return []


def _path(full_key: str) -> Path:
    parts = full_key.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts if part)
