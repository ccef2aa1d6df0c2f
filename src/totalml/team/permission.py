"""Hold who is at the machine to `team.yaml`.

A guard against mistakes among people who trust each other: whoever can write the store can do without these verbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from totalml.compose.section_file import origins_of
from totalml.errors import RecipeError
from totalml.machine import user
from totalml.team.read import TEAM_FILE, read_team
from totalml.team.team import TeamFile


def require_promoter(model: str, project: Path) -> None:
    """Raises: RecipeError: this machine's user may not move aliases of the model; or `team.yaml` has mistakes."""
    _require("may_promote", f"move an alias of {model}", model, project)


def require_deployer(model: str, project: Path) -> None:
    """Raises: RecipeError: this machine's user may not deploy the model; or `team.yaml` has mistakes."""
    _require("may_deploy", f"deploy {model}", model, project)


def require_member(model: str, project: Path) -> None:
    """Raises: RecipeError: this machine's user has no role for the model; or `team.yaml` has mistakes."""
    if (team := read_team(project)) is not None and user() not in (members := team.of(model).members):
        raise _refusal(f"answer an alert of {model}", members, TEAM_FILE, team)


def _require(role: str, what: str, model: str, project: Path) -> None:
    if (team := read_team(project)) is None:
        return
    may: tuple[str, ...] = getattr(team.of(model), role)
    if user() not in may:
        path = team.written(role, model)
        line = origins_of(project / TEAM_FILE, TEAM_FILE).written(path)
        raise _refusal(what, may, f"{line} ({'.'.join(path)})", team)


def _refusal(what: str, may: Sequence[str], where: str, team: TeamFile) -> RecipeError:
    mend = f"ask them, or have {team.owner} change {TEAM_FILE}"
    return RecipeError(f"command line: {user()!r} may not {what}; who may by {where}: {', '.join(may)}; {mend}")
