"""`totalml.run`: a composed recipe through its life, as `python run.py` would take it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from totalml.errors import GateError, Interrupted, RecipeError
from totalml.notebook.composed import ComposedRecipe
from totalml.notebook.finished_run import Run
from totalml.notebook.project import open_project
from totalml.project import Place
from totalml.recipe import RuntimeRecipe
from totalml.runs.find import find_run
from totalml.url import is_url, local_folder


def run(recipe: ComposedRecipe) -> Run:
    """Run a recipe, or find its finished run; continue what was interrupted.

    A run that did not pass its gates is returned like any other: it is whole, and `releasable` is False.

    Raises:
        Interrupted: the kernel was interrupted; the same call goes on.
        TotalmlError: see `totalml.errors`; whatever was done until then is kept and continued by the next call.
    """
    _refuse(recipe)
    from totalml import runner

    open_project(recipe.project)
    with _as_run_py(recipe):
        try:
            folder = runner.run(recipe)
        except GateError as error:
            folder = error.folder
        except KeyboardInterrupt:
            raise Interrupted("interrupted; the same call goes on") from None
        place = _place(recipe.project, recipe.runtime)
        return Run(find_run(str(folder.absolute()), place.runs), place)


@contextmanager
def _as_run_py(recipe: ComposedRecipe) -> Iterator[None]:
    """The folder and the command line of the process as the recipe's command would have them; the run records both."""
    arguments = sys.argv
    sys.argv = [*recipe.command]
    try:
        with chdir(recipe.project):
            yield
    finally:
        sys.argv = arguments


def _place(project: Path, runtime: RuntimeRecipe) -> Place:
    folders = {role: local_folder(getattr(runtime, role), role, runtime.cache).absolute() for role in ("runs", "store")}
    return Place(project, **folders, store_url=runtime.store if is_url(runtime.store) else None)


def _refuse(recipe: ComposedRecipe) -> None:
    if not isinstance(recipe, ComposedRecipe):
        raise RecipeError(f"run takes what compose gives, as in run(compose('guinness')); got {type(recipe).__name__}")
    if not recipe.is_as_composed:
        raise RecipeError(
            f"this recipe {recipe.name!r} was changed after it was composed, and nothing has checked the change; "
            "give it to compose instead, as in compose('guinness', 'training.epochs=5')"
        )
    if recipe.sweep is not None:
        command = " ".join(["python", *recipe.command])
        raise RecipeError(f"{recipe.name!r} carries a sweep; run it by: {command}, or compose it with 'sweep=null'")
    if threading.current_thread() is not threading.main_thread():
        # Folder, command line, random state and Ctrl-C are those of the whole process.
        raise RecipeError("a run takes the whole process; call run from the main thread, or start python run.py")
