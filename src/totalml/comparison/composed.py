"""Compose all recipes of a folder, in a process of its own where another revision's code is to do it.

This file is also run as a script with an older totalml on the path, so it uses nothing of ours but what composing has
had from the start.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

GIVEN = "given_on_the_command_line"  # stands for a value that a recipe leaves to the command line
# From the start of the line: further on it quotes what the recipe says.
_NEEDS = re.compile(r"(?:command line|[^:]+:\d+): '([\w.\[\]]+)' has no value yet \(\?\?\?\)")


@dataclass(frozen=True)
class Composed:
    """A recipe as composed, or why it cannot be.

    Args:
        values: plain values, defaults written out.
        what: the part of them that counts for the config hash.
        config_hash: None where a value that counts is left to the command line.
        data_hash: the pin, if any.
        needs: keys whose value the command line must give; GIVEN stands there.
        mistakes: lines with file and line; nothing else is set then.
    """

    values: dict[str, Any] | None = None
    what: dict[str, Any] | None = None
    config_hash: str | None = None
    data_hash: str | None = None
    needs: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


def compose_one(project: Path, name: str, overrides: Sequence[str] = ()) -> Composed:
    """A recipe of a project by its name; mistakes are returned, not raised."""
    from totalml.compose import compose_recipe
    from totalml.errors import RecipeError

    asked = [f"+recipe={name}", *overrides]
    try:
        return _described(compose_recipe(project, asked), ())
    except RecipeError as error:
        lines = str(error).splitlines()
    needs = tuple(found.group(1) for line in lines if (found := _NEEDS.match(line)))
    if not needs:
        return Composed(mistakes=tuple(lines))
    try:
        return _described(compose_recipe(project, [*asked, *(f"{key}={GIVEN}" for key in needs)]), needs)
    except RecipeError as error:
        # Where a number is needed, the stand-in is a mistake of ours and not of the recipe.
        ours = [line for line in str(error).splitlines() if line.startswith("command line: ") and GIVEN in line]
        real = tuple(line for line in str(error).splitlines() if line not in ours)
        return Composed(needs=needs, mistakes=real)


def compose_all(project: Path, names: Sequence[str] | None = None) -> dict[str, Composed]:
    """Every recipe of a project, or those named, by name."""
    found = sorted(file.stem for file in (project / "recipes").glob("*.yaml")) if names is None else names
    return {name: compose_one(project, name) for name in found}


def real_mistakes(lines: Sequence[str]) -> list[str]:
    """Those that are more than a value left to the command line."""
    return [line for line in lines if not _NEEDS.match(line)]


def read(text: str) -> dict[str, Composed]:
    """What the script printed last; a recipe's own code may print something before."""
    entries = json.loads((text.splitlines() or [""])[-1])
    lists = ("needs", "mistakes")
    return {name: Composed(**{**entry, **{key: tuple(entry[key]) for key in lists}}) for name, entry in entries.items()}


def _described(recipe: Any, needs: tuple[str, ...]) -> Composed:
    from totalml.component import plain
    from totalml.identity import config_hash
    from totalml.recipe import what

    values, counted = plain(recipe, where=True), what(recipe)
    known = GIVEN not in json.dumps(counted)
    return Composed(values, counted, config_hash(counted) if known else None, recipe.data.snapshot, needs)


def _script(project: str, *paths: str) -> None:
    """Args:
    project: a folder with conf/ and recipes/.
    paths: where code is looked for first.
    """
    sys.path[:0] = paths
    print(json.dumps({name: asdict(found) for name, found in compose_all(Path(project)).items()}))


if __name__ == "__main__":
    _script(*sys.argv[1:])
