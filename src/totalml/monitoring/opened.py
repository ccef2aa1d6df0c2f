"""Open the monitor of a release: its reference, what it knows of truths, and where it stood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from totalml.alerts.alerts import Alerts
from totalml.labels import truth_of
from totalml.monitoring.budget import OF_SERIES, WITH_LEVERS, Budget
from totalml.monitoring.history import History, Looked
from totalml.monitoring.levers import Levers
from totalml.monitoring.losses import LossOf
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.panel import TIMESTAMP, Panel
from totalml.monitoring.tables import reference_of
from totalml.monitoring.traffic import Tail, Traffic, compared
from totalml.monitoring.unwritten import Unwritten
from totalml.monitoring.verdict import CONCEPT
from totalml.monitoring.watch import Watch, begin_of, hours_of
from totalml.release.bundle import Bundle, open_bundle
from totalml.release.log_rows import METADATA
from totalml.release.signature import Signature
from totalml.release.watched import settings_of

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.store import Store

USUAL_ROWS_PER_DAY = 1000.0  # of a model that nobody has asked yet


@dataclass(frozen=True)
class Opened:
    """What a monitor of a release is made of.

    Args:
        columns: of the reference, those that its traffic has too.
        positive: as `positive_of` says.
        optional: of the columns, those that callers may leave out.
        panel: that its rows are of.
        levers: of its plan, which are watched where it is of a panel.
    """

    bundle: Bundle
    settings: MonitoringRecipe
    reference: pa.Table
    columns: list[str]
    losses: LossOf
    positive: str | None
    optional: tuple[str, ...]
    store: Store
    panel: Panel | None = None
    levers: Levers | None = None

    @classmethod
    def of(cls, store: Store, release: str, settings: MonitoringRecipe | None) -> Self:
        """Args:
            release: its bundle hash.
            settings: None: those of the recipe that it was made by.
        Raises: StoreError: the release cannot be read. DataError: it has no reference.
        """
        bundle = open_bundle(release, store)
        signature, reference = Signature.read(bundle), reference_of(bundle)
        columns = compared(reference.column_names, (*signature.columns, *signature.context))
        losses = LossOf.fit(reference, truth_of(signature))
        watched, positive = settings or settings_of(bundle), positive_of(signature)
        optional = tuple(METADATA + name for name in signature.context)
        panel = Panel.read(bundle)
        levers = None if panel is None else Levers.read(bundle)
        return cls(bundle, watched, reference, columns, losses, positive, optional, store, panel, levers)

    @property
    def traffic(self) -> Traffic:
        return Traffic(*self._traffic)

    def tail(self, opened: datetime) -> Tail:
        return Tail(*self._traffic, opened)

    def known_per_day(self, until: datetime, least: timedelta = timedelta(0)) -> float | None:
        """Rows that are known to come; None: nothing says how many, and neither does a log of less than `least`."""
        return self.settings.rows_per_day or self.traffic.rows_per_day(until, least=least)

    def monitor(self, known_per_day: float | None) -> Monitor:
        budget = budget_of(self.settings, known_per_day or USUAL_ROWS_PER_DAY)
        if self.panel is not None:
            budget = replace(budget, shares=OF_SERIES if self.levers is None else WITH_LEVERS)
        asked = (self.reference, self.columns, self.settings, budget, self.losses, known_per_day)
        return Monitor(*asked, positive=self.positive, optional=self.optional, panel=self.panel, levers=self.levers)

    @property
    def _traffic(self) -> tuple[Store, str, str, list[str], LossOf, timedelta]:
        within = timedelta(days=self.settings.labels_within_days)
        # Of a panel, when its rows are of: forecasts are asked for before their time.
        columns = self.columns if self.panel is None else [*self.columns, TIMESTAMP, self.panel.series]
        return self.store, self.bundle.name, self.bundle.hash, [*dict.fromkeys(columns)], self.losses, within


def open_watch(
    store: Store,
    release: str,
    settings: MonitoringRecipe | None,
    tell: Callable[[Looked], None],
    along: bool = False,
) -> Watch:
    """As `Opened.of`. Args: along: whether it is to go along with a service, and so to read on as the log grows."""
    opened = Opened.of(store, release, settings)
    history, now = History(store, opened.bundle.name), datetime.now(UTC)
    monitor, window = opened.monitor(opened.known_per_day(now)), opened.settings.window
    alerts = Alerts(store, opened.bundle.name)

    def resolved() -> int:
        return alerts.last_resolved(CONCEPT, release)

    if not along:
        return Watch(release, history, opened.traffic, monitor, window, tell, resolved=resolved)
    # Of a release that nobody has looked at, only the latest is news to people.
    since = begin_of(window, now - hours_of(window))
    return Watch(release, history, opened.tail(now), monitor, window, tell, since, resolved)


def open_backtest(
    store: Store, release: str, settings: MonitoringRecipe | None, since: datetime, until: datetime
) -> Watch:
    """As `Opened.of`; of a new monitor that tells nobody and writes nothing.

    Args: until: of the rows of a day, those of the four weeks before it count where the settings name none.
    """
    opened = Opened.of(store, release, settings)
    monitor = opened.monitor(opened.known_per_day(until))
    return Watch(release, Unwritten(), opened.traffic, monitor, opened.settings.window, lambda _: None, since)


def positive_of(signature: Signature) -> str | None:
    """The class whose share is looked at by slice: that of the recipe, of two classes the last."""
    named = signature.decision.get("positive")
    two = signature.task == "classification" and len(signature.targets) == 2
    return str(named) if named else signature.targets[-1] if two else None


def budget_of(settings: MonitoringRecipe, rows_per_day: float) -> Budget:
    """A window is over after its hours, or after so many rows."""
    days = min(settings.window.hours / 24, settings.window.most / rows_per_day)
    return Budget(settings.false_alarms_per_year, rows_per_day, days)
