"""Look at what a model answered since the last look: what moved, why, and whether it errs.

  totalml monitor guinness                        what answers as guinness@production; each window that is over, once
  totalml monitor guinness@candidate              another alias, or a release by its hash
  totalml monitor deployments/guinness.yaml       as the file was deployed, with its section `monitoring`
  totalml monitor guinness --watch                go along, and tell within seconds, until Ctrl+C
  totalml monitor check --reference A --window B  two tables held against each other, without any store
  totalml monitor report guinness                 one page to look at
  totalml alerts list guinness                    what people were told

Exit code 3: a window alarmed; its alert stands in the journal. Services of a deployment with `monitoring` do all this
by themselves.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.alerts.alert_text import to_the_minute
from totalml.errors import RecipeError
from totalml.monitoring.verdict import ALARMED
from totalml.prediction_log.settings import LogSettings
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from totalml.monitoring.history import Looked
    from totalml.monitoring.watch import Watch
    from totalml.project import Place
    from totalml.recipe.alerting import AlertingRecipe
    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.store import Store

EVERY_S = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="MODEL, MODEL@ALIAS, MODEL@HASH or deployments/X.yaml")
    parser.add_argument("--watch", action="store_true", help=f"go on, every {EVERY_S:g} s")
    parser.add_argument("--json", action="store_true", help="each window as a line of JSON")


@dataclass(frozen=True)
class Watched:
    """Args:
    release: asks which one answers now; empty: none does.
    settings: None: those of the release's recipe.
    deployment: None: it is none that is watched.
    unapplied: what its file says and was not deployed, in a sentence; empty: nothing.
    maps: share of the requests of which its log says what the model looked at.
    """

    named: str
    model: str
    release: Callable[[], str]
    settings: MonitoringRecipe | None
    deployment: str | None = None
    unapplied: str = ""
    maps: float = LogSettings().maps


def run(arguments: argparse.Namespace, place: Place) -> int:
    from datetime import UTC, datetime

    from totalml.alerts.alerts import Alerts
    from totalml.monitoring.opened import open_watch
    from totalml.monitoring.telling import tell
    from totalml.release.bundle import open_bundle
    from totalml.release.watched import settings_of
    from totalml.terminal import say as note

    store = place.open_store()
    watched = find_watched(arguments.what, store)
    told: list[Looked] = []
    alerts: dict[tuple[str, str], str] = {}  # of the release and start of a window, its alert

    def say(looked: Looked) -> None:
        print(json.dumps(looked.as_json()) if arguments.json else shown(looked), flush=True)
        id_ = alerts.pop((looked.release, looked.start), "")
        if id_ and not arguments.json:
            print(f"  alert {id_}", flush=True)

    def alert(looked: Looked) -> None:
        told.append(looked)
        raised = tell(Alerts(store, watched.model, alerting().alerts), looked)
        alerts[looked.release, looked.start] = raised.id

    def alerting() -> MonitoringRecipe:
        return watched.settings or settings_of(open_bundle(release, store))

    release, watch = "", None
    while True:
        if watch is None or release != watched.release():
            release = watched.release()
            watch = open_watch(store, release, watched.settings, alert, along=arguments.watch)
            if told_otherwise := _unapplied(watched, alerting(), place):
                note(told_otherwise)
        some = False
        for looked in watch.look(datetime.now(UTC), along=arguments.watch):
            say(looked)
            some = True
        if not arguments.json:
            for id_ in alerts.values():  # of windows that another wrote down first
                print(f"alert {id_}", flush=True)
        alerts.clear()
        _follow(watched, alerting().alerts, store, place)
        if not arguments.watch:
            if not some and not told and not arguments.json:  # what it told, another wrote down first
                print(f"{watched.named}: {_none_over(watch)}")
            if told and not arguments.json:
                print(f"totalml alerts list {watched.model} shows what is open")
            return ALARMED if told else 0
        time.sleep(EVERY_S)


def _unapplied(watched: Watched, stands: MonitoringRecipe, place: Place) -> str:
    from totalml.monitoring.unapplied import unapplied_by_recipe

    of_recipe = watched.settings is None
    return watched.unapplied or (unapplied_by_recipe(watched.model, stands, place) if of_recipe else "")


def _follow(watched: Watched, settings: AlertingRecipe, store: Store, place: Place) -> None:
    """Do what open alerts ask for, and send what has not arrived; on stderr, beside the windows."""
    from totalml.alerts.alerts import Alerts
    from totalml.alerts.delivery import send_outstanding
    from totalml.alerts.react import React
    from totalml.terminal import say

    alerts = Alerts(store, watched.model, settings)
    react = React(store, watched.model, settings, place, watched.deployment)
    for alert in alerts.open():
        for done in react(alert):
            say(f"{alert.id}: {done.reaction} {done.outcome}: {done.sentence}")
    for channel in settings.channels:
        for id_, problem in send_outstanding(alerts, channel, place):
            if problem:
                say(f"{id_} did not arrive by {channel.title}: {problem}; it is kept, and tried again")


def find_watched(text: str, store: Store) -> Watched:
    """Raises: RecipeError: there is no such model, alias, release or deployment."""
    from totalml.deployment.deployment import ENDINGS
    from totalml.registry import Aliases
    from totalml.release.named import find_named, spelled_out

    if text.endswith(ENDINGS):
        return _of_deployment(text, store)
    text = spelled_out(text, store)
    named = find_named(text if "@" in text else f"{text}@production", store)
    release, alias = named.release, named.alias
    if alias is None:
        return Watched(named.text, named.model, lambda: release, None)
    aliases = Aliases(store, named.model)

    def standing() -> str:
        found = aliases.standing(alias)
        return found.release if found else release

    return Watched(named.text, named.model, standing, None)


def _of_deployment(text: str, store: Store) -> Watched:
    from totalml.deployment.deployments import Deployments
    from totalml.deployment.read import read_deployment
    from totalml.monitoring.unapplied import unapplied_by_deployment

    file = Path(text)
    written = read_deployment(file, text)
    model = written.model
    deployments = Deployments(store, model)
    standing = deployments.require(file.stem, text)
    if not deployments.release(file.stem):
        raise RecipeError(f"command line: {model}@{standing.release}, which {text} follows, points nowhere")
    unapplied = unapplied_by_deployment(written.monitoring, standing.monitoring, text)
    return Watched(
        named=file.stem,
        model=model,
        release=lambda: deployments.release(file.stem),
        settings=standing.monitoring,
        deployment=file.stem,
        unapplied=unapplied,
        maps=standing.log.maps,
    )


def shown(looked: Looked) -> str:
    """A window for people."""
    verdict = looked.verdict
    came = f"{counted(looked.rows, 'row')}, {counted(looked.labels, 'label')}"
    head = f"{looked.start[:16]} to {looked.end[:16]}  {came}: "
    lines = [f"{head}{verdict.cause}{f' ({verdict.severity})' if verdict.severity else ''}", f"  {verdict.told}"]
    if verdict.alarms:
        lines += [f"  since about {to_the_minute(verdict.since)}"] if verdict.since else []
        lines += [
            f"  {cause} is ruled out: {why}" for cause, why in verdict.ruled_out.items() if cause not in ("none",)
        ]
    return "\n".join(lines)


def _none_over(watch: Watch) -> str:
    last, due = watch.history.last(watch.release), watch.ends()
    ends = f"ends {due:%Y-%m-%dT%H:%M} UTC" if due else ""
    if last is None:
        return f"the first window {ends}, and is looked at after that" if ends else "nothing was answered yet"
    told = f"no window is over since the last look; the last ended {last.end[:16]}: {last.verdict.cause}"
    return f"{told}; the next {ends}" if ends else f"{told}, and nothing was answered yet"
