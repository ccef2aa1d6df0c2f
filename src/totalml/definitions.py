"""Find a class or function of an installed package by reading its source, importing nothing.

Importing torch to learn that `torch.optim.AdamW` is there would cost two seconds; parsing its file costs two
milliseconds.
"""

import ast
import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

Definition = ast.ClassDef | ast.FunctionDef
MAX_HOPS = 12  # re-exports followed before giving up
# Above every component stands pydantic alone, whose files take longer to parse than all others together.
SECTION = ["totalml", "component", "Section"]


def defined_at(path: str) -> str | None:
    """The dotted path of a class where it is written, past all re-exports; None: it is no class, or not there."""
    found = find(path.split("."))
    return ".".join([*found[1], found[0].name]) if found and isinstance(found[0], ast.ClassDef) else None


def descends_from(path: str, base: str) -> bool:
    """Whether a class is `base`, given where it is written, or a subclass of it."""
    return _descends(path.split("."), base.split("."), MAX_HOPS)


def _descends(parts: list[str], base: list[str], hops: int) -> bool:
    if parts in (base, SECTION) or hops == 0:
        return parts == base
    bound = bound_at(parts)
    if isinstance(bound, ast.ClassDef):
        bound = [place for name in bases_of(bound) for place in _meant(name, parts[:-1])]
    return not isinstance(bound, Definition) and any(_descends(place, base, hops - 1) for place in bound)


def _meant(name: list[str], module: list[str]) -> list[list[str]]:
    """Where a dotted name of a module may be defined: in it, or behind its `import lightning.pytorch as pl`."""
    places = [[*module, *name]]
    file = _module_file(module)
    imports = [node for node in _statements(_parse(file).body) if isinstance(node, ast.Import)] if file else []
    for alias in (alias for node in imports for alias in node.names):
        called, stands_for = (alias.asname or alias.name).split("."), alias.name.split(".")
        if len(name) > len(called) and name[: len(called)] == called:
            places.append([*stands_for, *name[len(called) :]])
    return places


def bases_of(node: ast.ClassDef) -> list[list[str]]:
    """The names of the classes that it is written to descend from, as they read in its module."""
    return [ast.unparse(base).split("[")[0].split(".") for base in node.bases]


def names_in(path: str) -> tuple[str, ...]:
    """The public names that the module at a dotted path defines or re-exports."""
    module = _module_file(path.split("."))
    return tuple(sorted({name for name, _ in _bindings(module)})) if module else ()


@lru_cache(maxsize=64)
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _module_file(parts: list[str]) -> Path | None:
    spec = importlib.util.find_spec(parts[0])  # a top-level name: finding it runs none of its code
    if spec is None or not spec.submodule_search_locations:
        return None
    base = Path(spec.submodule_search_locations[0], *parts[1:])
    return next((file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()), None)


def find(parts: list[str], hops: int = MAX_HOPS) -> tuple[Definition, list[str]] | None:
    """The definition and the dotted module that holds it."""
    if hops == 0:
        return None
    bound = bound_at(parts)
    if isinstance(bound, Definition):
        return bound, parts[:-1]
    return next((found for place in bound if (found := find(place, hops - 1))), None)


def bound_at(parts: list[str]) -> Definition | list[list[str]]:
    """What the last part means in its module: a definition, or the places it may be imported from; none: nothing."""
    module, name = parts[:-1], parts[-1]
    file = _module_file(module) if module else None
    if file is None:
        return []
    stars: list[list[str]] = []
    for bound, node in _bindings(file):
        if bound == "*" and isinstance(node, ast.ImportFrom):
            stars.append([*_absolute(node, module, file), name])
        if bound != name:
            continue
        if isinstance(node, Definition):
            return node
        if isinstance(node, ast.ImportFrom):
            original = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
            return [[*_absolute(node, module, file), original]]
    return stars


def _bindings(file: Path) -> Iterator[tuple[str, ast.stmt]]:
    for node in _statements(_parse(file).body):
        if isinstance(node, Definition):
            yield node.name, node
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, also those inside if and try, the last definition of a name first."""
    for node in reversed(body):
        if isinstance(node, ast.If):
            yield from _statements(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from _statements(node.body)
        else:
            yield node


def _absolute(node: ast.ImportFrom, module: list[str], file: Path) -> list[str]:
    """The module that a `from ... import` means, seen from `module`."""
    named = node.module.split(".") if node.module else []
    if node.level == 0:
        return named
    package = module if file.name == "__init__.py" else module[:-1]
    return package[: len(package) - node.level + 1] + named
