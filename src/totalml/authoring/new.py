"""Start a recipe: recipes/<name>.yaml with its lab card, recipes/<name>/README.md, and a test with its golden file.

The first one of a project also writes team.yaml, which says who does what.

  totalml recipe new my_pints --from guinness --question "Does a larger network see more?"
  totalml recipe new my_photos                     your photos, in one folder per class

Nothing that is there is overwritten. What it writes passes `totalml recipe check` and its own test at once.
"""

from __future__ import annotations

import argparse
import keyword
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.authoring.scaffold import Plan, card_text, recipe_text, team_text, test_text
from totalml.errors import RecipeError
from totalml.recipe.bounds import NAME
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.comparison.composed import Composed
    from totalml.project import Place

LONGEST_QUESTION = 90  # characters; it is one line of the lab card


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="lower case letters, digits and _, e.g. my_pints")
    parser.add_argument("--from", dest="parent", metavar="RECIPE", help="the recipe to inherit")
    parser.add_argument("--question", help="what the experiment asks, in one sentence")


def run(arguments: argparse.Namespace, place: Place) -> int:
    plan, composed = _planned(arguments, place)
    files = _files(plan, composed) | _team(place.project)
    _write_all(place.project, files)
    print("wrote", *files, sep="\n  ")
    print(f"next: set its keys, run it with\n  {plan.command}\nand put what it reached in its header and its card")
    return 0


def _planned(arguments: argparse.Namespace, place: Place) -> tuple[Plan, Composed]:
    name, parent = arguments.name, arguments.parent
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        rule = "at most 64 lower case letters, digits and _, a letter first, and no word of Python"
        raise RecipeError(f"command line: {name!r} cannot be a recipe's name; it needs {rule}")
    if parent is not None and parent not in place.recipes():
        hint = did_you_mean(parent, place.recipes()) or f"; there are: {', '.join(place.recipes())}"
        raise RecipeError(f"command line: there is no recipe {parent!r} to inherit{hint}")
    question = arguments.question or f"What does {name} ask?"
    if len(question) > LONGEST_QUESTION or not question.isprintable():
        raise RecipeError(f"command line: --question is one line of at most {LONGEST_QUESTION} characters")
    first = Plan(name, question, parent)
    composed = _composed_aside(first, place)
    plan = Plan(name, question, parent, composed.needs, bool(composed.values and composed.values["smoke"]))
    return plan, _composed_aside(plan, place)


def _composed_aside(plan: Plan, place: Place) -> Composed:
    """The new recipe as it will compose, without touching the project.

    Raises: RecipeError: the recipe to inherit has mistakes.
    """
    from totalml.comparison.composed import compose_one

    with tempfile.TemporaryDirectory(prefix="totalml-new-") as folder:
        aside = Path(folder)
        shutil.copytree(place.project / "conf", aside / "conf")
        (aside / "recipes").mkdir()
        for file in (place.project / "recipes").glob("*.yaml"):
            shutil.copy(file, aside / "recipes")
        (aside / "recipes" / f"{plan.name}.yaml").write_text(recipe_text(plan), encoding="utf-8")
        composed = compose_one(aside, plan.name)
    if composed.values is None:
        raise RecipeError(*composed.mistakes or [f"{plan.parent} cannot be composed without {composed.needs}"])
    return composed


def _files(plan: Plan, composed: Composed) -> dict[str, str]:
    """Path below the project -> text."""
    from totalml.authoring.golden import composed_name, composed_text

    tests = f"tests/recipes/test_{plan.name}"
    return {
        f"recipes/{plan.name}.yaml": recipe_text(plan),
        f"recipes/{plan.name}/README.md": card_text(plan),
        f"{tests}.py": test_text(plan),
        f"{tests}/{composed_name(plan.name)}.yml": composed_text(composed),
    }


def _team(project: Path) -> dict[str, str]:
    """Nothing where there is one."""
    from totalml.machine import user
    from totalml.team import TEAM_FILE

    file = project / TEAM_FILE
    return {} if file.exists() or file.is_symlink() else {TEAM_FILE: team_text(user())}


def _write_all(project: Path, files: Mapping[str, str]) -> None:
    """All of them, or none and no folder either.

    Raises: RecipeError: one is there already. StoreError: one cannot be written.
    """
    from totalml.store.atomic import write_atomically

    if there := [name for name in files if (project / name).exists()]:
        raise RecipeError(f"command line: {', '.join(there)} is there already; nothing was written, take another name")
    folders = {folder for name in files for folder in (project / name).parents if not folder.exists()}
    written: list[Path] = []
    try:
        for name, text in files.items():
            write_atomically(project / name, text.encode())
            written.append(project / name)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise
