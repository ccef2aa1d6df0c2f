"""The alerts that are open: which model, what it is, since when, and who has it.

totalml alerts list                    of every model
totalml alerts list guinness --all     those that are over, too
totalml alerts list --json             whole, for scripts
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.project import Place
    from totalml.store import Store

HEADER = ("id", "state", "severity", "verdict", "raised (UTC)", "times", "waits for", "judged", "what happened")
LONGEST = 100  # characters of a sentence


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="(every one)")
    parser.add_argument("--all", action="store_true", help="those that are resolved, too")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    from totalml.alerts.addressed import addressed
    from totalml.alerts.alerts import Alerts
    from totalml.alerts.review import judged_of
    from totalml.terminal import aligned

    store = place.open_store()
    known = _models(arguments.model, store)
    found = [each for model in known for each in Alerts(store, model).all() if arguments.all or each.is_open]
    if arguments.json:
        told = [addressed(each, place.project).as_json() for each in found]
        print(json.dumps(told, indent=2, ensure_ascii=False))
    elif found:
        print("\n".join(aligned([HEADER, *(_row(each, judged_of(store, each.model, each.id)) for each in found)])))
    else:
        of = f" of {arguments.model}" if arguments.model else ""
        print(f"no alert{of} was ever raised" if arguments.all else f"no alert{of} is open; --all lists those before")
    return 0


def _models(model: str | None, store: Store) -> list[str]:
    """Raises: RecipeError: nothing of that name was ever registered, or alerted of."""
    from totalml.alerts.alerts import models_with_alerts
    from totalml.release.named import history_of

    known = models_with_alerts(store)
    if model is None or model in known:
        return [model] if model else known
    history_of(model, store)
    return []


def _row(alert: Alert, judged: str) -> tuple[str, ...]:
    """Args: judged: of the requests that it asks people about."""
    from totalml.alerts.finding import short_text

    finding = alert.finding
    raised = f"{alert.raised:%Y-%m-%dT%H:%M:%S}"
    waits = ", ".join(channel for channel in alert.channels if alert.outstanding(channel)) or "-"
    state = f"{alert.state} by {alert.who}" if alert.who else alert.state
    sentence = short_text(f"{finding.sentence}{f' ({alert.why})' if alert.why else ''}", LONGEST)
    return alert.id, state, finding.severity, finding.verdict, raised, f"{alert.count}", waits, judged, sentence
