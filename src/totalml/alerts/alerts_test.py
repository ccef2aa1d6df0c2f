"""Send a trial alert through every channel of a file, and say by which it arrived. Nothing of it is kept.

totalml alerts test deployments/guinness.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.alerts.alerts_send import configure as configure
from totalml.errors import AlertError

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.project import Place


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.alerts.channel import deliver
    from totalml.alerts.read import read_alerting

    model, settings = read_alerting(Path(arguments.file), arguments.file)
    alert, failed = _trial(model, place), []
    for channel in settings.channels:
        if (problem := deliver(channel, alert, place)) is None:
            print(f"{channel.title}: arrived")
        else:
            failed.append(f"{channel.title}: {problem}")
    if failed:
        raise AlertError("\n".join(failed))
    return 0


def _trial(model: str, place: Place) -> Alert:
    import uuid

    from totalml.alerts.alert import RAISED, fold
    from totalml.alerts.finding import Finding
    from totalml.machine import user
    from totalml.registry import Aliases
    from totalml.runs.attempt import now
    from totalml.store.event import Event

    standing = Aliases(place.open_store(), model).standing("production")
    sentence = "This is a trial of the channel, and nothing is wrong."
    finding = Finding("trial", "ticket", sentence, release=standing.release if standing else "")
    facts = {"finding": finding.as_json(), "channels": []}
    event = Event(RAISED, facts, user(), now(), sequence=0, key=uuid.uuid4().hex, previous="")
    return fold(model, [event])[f"{model}-0"]
