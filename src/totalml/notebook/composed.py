"""`totalml.compose`: a recipe's name and overrides -> a validated recipe that knows the command line it stands for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr

from totalml.errors import RecipeError
from totalml.identity import config_hash
from totalml.notebook.project import open_project
from totalml.recipe import Recipe, what
from totalml.runs.stored import recipe_text

_ONE_AT_A_TIME = threading.RLock()  # Hydra's state is that of the process


class ComposedRecipe(Recipe):
    """A recipe with the project and the command line that it stands for; a notebook shows it as YAML."""

    _project: Path = PrivateAttr()
    _command: tuple[str, ...] = PrivateAttr()
    _config_hash: str = PrivateAttr()

    @classmethod
    def of(cls, recipe: Recipe, project: Path, command: Sequence[str]) -> Self:
        """Args: command: as `sys.argv` would be."""
        composed = cls.model_construct(**{name: getattr(recipe, name) for name in Recipe.model_fields})
        composed._project, composed._command = project, tuple(command)
        composed._config_hash = config_hash(what(recipe))
        return composed

    @property
    def project(self) -> Path:
        return self._project

    @property
    def command(self) -> tuple[str, ...]:
        return self._command

    @property
    def is_as_composed(self) -> bool:
        """False where somebody changed a copy, which nothing validates."""
        return config_hash(what(self)) == self._config_hash

    def __repr__(self) -> str:
        return recipe_text(self)


def compose(recipe: str, *overrides: str, project: str | Path | None = None) -> ComposedRecipe:
    """The recipe that `python run.py +recipe=NAME OVERRIDES` would run.

    Args:
        recipe: the name of a file in recipes/, such as `guinness`.
        overrides: as on the command line, such as `training.epochs=5` or `model=torchvision`.
        project: a folder of the project; None: the current one.
    Raises: RecipeError: with all mistakes.
    """
    folder = open_project(project)
    arguments = [f"+recipe={recipe}", *overrides]
    if flags := [argument for argument in overrides if argument.startswith("-")]:
        raise RecipeError(f"command line: {', '.join(flags)} is for run.py; give overrides such as training.epochs=5")
    from totalml.compose import compose_recipe

    with _hydra_for_us():
        return ComposedRecipe.of(compose_recipe(folder, arguments), folder, ["run.py", *arguments])


@contextmanager
def _hydra_for_us() -> Iterator[None]:
    """Whatever else this process does with Hydra is put aside, and is as it was afterwards."""
    from totalml.compose.apart import hydra_apart

    with _ONE_AT_A_TIME, hydra_apart():
        try:
            yield
        except RecipeError as error:
            # IPython shows the whole traceback of what an ExceptionGroup led to, instead of the message.
            error.__context__ = None
            raise
