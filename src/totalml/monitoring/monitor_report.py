"""What a monitor saw and said, as one page for people, without network or script: is all well, since when, what to do.

  totalml monitor report guinness                    the last 90 days
  totalml monitor report guinness --days 14 --out page.html
  totalml monitor report guinness@candidate          what one release answered; so do MODEL@HASH and a hash

It looks at nothing anew; totalml monitor does that.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.identity import short

if TYPE_CHECKING:
    from totalml.deployment.deployment import Deployment
    from totalml.monitoring.page import MonitorContent, Volume
    from totalml.project import Place
    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.release.named import Named
    from totalml.store import Store

PAGE_FILE = "monitor.html"
DAYS = 90
MOST_DAYS = 3660
EXPECTED_FROM_DAYS = 28  # that came last say how many rows are expected a day, where nothing else does


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="MODEL, MODEL@ALIAS or MODEL@HASH")
    parser.add_argument("--days", metavar="N", type=int, default=DAYS, help=f"to look back ({DAYS})")
    parser.add_argument(
        "--out", metavar="FILE", help=f"where the page is written ({PAGE_FILE} beside the runs of the model)"
    )


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.monitoring.page import write_monitor_page

    if not 1 <= arguments.days <= MOST_DAYS:
        raise RecipeError(f"command line: --days {arguments.days} is to be from 1 to {MOST_DAYS:,}")
    if arguments.out and Path(arguments.out).is_dir():
        raise RecipeError(f"command line: --out {arguments.out} is a folder; name a file in it")
    store = place.open_store()
    model, named = _found(arguments.what, store)
    _require_known(store, model)
    file = f"monitor-{short(named.release)}.html" if named else PAGE_FILE
    path = Path(arguments.out).absolute() if arguments.out else place.runs / model / file
    content = gathered(store, model, timedelta(days=arguments.days), datetime.now(UTC), named)
    print(f"Page: {write_monitor_page(path, content)}")
    return 0


def _found(text: str, store: Store) -> tuple[str, Named | None]:
    """The model, and the one release that was asked for; None: all of them.

    Raises: RecipeError: there is no such release.
    """
    from totalml.release.named import find_named, is_reference

    if not is_reference(text):
        return text, None
    named = find_named(text, store)
    return named.model, named


def gathered(store: Store, model: str, back: timedelta, now: datetime, named: Named | None = None) -> MonitorContent:
    """What the store holds of a model and its monitor since `now` - `back`.

    Args: named: of this release alone; None: of all, whichever answered.
    Raises: StoreError: it cannot be read, or a newer version wrote it.
    """
    from dataclasses import replace

    from totalml.alerts.alerts import Alerts
    from totalml.alerts.review import judged_of
    from totalml.monitoring.history import History
    from totalml.monitoring.page import MonitorContent
    from totalml.monitoring.page.logged import late_of, pictures_of, seasons_of, volume_of
    from totalml.monitoring.page.moments import moment

    since = now - back
    release = named.release if named else None
    known = [each for each in History(store, model).looked() if release in (None, each.release)]
    looked = [each for each in known if moment(each.end) > since]
    alerts = [each for each in Alerts(store, model).open() if release in (None, each.finding.release)]
    name, deployment = ("", None) if named else _deployed(store, model)
    settings = deployment.monitoring if deployment else None
    if settings is None and (of := looked[-1].release if looked else release or _in_production(store, model)):
        settings = _of_recipe(store, of)
    volume = volume_of(store, model, since, now, moment(looked[-1].end) if looked else None, release)
    content = MonitorContent(
        model=model,
        since=since,
        until=now,
        looked=looked,
        settings=settings,
        rows_per_day=_rows_per_day(settings, volume),
        period_days=_period_days(store, looked[-1].release) if looked else None,
        asked=named.text if named else "",
        alerts=[{**each.as_json(), "judged": judged_of(store, model, each.id)} for each in alerts],
        deployment=f"deployments/{name}.yaml" if name else "",
        seasons=seasons_of(looked),
        volume=volume,
        late=late_of(store, model, looked),
        earlier=max((moment(each.end) for each in known if moment(each.end) <= since), default=None),
        pictured=not looked or _sees_pictures(store, looked[-1].release),
    )
    focus = content.focus
    if focus is None or not focus.verdict.alarms:
        return content
    return replace(content, pictures=pictures_of(store, model, focus))


def _require_known(store: Store, model: str) -> None:
    """Raises: RecipeError: nothing was ever answered by it, or looked at."""
    from totalml.monitoring.history import journal_name
    from totalml.recipe.bounds import NAME
    from totalml.release.log_rows import LOG
    from totalml.target import did_you_mean

    suffix = journal_name("")
    watched = {name.removesuffix(suffix) for name in store.journals() if name.endswith(suffix)}
    known = sorted({*watched, *store.names(LOG)})
    if not NAME.fullmatch(model) or model not in known:
        hint = did_you_mean(model, known) or (f"; there are {', '.join(known)}" if known else "")
        raise RecipeError(f"command line: nothing that {model!r} answered is kept, and no monitor looked at it{hint}")


def _deployed(store: Store, model: str) -> tuple[str, Deployment | None]:
    """What was applied last; an empty name: nothing was."""
    from totalml.deployment.deployments import DEPLOYED, Deployments

    applied = [event.facts["deployment"] for event in store.journal(model).events() if event.kind == DEPLOYED]
    return (applied[-1], Deployments(store, model).standing(applied[-1])) if applied else ("", None)


def _in_production(store: Store, model: str) -> str | None:
    """The release that totalml monitor looks at where nothing else is asked for."""
    from totalml.registry import Aliases

    standing = Aliases(store, model).standing("production")
    return standing.release if standing else None


def _of_recipe(store: Store, release: str) -> MonitoringRecipe | None:
    """None: the release is not in the store any more, and its windows are shown without."""
    from totalml.errors import StoreError
    from totalml.release.bundle import open_bundle
    from totalml.release.watched import settings_of

    try:
        return settings_of(open_bundle(release, store))
    except StoreError:
        return None


def _period_days(store: Store, release: str) -> float | None:
    """None: the release is of no series, or not in the store any more."""
    from totalml.errors import StoreError
    from totalml.monitoring.panel import Panel
    from totalml.release.bundle import open_bundle

    try:
        panel = Panel.read(open_bundle(release, store))
    except StoreError:
        return None
    return None if panel is None else panel.period_days


def _sees_pictures(store: Store, release: str) -> bool:
    """Also where the release is not in the store any more: those that were kept are shown then."""
    from totalml.errors import StoreError
    from totalml.release.bundle import open_bundle
    from totalml.release.signature import Signature

    try:
        return Signature.read(open_bundle(release, store)).picture is not None
    except StoreError:
        return True


def _rows_per_day(settings: MonitoringRecipe | None, volume: list[Volume]) -> float | None:
    if settings is not None and settings.rows_per_day is not None:
        return settings.rows_per_day
    whole = volume[:-1][-EXPECTED_FROM_DAYS:]  # the last one is not over
    return sum(each.rows for each in whole) / len(whole) or None if whole else None
