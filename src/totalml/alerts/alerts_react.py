"""Do what a file says is to follow from the alerts that are open, once; what totalml monitor does by itself.

totalml alerts react deployments/guinness.yaml --dry-run    only say what would be done
totalml alerts react deployments/guinness.yaml              for cron, where nothing runs all the time
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.alerts.alerts_send import configure as configure_file

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    configure_file(parser)
    parser.add_argument("--dry-run", action="store_true", help="do nothing, say what would be done")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.alerts.alerts import Alerts
    from totalml.alerts.react import React
    from totalml.alerts.read import read_alerting
    from totalml.deployment.deployments import Deployments

    file, store = Path(arguments.file), place.open_store()
    model, settings = read_alerting(file, arguments.file)
    deployment = file.stem if Deployments(store, model).standing(file.stem) else None
    react = React(store, model, settings, place, deployment, arguments.dry_run)
    done = 0
    for alert in Alerts(store, model, settings).open():
        for each in react(alert):
            done += 1
            print(f"{alert.id}: {each.reaction}, {each.outcome}: {each.sentence}")
    if not done:
        print(f"nothing is to follow from an open alert of {model}")
    return 0
