"""Who does what: of the project, and what is otherwise for a model. It is `team.yaml`, with nothing left unsaid.

  totalml team
  totalml team codeowners     who owns which files on GitHub, made of it

A project without that file lets everybody do everything. It is a guard against mistakes among people who trust each
other, and no access control: docs/playbook.md says what is.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.team.team import Team, TeamFile

WIDTH = 13


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.machine import user
    from totalml.team.read import TEAM_FILE, read_team

    team = read_team(place.project)
    if team is None:
        print(f"there is no {TEAM_FILE}, so everybody may do everything; `owner: {user()}` in it is a beginning")
        return 0
    print("\n".join(_told(team)))
    print(f"\nthis machine's user is {user()}")
    return 0


def _told(team: TeamFile) -> list[str]:
    common = _rows(team.of())
    lines = [f"{role:<{WIDTH}}{names}" for role, names in common.items()]
    for model in sorted(team.models):
        other = {role: names for role, names in _rows(team.of(model)).items() if names != common[role]}
        lines += ["", f"{model}, otherwise" if other else f"{model}, as all"]
        lines += [f"  {role:<{WIDTH}}{names}" for role, names in other.items()]
    return lines


def _rows(team: Team) -> dict[str, str]:
    told = [f"{verdict}: {', '.join(persons)}" for verdict, persons in team.told.items() if persons]
    return {
        "owner": team.owner,
        "reviewers": ", ".join(team.reviewers) or "-",
        "may promote": ", ".join(team.may_promote),
        "may deploy": ", ".join(team.may_deploy),
        "is told of": "; ".join(told) or "-",
    }
