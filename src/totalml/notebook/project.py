"""The project that a notebook works in: the one that it lies in, or the one that it names."""

from __future__ import annotations

import sys
from pathlib import Path

from totalml.errors import RecipeError
from totalml.project import find_project

CODE = "recipes"  # the package of every project's own code


def open_project(project: str | Path | None = None) -> Path:
    """The project's folder; its own code can be imported from then on.

    Args: project: a folder of it; None: the current one.
    Raises: RecipeError: there is no project, or this process has imported the code of another one.
    """
    start = Path.cwd() if project is None else Path(project).expanduser().absolute()
    if not start.is_dir():
        raise RecipeError(f"project={str(project)!r} is no folder (seen from {Path.cwd()})")
    found = find_project(start)
    if found is None:
        raise RecipeError(f"{start} is in no project; give project=, the folder that holds conf/ and recipes/")
    _refuse_two_codes(found.resolve())
    return found


def _refuse_two_codes(project: Path) -> None:
    """Python keeps one package `recipes`, so the code of a second project would silently be that of the first."""
    imported = sys.modules.get(CODE)
    homes = [Path(path).resolve().parent for path in imported.__path__] if imported else []
    own = any(project.glob(f"{CODE}/*/*.py"))
    if own and homes and homes[0] != project:
        raise RecipeError(
            f"this process has imported {CODE}/ of the project {homes[0]}, and can import one such package only; "
            f"restart the kernel to work in {project}"
        )
