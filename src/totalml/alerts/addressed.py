"""Whose an alert is, by `team.yaml` as it stands when somebody is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from totalml.alerts.alert import Alert
from totalml.errors import RecipeError
from totalml.team import read_team


def addressed(alert: Alert, project: Path) -> Alert:
    """With the people of its verdict; a file with mistakes keeps no alert back, and is everybody's to mend."""
    try:
        team = read_team(project)
    except RecipeError as error:
        return replace(alert, people=(f"everybody, as nobody can be named: {error.mistakes[0]}",))
    return replace(alert, people=team.of(alert.model).told_of(alert.finding.verdict)) if team else alert
