"""Compare what two runs were made with besides recipe, data and code.

Packages, Python, other files that components read, device, precision, threads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from totalml.fingerprint import MOVES_NUMBERS
from totalml.identity import short

_NOT_SHOWN = ("digest", "packages")


@dataclass(frozen=True)
class FactChange:
    """Args:
    old, new: None where one side does not have it.
    moves_numbers: it counts for the digest, so a difference in results may come from it.
    """

    name: str
    old: Any
    new: Any
    moves_numbers: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def environment_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FactChange]:
    """Python, the platform, then package by package; what moves numbers comes first.

    Args:
        old, new: `environment` of two `run.json`.
    """
    changes = _changes(old["packages"], new["packages"])
    packages = [FactChange(name, before, after, name in MOVES_NUMBERS) for name, before, after in changes]
    return [*_facts(old, new), *sorted(packages, key=lambda package: not package.moves_numbers)]


def file_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FactChange]:
    """The files that components read besides the data, such as weights, by their digests.

    Args:
        old, new: `files` of two `run.json`.
    """
    changes = _changes(old.get("files", {}), new.get("files", {}))
    return [FactChange(name, _shortened(before), _shortened(after), True) for name, before, after in changes]


def execution_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FactChange]:
    """Args:
    old, new: `execution` of two `run.json`.
    """
    return _facts(old, new)


def _shortened(digest: str | None) -> str | None:
    return short(digest) if digest else None


def _facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FactChange]:
    sides = ({key: value for key, value in _flat(side) if key not in _NOT_SHOWN} for side in (old, new))
    return [FactChange(name, before, after, True) for name, before, after in _changes(*sides)]


def _flat(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`used.threads` for what stands one level down."""
    for name, value in facts.items():
        if isinstance(value, Mapping) and name not in _NOT_SHOWN:
            yield from ((f"{name}.{key}", item) for key, item in value.items())
        else:
            yield name, value


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = {**old, **new}
    return [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]
