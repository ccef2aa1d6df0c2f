"""Say that a person has taken an alert: it is told again only if it becomes another.

Where the project has a team.yaml, only who has a role for the model may.

totalml alerts ack guinness-12 --why "I look at it"
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from totalml.alerts.alerts import Alerts
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="as totalml alerts list shows it")
    parser.add_argument("--why", metavar="TEXT", required=True, help="kept in the journal")


def run(arguments: argparse.Namespace, place: Place) -> int:
    alerts = alerts_with(arguments, place)
    done = alerts.acknowledge(arguments.id, arguments.why)
    alert = alerts.find(arguments.id)
    print(f"{alert.id} is {alert.state} by {alert.who}" if done else f"{alert.id} is {alert.state} already")
    return 0


def alerts_with(arguments: argparse.Namespace, place: Place) -> Alerts:
    """Those of the model whose alert is named.

    Raises: RecipeError: it is no alert's id, no reason is given, or this machine's user is nobody of its team.
    """
    from totalml.alerts.alerts import Alerts, model_of
    from totalml.team import require_member

    if not arguments.why.strip():
        raise RecipeError("command line: --why is empty; say to those who read the history what you know")
    model = model_of(arguments.id)
    require_member(model, place.project)
    return Alerts(place.open_store(), model)
