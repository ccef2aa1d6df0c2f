"""Where a value of a composed recipe was written: file and line, or the command line.

Only a report of mistakes asks, so the files are read again here rather than tracked while composing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

Key = str | int
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C where PyYAML was built with it


@dataclass(frozen=True, order=True)
class Place:
    """`recipes/x.yaml:8`, or the command line, which has no lines."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


COMMAND_LINE = Place("command line")


@dataclass(frozen=True)
class Layer:
    """One config file at its place in the merge order.

    Args:
        name: the file as shown, relative to the project.
        package: the keys below which its content lands.
        root: its YAML tree with marks.
    """

    name: str
    package: tuple[Key, ...]
    root: yaml.Node | None


@dataclass(frozen=True)
class Origins:
    """Args:
    layers: in merge order, the last one wins.
    overrides: keys of the command line's values.
    swept: those of them, dotted, that a sweep in one of the layers gives.
    """

    layers: Sequence[Layer]
    overrides: Sequence[tuple[str, ...]]
    swept: Collection[str] = ()

    def of(self, path: tuple[Key, ...]) -> Place:
        """For a missing key the nearest section around it, or the file merged last."""
        for override in self.overrides:
            # A swept section is laid over the one in a file, which was well by itself.
            below = ".".join(map(str, override)) in self.swept and path[: len(override)] == override
            if path and (override[: len(path)] == path or below or self._replaces_list(override, path)):
                return self._given(override)
        for length in range(len(path), -1, -1):
            if length and path[:length] in self.overrides:
                return self._given(path[:length])
            for layer in reversed(self.layers):
                line = _line(layer, path[:length])
                if line is not None:
                    return Place(layer.name, line)
        return Place(self.layers[-1].name, 1) if self.layers else COMMAND_LINE

    def over(self, layers: Sequence[Layer]) -> "Origins":
        """With further layers, which win."""
        return replace(self, layers=[*self.layers, *layers])

    def written(self, path: tuple[Key, ...]) -> Place | None:
        """Where this very key was written last; None for a default, which stands in code."""
        if path in self.overrides:
            return self._given(path)
        found = (Place(layer.name, line) for layer in reversed(self.layers) if (line := _line(layer, path)) is not None)
        return next(found, None)

    def swept_at(self, key: str) -> Place:
        """Where a sweep gives values to a key."""
        return self.written(("sweep", "parameters", key)) or COMMAND_LINE

    def _replaces_list(self, override: tuple[Key, ...], path: tuple[Key, ...]) -> bool:
        """Whether an item lies in a list that was given whole, and in no file that the item has for itself."""
        depth = len(override)
        inside = path[:depth] == override and len(path) > depth and isinstance(path[depth], int)
        own = (layer.package for layer in self.layers if len(layer.package) > depth)
        return inside and not any(path[: len(package)] == package for package in own)

    def _given(self, override: tuple[Key, ...]) -> Place:
        key = ".".join(map(str, override))
        return self.swept_at(key) if key in self.swept else COMMAND_LINE


def read_layer(name: str, file: Path, package: str) -> Layer:
    """Args:
    package: as Hydra gives it: dotted, empty for the top.
    """
    keys = tuple(key for key in package.split(".") if key and key != "_global_")
    return Layer(name, keys, yaml.compose(file.read_text(encoding="utf-8"), Loader=LOADER))


def default_line(root: yaml.Node | None, option: str) -> int:
    """The line of a file's defaults list that asks for `option`; 0 if it is not there."""
    for entry in _defaults(root):
        values = [value for _, value in entry.value] if isinstance(entry, yaml.MappingNode) else [entry]
        if any(value.value == option for value in values if isinstance(value, yaml.ScalarNode)):
            return int(entry.start_mark.line) + 1
    return 0


def parents(root: yaml.Node | None) -> list[str]:
    """The configs of its own group that a file inherits."""
    return [entry.value for entry in _defaults(root) if isinstance(entry, yaml.ScalarNode)]


def _defaults(root: yaml.Node | None) -> list[yaml.Node]:
    entries = _child(root, "defaults")
    return list(entries[1].value) if entries and isinstance(entries[1], yaml.SequenceNode) else []


def _line(layer: Layer, path: tuple[Key, ...]) -> int | None:
    """The line on which the key at `path` stands in this layer, None if it does not."""
    if path[: len(layer.package)] != layer.package or len(path) == len(layer.package) == 0:
        return None
    node, line = layer.root, 0
    for key in path[len(layer.package) :]:
        found = _child(node, key)
        if found is None:
            return None
        line, node = found
    return line + 1


def _child(node: Any, key: Key) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line, node.value[key]
    if isinstance(node, yaml.MappingNode):
        for name, value in reversed(node.value):
            if name.value == str(key):
                return name.start_mark.line, value
    return None
