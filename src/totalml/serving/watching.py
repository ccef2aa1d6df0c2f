"""The thread that monitors what a service answers, while it answers: one process of a machine does it for all.

A lock that the system lifts from a process that dies says which; the others wait for it. What two machines find at once
is written down once, by the journal of the monitor and that of the alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from totalml.alerts.alerts import Alerts
from totalml.alerts.react import React
from totalml.background import Background
from totalml.errors import TotalmlError
from totalml.store.locks import locked_if_free

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.watch import Watch
    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.serving.answering import Answering
    from totalml.serving.figures import Figures
    from totalml.store import Store

EVERY_S = 1.5
AGAIN_S, LONGEST_S = 5.0, 300.0  # after which it looks again where it could not, longer and longer
TRIED_EVERY_S = 5.0  # whether the process that watches has gone


class Watching(Background):
    """Args:
    deployment: whose candidate an alert may bring into its shadow.
    said: told a line for each window that alarms, and when it cannot look.
    """

    def __init__(
        self,
        live: Answering,
        store: Store,
        settings: MonitoringRecipe,
        deployment: str,
        figures: Figures,
        said: Callable[[str], None],
    ) -> None:
        super().__init__("monitor")
        self._live, self._store, self._settings = live, store, settings
        self._figures, self._said = figures, said
        self._watch: Watch | None = None
        self._alerts = Alerts(store, live.model, settings.alerts)
        self._react = React(store, live.model, settings.alerts, deployment=deployment)
        self._failed, self._pause = "", EVERY_S

    def _work(self) -> None:
        lock = self._store.folder("locks") / f"monitor-{self._live.model}.lock"
        while not self._stop.wait(0.1):
            with locked_if_free(lock) as held:
                while held and not self._stop.wait(self._pause):
                    self._look()
            self._stop.wait(TRIED_EVERY_S)

    def _look(self) -> None:
        try:
            watch = self._opened()
            for looked in watch.look(datetime.now(UTC), along=True):
                self._figures.watched(looked)
            self._figures.late.set(watch.traffic.late)
            for alert in self._alerts.open():
                for done in self._react(alert):
                    self._said(f"{alert.id}: {done.reaction} {done.outcome}: {done.sentence}")
            self._failed, self._pause = "", EVERY_S
        except Exception as error:  # the store cannot be read or written at the moment: it is looked at again
            self._watch, self._pause = None, min(max(AGAIN_S, 2 * self._pause), LONGEST_S)
            told = str(error) if isinstance(error, TotalmlError) else repr(error)
            if self._failed != told:
                self._said(f"{self._live.named}: cannot be monitored at the moment: {told}")
            self._failed = told
        self._figures.monitor_failed.set(bool(self._failed))

    def _opened(self) -> Watch:
        """Of what answers now."""
        from totalml.monitoring.opened import open_watch

        release = self._live.now.release
        if self._watch is None or self._watch.release != release:
            self._watch = open_watch(self._store, release, self._settings, self._tell, along=True)
        return self._watch

    def _tell(self, looked: Looked) -> None:
        from totalml.monitoring.telling import tell

        alert = tell(self._alerts, looked)
        self._said(f"{self._live.named}: {alert.id} ({looked.verdict.cause}): {looked.verdict.told}")
