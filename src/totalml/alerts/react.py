"""What follows from an alert by itself: each an event of its journal, once, whoever else is at it or died meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from totalml.alerts.alert import DONE, FAILED, PROPOSED, RAISED, REFUSED, STARTED, Alert, Reacted
from totalml.alerts.alerts import Alerts
from totalml.alerts.proposal import proposal
from totalml.alerts.retrain import command, proposed, require_project, run_to_its_end
from totalml.alerts.review import queue_labels
from totalml.alerts.rolling_back import reason, roll_back_for, would_roll_back
from totalml.errors import AlertError, TotalmlError
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.recipe.alerting import AlertingRecipe
    from totalml.store import Store


class React:
    """Called with an alert, it does what the settings say of its verdict; again, with every open alert, at will.

    Args:
        place: the project, where this process may start a run; None: it may not, and leaves that to who may.
        deployment: whose candidate goes into its shadow; None: there is none.
        dry_run: nothing is done and nothing kept; the sentences say what would be.
    """

    def __init__(
        self,
        store: Store,
        model: str,
        settings: AlertingRecipe,
        place: Place | None = None,
        deployment: str | None = None,
        dry_run: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._model, self._settings, self._place = store, model, settings, place
        self._deployment, self._dry_run, self._clock = deployment, dry_run, clock
        self._alerts = Alerts(store, model, settings, clock)

    def __call__(self, alert: Alert) -> list[Reacted]:
        """Returns: what was done now; nothing of an alert that a person has taken.

        Raises: StoreError: the store cannot be written; then call it again.
        """
        found = []
        for reaction in self._settings.reactions_to(alert.finding.verdict):
            reacted = alert.outcomes(reaction, alert.finding.verdict)
            if alert.state != RAISED or reacted or self._is_for_others(reaction):
                continue
            done = self._done(alert, reaction)
            if self._dry_run:
                found.append(done)
            elif self._alerts.react(alert.id, done):
                found.append(done)
                if done.outcome == STARTED:
                    self._start(alert)
        return found

    def _is_for_others(self, reaction: str) -> bool:
        return reaction == "retrain" and self._settings.retrain.start and self._place is None

    def _done(self, alert: Alert, reaction: str) -> Reacted:
        try:
            outcome, sentence = getattr(self, f"_{reaction}")(alert)
        except AlertError as error:
            outcome, sentence = REFUSED, f"{error}"
        except TotalmlError as error:  # a damaged release, say; where the store is away, keeping this fails too
            outcome, sentence = FAILED, f"{error}"
        return Reacted(reaction, alert.finding.verdict, outcome, sentence)

    def _propose(self, alert: Alert) -> tuple[str, str]:
        return PROPOSED, proposal(alert, self._store, self._settings, self._place, self._clock)

    def _rollback(self, alert: Alert) -> tuple[str, str]:
        cooldown = timedelta(hours=self._settings.cooldown_hours)
        roll = would_roll_back if self._dry_run else roll_back_for
        return DONE, roll(alert, self._store, cooldown, self._clock)

    def _queue_labels(self, alert: Alert) -> tuple[str, str]:
        if self._dry_run:
            return DONE, f"would queue {counted(len(alert.finding.samples), 'request')} for labels"
        return DONE, queue_labels(alert, self._store, self._clock())

    def _shadow(self, alert: Alert) -> tuple[str, str]:
        from totalml.alerts.shadowed import shadowed

        if self._deployment is None:
            raise AlertError("no deployment names a challenger that could go into its shadow")
        return DONE, shadowed(alert, self._store, self._deployment, reason(alert), self._dry_run)

    def _retrain(self, alert: Alert) -> tuple[str, str]:
        told = proposed(self._model, self._settings.retrain, self._place)
        if not self._settings.retrain.start or self._place is None:
            return PROPOSED, told
        require_project(self._place)
        return STARTED, told

    def _start(self, alert: Alert) -> None:
        thread = threading.Thread(target=self._run, args=(alert,), name=f"retrain {alert.id}", daemon=True)
        thread.start()

    def _run(self, alert: Alert) -> None:
        assert self._place is not None  # noqa: S101  # for the type checker
        words = command(self._model, self._settings.retrain, self._place)
        log = f"alerts/{alert.id}.log of the store says more"
        try:
            code = run_to_its_end(alert.id, words, self._store, self._place)
            ended = f"the run ended with exit code {code}; {log}"
            outcome = DONE if code == 0 else FAILED
        except (OSError, TotalmlError) as error:
            outcome, ended = FAILED, f"{error}"
        verdict = alert.finding.verdict
        Alerts(self._store, self._model, self._settings).react(alert.id, Reacted("retrain", verdict, outcome, ended))
