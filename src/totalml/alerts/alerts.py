"""The alerts of a model: a journal of their own beside that of the model, so that of several machines one raises each.

An alert that is open is raised once, however often it is found. A claim says that one process tries to deliver now, and
nobody else does before a while is over, the longer the more often it was tried: so it is lease and back-off in one, and
what a killed process or a receiver that was down has not taken is tried again by whoever looks next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from totalml.alerts.alert import (
    ACKNOWLEDGED,
    CLAIMED,
    DELIVERED,
    RAISED,
    REACTED,
    REPEATED,
    RESOLVED,
    STARTED,
    UPDATED,
    Alert,
    Reacted,
    Tried,
    fold,
    is_another,
)
from totalml.alerts.finding import COMMAND, SENTENCE, Finding, short_text
from totalml.errors import RecipeError
from totalml.machine import user
from totalml.recipe.alerting import AlertingRecipe
from totalml.recipe.bounds import NAME
from totalml.store.event import Draft
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.store import Store
    from totalml.store.event import Event

SUFFIX = ".alerts"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)  # longer than one delivery may take
REPEATS_EVERY = timedelta(hours=1)  # at most: a monitor that looks every few seconds must not fill the journal


class Alerts:
    """Those of one model; reads only what is new when asked again.

    Args:
        clock: the time, with a zone.
    """

    def __init__(
        self,
        store: Store,
        model: str,
        settings: AlertingRecipe | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.model, self.settings = model, settings or AlertingRecipe()
        self._journal, self._clock = store.journal(f"{model}{SUFFIX}"), clock
        self._known: dict[str, Alert] = {}
        self._folded = 0
        self._repeats: Counter[str] = Counter()  # alert -> findings that no event counts yet

    def all(self) -> list[Alert]:
        """Oldest first. Raises: StoreError: the store cannot be read."""
        return [*self._look(self._journal.events()).values()]

    def open(self) -> list[Alert]:
        return [alert for alert in self.all() if alert.is_open]

    def last_resolved(self, verdict: str, release: str) -> int:
        """The event by which the latest alert of this kind was resolved; 0: none was."""
        over = (each for each in self.all() if not each.is_open and each.finding.release == release)
        return max((each.notice for each in over if each.finding.verdict == verdict), default=0)

    def find(self, id_: str) -> Alert:
        """Raises: RecipeError: there is no such alert."""
        alerts = self._look(self._journal.events())
        if id_ not in alerts:
            known = ", ".join([*alerts][-5:])
            hint = did_you_mean(id_, alerts) or (f"; the last are {known}" if known else "; there is none yet")
            raise RecipeError(f"command line: {self.model} has no alert {id_!r}{hint}")
        return alerts[id_]

    def raise_alert(self, finding: Finding) -> Alert:
        """Tell of a finding: a new alert, or more of an open one with the same verdict about the same thing.

        Raises: StoreError: the store cannot be written; then it was not raised.
        """
        finding, chosen = finding.bounded(), [""]

        def draft(events: list[Event]) -> Draft | None:
            alerts = self._look(events)
            same = next((each for each in alerts.values() if each.is_open and finding.key in each.keys), None)
            chosen[0] = same.id if same else f"{self.model}-{len(events) + 1}"
            if same is None:
                return self._draft(RAISED, finding=finding.as_json(), channels=self._titles(finding))
            return self._more(same, finding)

        event = self._journal.append_decided(draft)
        if event is None:
            self._repeats[chosen[0]] += 1
        elif event.kind != RAISED:
            del self._repeats[chosen[0]]
        return self.find(chosen[0])

    def update(self, id_: str, finding: Finding) -> Alert:
        """Say that an open alert is something else by now, as labels came in. The same again changes nothing.

        Raises: RecipeError: there is no such alert. StoreError: the store cannot be written.
        """
        finding = finding.bounded()

        def draft(events: list[Event]) -> Draft | None:
            alert = self._look(events).get(id_)
            if alert is None or not alert.is_open or alert.finding == finding:
                return None
            return self._draft(
                UPDATED, alert=id_, finding=finding.as_json(), channels=self._titles(finding), times=self._repeats[id_]
            )

        if self._journal.append_decided(draft):
            del self._repeats[id_]
        return self.find(id_)

    def acknowledge(self, id_: str, why: str) -> bool:
        """A person has taken it: it is told again only if it becomes another. False: it was so already."""
        return self._settle(id_, ACKNOWLEDGED, why, (RAISED,))

    def resolve(self, id_: str, why: str) -> bool:
        """It is over: the next finding of the kind is an alert of its own. False: it was so already."""
        return self._settle(id_, RESOLVED, why, (RAISED, ACKNOWLEDGED))

    def react(self, id_: str, done: Reacted) -> bool:
        """Keep what followed from a verdict of an alert, and how it ended where it was only started.

        Returns: False: somebody else was first.
        """

        def draft(events: list[Event]) -> Draft | None:
            alert = self._look(events)[id_]
            before = alert.outcomes(done.reaction, done.verdict)
            if before and (before != [STARTED] or done.outcome == STARTED):
                return None
            facts = {"reaction": done.reaction, "verdict": done.verdict, "outcome": done.outcome}
            return self._draft(REACTED, alert=id_, sentence=short_text(done.sentence, COMMAND), **facts)

        return self._journal.append_decided(draft) is not None

    def outstanding(self, channel: str) -> list[Alert]:
        """Of which this channel was not told the last, oldest first."""
        return [alert for alert in self.all() if alert.outstanding(channel)]

    def claim(self, id_: str, channel: str) -> Alert | None:
        """Say that this process tries to deliver now.

        Returns: what is to be delivered; None: it arrived, or another process tries or tried it just now.
        """
        claimed: list[Alert] = []

        def draft(events: list[Event]) -> Draft | None:
            alert = self._look(events)[id_]
            if not alert.outstanding(channel) or not _is_due(alert, channel, self._clock()):
                return None
            claimed[:] = [alert]
            return self._draft(CLAIMED, alert=id_, channel=channel, notice=alert.notice)

        return claimed[0] if self._journal.append_decided(draft) else None

    def delivered(self, alert: Alert, channel: str) -> None:
        """Keep that a notice arrived."""

        def draft(events: list[Event]) -> Draft | None:
            tried = self._look(events)[alert.id].tried.get(channel, Tried())
            if tried.delivered >= alert.notice:
                return None
            return self._draft(DELIVERED, alert=alert.id, channel=channel, notice=alert.notice)

        self._journal.append_decided(draft)

    def _more(self, alert: Alert, finding: Finding) -> Draft | None:
        """What is to be said of one that is found again; None: nothing yet."""
        facts: dict[str, Any] = {"alert": alert.id, "times": self._repeats[alert.id] + 1}
        again = alert.state == RAISED and self._clock() - alert.told >= timedelta(hours=self.settings.cooldown_hours)
        if again or is_another(alert.finding, finding):
            return self._draft(UPDATED, finding=finding.as_json(), channels=self._titles(finding), **facts)
        return self._draft(REPEATED, **facts) if self._clock() - alert.seen >= REPEATS_EVERY else None

    def _settle(self, id_: str, kind: str, why: str, states: Sequence[str]) -> bool:
        self.find(id_)

        def draft(events: list[Event]) -> Draft | None:
            if self._look(events)[id_].state not in states:
                return None
            return self._draft(kind, alert=id_, why=short_text(why, SENTENCE))

        return self._journal.append_decided(draft) is not None

    def _titles(self, finding: Finding) -> list[str]:
        return [*self.settings.titles(finding.severity)]

    def _draft(self, kind: str, **facts: Any) -> Draft:
        return Draft(kind, facts, user(), self._clock().isoformat(timespec="seconds"))

    def _look(self, events: Sequence[Event]) -> dict[str, Alert]:
        self._known = fold(self.model, events[self._folded :], self._known)
        self._folded = len(events)
        return self._known


def model_of(id_: str) -> str:
    """Of an alert. Raises: RecipeError: no alert can be called so."""
    model, _, number = id_.rpartition("-")
    if not NAME.fullmatch(model) or not number.isascii() or not number.isdigit():
        raise RecipeError(f"command line: {id_!r} is no alert's id such as guinness-12; totalml alerts list shows them")
    return model


def models_with_alerts(store: Store) -> list[str]:
    return sorted(name.removesuffix(SUFFIX) for name in store.journals() if name.endswith(SUFFIX))


def _is_due(alert: Alert, channel: str, now: datetime) -> bool:
    """Whether it may be tried."""
    tried = alert.tried.get(channel, Tried())
    if tried.last is None or tried.notice != alert.notice:
        return True
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried.times - 1, 10))
    # A try that lies far ahead was of a machine whose clock goes wrong.
    return now >= tried.last + pause or now < tried.last - LONGEST_PAUSE
