"""Open the monitor of a release: its reference, what it knows of truths, and where it stood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.errors import StoreError
from totalml.labels import truth_of
from totalml.monitoring.budget import Budget
from totalml.monitoring.history import History, Looked
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.tables import reference_of
from totalml.monitoring.traffic import Tail, Traffic, compared
from totalml.monitoring.watch import Watch
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.release.bundle import RECIPE, Bundle, open_bundle
from totalml.release.signature import Signature

if TYPE_CHECKING:
    from totalml.store import Store

USUAL_ROWS_PER_DAY = 1000.0  # of a model that nobody has asked yet


def open_watch(
    store: Store,
    release: str,
    settings: MonitoringRecipe | None,
    tell: Callable[[Looked], None],
    along: bool = False,
) -> Watch:
    """Args:
        release: its bundle hash.
        settings: None: those of the recipe that it was made by.
        along: whether it is to go along with a service, and so to read on as the log grows.
    Raises: StoreError: the release cannot be read. DataError: it has no reference.
    """
    bundle = open_bundle(release, store)
    settings = settings or settings_of(bundle)
    signature, reference = Signature.read(bundle), reference_of(bundle)
    losses = LossOf.fit(reference, truth_of(signature))
    history = History(store, bundle.name)
    asked = (*signature.columns, *signature.context)
    columns = compared(reference.column_names, asked)
    made = (store, bundle.name, release, columns, losses, timedelta(days=settings.labels_within_days))
    traffic = Traffic(*made)
    now = datetime.now(UTC)
    known_per_day = settings.rows_per_day or traffic.rows_per_day(now)
    per_day = known_per_day or USUAL_ROWS_PER_DAY
    if along:
        last = history.last(release)
        since = datetime.fromisoformat(last.since) if last else now - timedelta(hours=settings.window.hours)
        traffic = Tail(*made, since)
    budget, positive = budget_of(settings, per_day), positive_of(signature)
    monitor = Monitor(reference, columns, settings, budget, losses, known_per_day, positive=positive)
    return Watch(release, history, traffic, monitor, settings.window, tell)


def positive_of(signature: Signature) -> str | None:
    """The class whose share is looked at by slice: that of the recipe, of two classes the last."""
    named = signature.decision.get("positive")
    two = signature.task == "classification" and len(signature.targets) == 2
    return str(named) if named else signature.targets[-1] if two else None


def budget_of(settings: MonitoringRecipe, rows_per_day: float) -> Budget:
    """A window is over after its hours, or after so many rows."""
    days = min(settings.window.hours / 24, settings.window.most / rows_per_day)
    return Budget(settings.false_alarms_per_year, rows_per_day, days)


def settings_of(bundle: Bundle) -> MonitoringRecipe:
    """What the recipe of a release says of watching it.

    Raises: StoreError: a newer version wrote it.
    """
    import yaml

    values = yaml.safe_load(bundle.read(RECIPE)).get("monitoring")
    try:
        return MonitoringRecipe.model_validate(values or {})
    except ValidationError as error:
        raise StoreError(f"release {bundle.hash} was made by a newer version ({error}); update totalml") from error
