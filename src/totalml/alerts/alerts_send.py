"""Deliver the alerts that have not arrived yet, once; what a service or totalml monitor does by itself.

  totalml alerts send deployments/guinness.yaml     for cron, where nothing runs all the time

What did not arrive is kept, and tried again after 30 s, then after twice as long, up to every 15 minutes; a call before
that leaves it alone. Exit code 1: some have not arrived.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import AlertError

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a deployment or a recipe that says by which channels")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.alerts.alerts import Alerts
    from totalml.alerts.delivery import send_outstanding
    from totalml.alerts.read import read_alerting

    model, settings = read_alerting(Path(arguments.file), arguments.file)
    alerts, arrived = Alerts(place.open_store(), model, settings), 0
    waiting: list[str] = []
    for channel in settings.channels:
        problems = dict(send_outstanding(alerts, channel, place))
        arrived += sum(problem is None for problem in problems.values())
        waiting += [
            f"{each.id} by {channel.title}: {problems.get(each.id) or 'it was tried just now'}"
            for each in alerts.outstanding(channel.title)
        ]
    if waiting:
        listed = "\n".join(f"  {line}" for line in waiting)
        raise AlertError(f"{arrived} arrived, {len(waiting)} did not; they are kept:\n{listed}")
    print(f"{arrived} arrived; nothing waits" if arrived else f"no alert of {model} waits to be delivered")
    return 0
