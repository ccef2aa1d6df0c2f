"""Read `team.yaml`, or say every mistake in it with its line."""

from __future__ import annotations

from pathlib import Path

from totalml.compose.section_file import read_section
from totalml.team.team import TeamFile

TEAM_FILE = "team.yaml"


def read_team(project: Path) -> TeamFile | None:
    """None: the project has no such file, and everybody may do everything.

    Raises: RecipeError: it is no plain YAML, or says what does not fit; all mistakes at once.
    """
    file = project / TEAM_FILE
    if not (file.exists() or file.is_symlink()):  # a link that leads nowhere allows nobody more
        return None
    recipes = sorted(each.stem for each in (project / "recipes").glob("*.yaml"))
    return read_section(TeamFile, file, TEAM_FILE, "file", {"recipes": recipes})
