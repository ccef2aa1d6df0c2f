"""An alert: what stands of it after the events of its journal. One event at a time makes the next from the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.alerts.finding import Finding
from totalml.errors import StoreError
from totalml.recipe.alerting import SEVERITIES

if TYPE_CHECKING:
    from totalml.store.event import Event

RAISED = "raised"
UPDATED = "updated"  # it is found to be something else, or goes on after its cooldown
REPEATED = "repeated"  # it goes on
REACTED = "reacted"
ACKNOWLEDGED = "acknowledged"
RESOLVED = "resolved"
CLAIMED = "claimed"  # somebody tries to deliver it now
DELIVERED = "delivered"
PROPOSED, DONE, STARTED, REFUSED, FAILED = "proposed", "done", "started", "refused", "failed"  # of reactions
NOTICES = (RAISED, UPDATED, REACTED, RESOLVED)  # of which people are told


@dataclass(frozen=True)
class Tried:
    """How far one channel has come.

    Args:
        notice: sequence of the latest one that anybody tried to deliver there; 0: none was.
        times: that it was tried.
        last: when it was tried last, UTC.
        delivered: sequence of the latest notice that arrived; 0: none did.
    """

    notice: int = 0
    times: int = 0
    last: datetime | None = None
    delivered: int = 0


@dataclass(frozen=True)
class Reacted:
    """Args:
    reaction: such as rollback.
    verdict: that it follows from.
    outcome: proposed, done, started, refused or failed.
    sentence: what was done or is to be done; with the exact command, where one is.
    """

    reaction: str
    verdict: str
    outcome: str
    sentence: str
    when: str = ""


@dataclass(frozen=True)
class Alert:
    """Args:
    id: the model and the sequence of the event that raised it: `guinness-12`.
    finding: as it stands now.
    state: raised, acknowledged or resolved.
    keys: of all findings that it ever was.
    raised, told: when it was raised, and when people were last to be told, UTC.
    notice: sequence of the event that they were to be told last; `kind` of it, and `mark`, which no other event has.
    channels: that are to be told, by their titles.
    count: how often it was found.
    who, why: of its acknowledgement or resolution.
    people: whose it is by `team.yaml`, where somebody is told of it; no event holds them.
    """

    id: str
    model: str
    finding: Finding
    state: str
    keys: frozenset[str]
    raised: datetime
    told: datetime
    seen: datetime
    notice: int
    kind: str
    mark: str
    channels: tuple[str, ...]
    count: int = 1
    who: str = ""
    why: str = ""
    tried: Mapping[str, Tried] = field(default_factory=dict)
    reactions: tuple[Reacted, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state != RESOLVED

    def outstanding(self, channel: str) -> bool:
        """Whether the last notice has not arrived there. Those before it say less, and are not sent any more."""
        return channel in self.channels and self.tried.get(channel, Tried()).delivered < self.notice

    def outcomes(self, reaction: str, verdict: str) -> list[str]:
        """What came of it, first to last."""
        return [each.outcome for each in self.reactions if (each.reaction, each.verdict) == (reaction, verdict)]

    def as_json(self) -> dict[str, Any]:
        """For machines: of `alerts list --json`, the body of a webhook, a line of a file."""
        return {
            "id": self.id,
            "model": self.model,
            "state": self.state,
            "event": self.kind,
            **self.finding.as_json(),
            "raised": self.raised.isoformat(),
            "seen": self.seen.isoformat(),
            "count": self.count,
            "who": self.who,
            "why": self.why,
            "for": [*self.people],
            "reactions": [{**vars(each)} for each in self.reactions],
        }


def fold(model: str, events: Sequence[Event], before: Mapping[str, Alert] | None = None) -> dict[str, Alert]:
    """Alerts by their ids, oldest first.

    Args: before: what stood before these events.
    Raises: StoreError: a newer version wrote one of them.
    """
    alerts = dict(before or {})
    for event in events:
        try:
            alert = _raised(model, event) if event.kind == RAISED else _next(alerts[event.facts["alert"]], event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(
                f"event {event.sequence} of the alerts of {model} was written by a newer version ({error!r}); "
                "update totalml"
            ) from error
        alerts[alert.id] = alert
    return alerts


def _raised(model: str, event: Event) -> Alert:
    finding, when = Finding.from_json(event.facts["finding"]), _time(event)
    return Alert(
        id=f"{model}-{event.sequence}",
        model=model,
        finding=finding,
        state=RAISED,
        keys=frozenset({finding.key}),
        raised=when,
        told=when,
        seen=when,
        notice=event.sequence,
        kind=event.kind,
        mark=event.key,
        channels=tuple(map(str, event.facts["channels"])),
    )


def _next(alert: Alert, event: Event) -> Alert:
    facts, when = event.facts, _time(event)
    if event.kind in NOTICES:
        alert = replace(alert, notice=event.sequence, kind=event.kind, mark=event.key, told=when)
    if event.kind == UPDATED:
        return _updated(alert, facts, when)
    if event.kind == REPEATED:
        return replace(alert, count=alert.count + int(facts["times"]), seen=when)
    if event.kind in (ACKNOWLEDGED, RESOLVED):
        return replace(alert, state=event.kind, who=event.who, why=str(facts["why"]))
    if event.kind == REACTED:
        words = {name: str(facts[name]) for name in ("reaction", "verdict", "outcome", "sentence")}
        done = Reacted(**words, when=event.when)
        return replace(alert, reactions=(*alert.reactions, done))
    if event.kind in (CLAIMED, DELIVERED):
        return replace(alert, tried={**alert.tried, str(facts["channel"]): _tried(alert, event)})
    raise ValueError(event.kind)


def _updated(alert: Alert, facts: Mapping[str, Any], when: datetime) -> Alert:
    finding = Finding.from_json(facts["finding"])
    return replace(
        alert,
        finding=finding,
        # Whoever acknowledged it knew another alert than it is now.
        state=RAISED if is_another(alert.finding, finding) else alert.state,
        keys=alert.keys | {finding.key},
        channels=tuple(dict.fromkeys((*alert.channels, *map(str, facts["channels"])))),
        count=alert.count + int(facts["times"]),
        seen=when,
    )


def is_another(before: Finding, now: Finding) -> bool:
    """Whether people are to be told at once: another verdict, another release, or graver."""
    graver = SEVERITIES.index(now.severity) > SEVERITIES.index(before.severity)
    return graver or (before.verdict, before.release) != (now.verdict, now.release)


def _tried(alert: Alert, event: Event) -> Tried:
    before = alert.tried.get(event.facts["channel"], Tried())
    notice = int(event.facts["notice"])
    if event.kind == DELIVERED:
        return replace(before, delivered=max(before.delivered, notice))
    return Tried(notice, before.times + 1 if before.notice == notice else 1, _time(event), before.delivered)


def _time(event: Event) -> datetime:
    when = datetime.fromisoformat(event.when)
    if when.tzinfo is None:
        raise ValueError(f"a time without a zone, {event.when!r}")
    return when
