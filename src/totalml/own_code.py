"""The source files that a run executes: those of totalml, and of the recipe's own code wherever that is imported from.

Import statements are read, not executed, because many stand inside functions. One that is only mentioned, in a comment
say, counts too: a file too many costs time, a file too few would let a result be reused wrongly.
"""

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from totalml.store.stat_cache import FileState, is_settled, state_of

SUFFIX = ".py"  # of the files that count
OURS, RECIPES = "totalml", "recipes"
HOME = Path(__file__).parent
# Package -> file below its folder -> content; a module without a folder stands as a package of one file.
Sources = dict[str, dict[str, bytes]]
_READ: dict[str, tuple[FileState, bytes]] = {}  # path -> content, and the state in which it was read

_FROM = re.compile(rb"\bfrom\s+(\.*)\s*([\w.]*)\s+import\s*(\([^)]*\)|[^\n;]*)")
_IMPORT = re.compile(rb"\bimport\s+([\w., \t]+)")
_QUOTED = re.compile(rb"[\"'](recipes\.[\w.]+)[\"']")  # importlib.import_module("recipes.other")
_WORD = re.compile(rb"[\w.]+")


def recipe_packages(value: Any) -> set[str]:
    """`recipes.guinness` for every `recipes.guinness.source.PintSource` in plain values of a recipe."""
    if isinstance(value, dict):
        target = str(value.get("_target_", ""))
        own = {_package(target)} if target.startswith(f"{RECIPES}.") else set()
        return own.union(*map(recipe_packages, value.values()))
    if isinstance(value, list):
        return set().union(*map(recipe_packages, value))
    return set()


def sources_of(value: Any) -> Sources:
    """What plain values of a recipe execute, as it lies on disk now: totalml, and the recipe's own."""
    return {OURS: python_files(HOME), **own_sources(value)}


def own_sources(value: Any) -> Sources:
    """The packages of recipes/ that plain values name, with what these import."""
    return imported_sources(_project(), recipe_packages(value))


def imported_sources(project: Path, packages: Iterable[str]) -> Sources:
    """Packages below the project's folder with all those there that they import, directly or through others."""
    found: Sources = {}
    waiting = sorted(packages)
    while waiting:
        parts = (package := waiting.pop()).split(".")
        if package in {OURS, *found} or not all(part.isidentifier() for part in parts):
            continue
        if not (files := python_files(project.joinpath(*parts))):
            continue
        found[package] = files
        waiting += set().union(*(_imported(package, file, content) for file, content in files.items()))
    return {package: found[package] for package in sorted(found)}


def _project() -> Path:
    """The folder that the package `recipes` was imported from; wherever Python starts, if it was not yet."""
    module = sys.modules.get(RECIPES)
    places = list(module.__path__) if module else []
    return Path(places[0]).absolute().parent if places else Path.cwd()


def python_files(place: Path) -> dict[str, bytes]:
    """Of a package's folder, or of the module of that name; empty if there is neither."""
    module = place.with_name(f"{place.name}.py")
    files = {"__init__.py": module.read_bytes()} if module.is_file() else {}
    return files | {name: _content(f"{place}/{name}") for name in sorted(_names(str(place)))}


def _content(path: str) -> bytes:
    """Read again where its state shows a change, for a run asks eight times.

    By texts here and below, because a Path for each of 900 files takes longer than reading them.
    """
    state = state_of(os.stat(path))  # noqa: PTH116
    if path in _READ and _READ[path][0] == state:
        return _READ[path][1]
    read_ns = time.time_ns()
    with open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    if is_settled(state, read_ns):
        _READ[path] = state, content
    return content


def _names(root: str) -> Iterator[str]:
    """Of all Python files below a folder."""
    for folder, _, names in os.walk(root):
        below = folder[len(root) + 1 :].replace(os.sep, "/")
        yield from (f"{below}/{name}" if below else name for name in names if name.endswith(SUFFIX))


def _package(name: str) -> str:
    """`recipes.a` for `recipes.a.b`, and `a` for any other `a.b`."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == RECIPES else 1])


@lru_cache(maxsize=4096)  # the same files are asked for the data, the run and its end
def _imported(package: str, file: str, content: bytes) -> frozenset[str]:
    return frozenset(map(_package, _imports(package, file, content)))


def _imports(package: str, file: str, content: bytes) -> Iterator[str]:
    """Dotted names that a file may import."""
    text = content.replace(b"\\\n", b" ")
    above = [*package.split("."), *file.split("/")[:-1]]
    for dots, module, names in _FROM.findall(text):
        # A module without a folder, recipes/a.py, stands as recipes/a/__init__.py: a dot may mean one folder more.
        ups = (len(dots) - 1, len(dots)) if dots else (len(above),)
        for up, name in product(ups, _WORD.findall(names) or [b""]):
            yield ".".join([*above[: max(0, len(above) - up)], *filter(None, (module.decode(), name.decode()))])
    for names in _IMPORT.findall(_FROM.sub(b"", text)):
        yield from (name.decode() for name in _WORD.findall(names))
    yield from (name.decode() for name in _QUOTED.findall(text))
