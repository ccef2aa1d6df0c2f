"""The project a command works in, and where its runs and its store lie."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from totalml.errors import RecipeError
from totalml.recipe import Recipe, RuntimeRecipe
from totalml.store import Store, open_store
from totalml.url import is_url, local_folder

PARTS = ("conf", "recipes")  # what makes a folder a project


@dataclass(frozen=True)
class Place:
    """Args:
    project: the folder that holds conf/ and recipes/.
    runs, store: as `runtime.runs` and `runtime.store` of a recipe, below the project unless absolute.
    store_url: of the store, where `store` is the folder of this machine that stands before it.
    """

    project: Path
    runs: Path
    store: Path
    store_url: str | None = None

    def open_store(self) -> Store:
        """Raises: MissingExtraError: the package of a remote filesystem is not installed."""
        return open_store(self.store_url or str(self.store), str(self.store.parent))

    def recipes(self) -> list[str]:
        """The names of the recipe files, sorted."""
        return sorted(file.stem for file in (self.project / "recipes").glob("*.yaml"))


def find_project(start: Path) -> Path | None:
    """The project's folder at `start` or above it; its own code, `recipes.*`, can be imported from then on."""
    folder = start.absolute()
    found = next((each for each in (folder, *folder.parents) if all((each / part).is_dir() for part in PARTS)), None)
    if found is not None:
        sys.path[:] = [str(found), *(entry for entry in sys.path if entry != str(found))]  # before another project
    return found


def find_place(start: Path, runs: str | None = None, store: str | None = None) -> Place:
    """The project at `start` or above it, as `find_project`.

    Args:
        runs, store: as `runtime.runs` and `runtime.store`; None: the recipes' default. Of a URL, the folder of this
            machine that stands before it: commands read what runs have brought here.
    Raises: RecipeError: there is no project.
    """
    found = find_project(start)
    if found is None:
        raise RecipeError(
            f"command line: {start.absolute()} is in no project; change to a folder with conf/ and recipes/"
        )
    return place_at(found, runs, store)


def place_at(folder: Path, runs: str | None = None, store: str | None = None) -> Place:
    """As `find_place`, of a folder that need be no project."""
    default = RuntimeRecipe()
    cache = below(folder, default.cache)
    folders = (("runs", runs or default.runs), ("store", store or default.store))
    run_folder, store_folder = (local_folder(below(folder, at), role, cache).absolute() for role, at in folders)
    return Place(folder, run_folder, store_folder, store if store and is_url(store) else None)


def placed(recipe: Recipe, project: Path) -> Recipe:
    """The recipe with its store, runs and cache where they lie, whatever folder it is run from."""
    places = {key: below(project, getattr(recipe.runtime, key)) for key in ("store", "runs", "cache")}
    return recipe.model_copy(update={"runtime": recipe.runtime.model_copy(update=places)})


def below(project: Path, place: str) -> str:
    """A place of `runtime`: a URL, or a folder relative to the project.

    As it is written where the project is the current folder, so that what a run writes down names no machine.
    """
    return place if is_url(place) or Path.cwd() == project else str(project / place)
