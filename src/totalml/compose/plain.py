"""A composed config as plain values, and what in it cannot be one.

A value that depends on the clock, the environment or `runtime` would make the same recipe mean something else
tomorrow or elsewhere. So an interpolation can point at another key and at nothing else, and no resolver of OmegaConf is
ever called; `runtime`, which says where and how, may also ask for an environment variable.
"""

import os
import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from totalml.validate import Mistake, Path, dotted

WHERE_AND_HOW = "runtime"
MAX_EXPANSION = 100_000  # characters and keys that interpolations may add
MAX_CHAIN = 16  # interpolations that point at each other

_INTERPOLATION = re.compile(r"\\\$\{|\$\{([^{}]*)\}")  # a backslash before it makes it a text
_KEY = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\[\w+\])*", re.ASCII)
_VARIABLE = re.compile(r"oc\.env:(\w+)(?:,(.*))?", re.ASCII)


def plain_values(config: DictConfig) -> tuple[dict[str, Any], list[Mistake]]:
    """Dicts, lists and scalars with interpolations resolved; what could not be resolved is None and a mistake."""
    written: dict[Any, Any] = OmegaConf.to_container(config, resolve=False)  # type: ignore[assignment]
    where = {key: written.pop(key) for key in [WHERE_AND_HOW] if key in written}
    resolved = [_Resolution(where), _Resolution(written)]
    plain = {str(key): value for each in resolved for key, value in each.values().items()}
    return plain, [mistake for each in resolved for mistake in each.mistakes]


class _Unresolved(ValueError):
    """Why an interpolation has no value."""


class _Resolution:
    """Args:
    written: what interpolations may point at.
    """

    def __init__(self, written: dict[Any, Any]) -> None:
        self._written = written
        self._left = MAX_EXPANSION
        self.mistakes: list[Mistake] = []

    def values(self) -> dict[Any, Any]:
        return {key: self._plain(value, (key,)) for key, value in self._written.items()}

    def _plain(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain(item, (*path, index)) for index, item in enumerate(value)]
        if value == "???":
            self.mistakes.append(Mistake(path, _left_open(path)))
            return None
        try:
            return self._resolved(value, path[:1], ())
        except _Unresolved as error:
            self.mistakes.append(Mistake(path, f"{dotted(path)!r}: {error}"))
            return None

    def _resolved(self, value: Any, top: Path, seen: tuple[str, ...]) -> Any:
        """Args: seen: the interpolations that led here."""
        if isinstance(value, dict):
            return {key: self._resolved(item, top, seen) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item, top, seen) for item in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        if whole := _INTERPOLATION.fullmatch(value):
            return self._meant(whole[1], top, seen) if whole[1] is not None else "${"
        if "${" in _INTERPOLATION.sub("", value):
            raise _Unresolved(f"depends on an interpolation inside another, {value!r}; write the value itself")
        return _INTERPOLATION.sub(lambda part: "${" if part[1] is None else self._text(part[1], top, seen), value)

    def _meant(self, reference: str, top: Path, seen: tuple[str, ...]) -> Any:
        reference = reference.strip()
        if top == (WHERE_AND_HOW,) and (variable := _VARIABLE.fullmatch(reference)):
            return _environment(*variable.groups())
        if ":" in reference:
            raise _Unresolved(f"depends on {reference.partition(':')[0]!r}; write the value itself")
        if not _KEY.fullmatch(reference):
            raise _Unresolved(f"{reference!r} is no key; write it from the top, e.g. ${{training.epochs}}")
        if reference in seen or len(seen) >= MAX_CHAIN:
            raise _Unresolved(f"interpolations lead in a circle or on and on: {', '.join((*seen, reference))}")
        found = self._at(reference)
        self._left -= _size(found) if self._left > 0 else 0  # once is enough to see that it is too much
        if self._left <= 0:
            raise _Unresolved(f"interpolations make more than {MAX_EXPANSION} characters; write the values themselves")
        return self._resolved(found, top, (*seen, reference))

    def _text(self, reference: str, top: Path, seen: tuple[str, ...]) -> str:
        found = self._meant(reference, top, seen)
        if isinstance(found, dict | list):
            raise _Unresolved(f"{reference!r} is a section, which cannot stand in a text")
        return str(found)

    def _at(self, reference: str) -> Any:
        value: Any = self._written
        for key in re.findall(r"\w+", reference):
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise _Unresolved(f"Interpolation key {reference!r} not found")
        if value == "???":
            raise _Unresolved(f"{reference!r} has no value yet")
        return value


def _left_open(path: Path) -> str:
    name = dotted(path)
    if not all(isinstance(key, int) or key.isidentifier() for key in path):  # the command line could not name it
        return f"{name!r} has no value (???)"
    return f"{name!r} has no value yet (???); set it, e.g. {name}=..."


def _environment(name: str, default: str | None) -> str:
    value = os.environ.get(name, default and default.strip())
    if value is None:
        raise _Unresolved(f"there is no environment variable {name!r}")
    return value


def _size(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + sum(map(_size, value.values() if isinstance(value, dict) else value))
    return len(value) if isinstance(value, str) else 1
