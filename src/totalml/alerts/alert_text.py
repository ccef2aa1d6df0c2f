"""An alert in plain words: for a console, the body of a message, and the subject of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from totalml.alerts.alert import ACKNOWLEDGED, RESOLVED
from totalml.alerts.finding import short_text
from totalml.identity import short
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert

SUBJECT = 150  # characters
PIECES = 8  # of evidence that a message shows
SHOWN = 160  # characters of a piece


def to_the_minute(moment: str) -> str:
    """`2026-03-09T00:00 UTC`. Args: moment: ISO 8601 with its zone."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M} UTC"


def subject(alert: Alert) -> str:
    """One line."""
    finding = alert.finding
    state = f"{alert.state}: " if alert.state in (ACKNOWLEDGED, RESOLVED) else ""
    about = f" ({finding.what})" if finding.what else ""
    return short_text(f"[{finding.severity}] {alert.model}: {state}{finding.verdict}{about}, {alert.id}", SUBJECT)


def message(alert: Alert) -> str:
    """Lines: what happened, since when, what shows it, what was done, and what to do."""
    finding = alert.finding
    lines = [subject(alert), finding.sentence]
    if alert.people:
        lines.append(f"for: {', '.join(alert.people)}")
    if alert.state == RESOLVED:
        lines.append(f"resolved by {alert.who}: {alert.why}")
    if finding.since:
        between = f" (between {' and '.join(map(to_the_minute, finding.between))})" if finding.between else ""
        lines.append(f"since {to_the_minute(finding.since)}{between}")
    if finding.release:
        lines.append(f"release {short(finding.release, 12)}")
    lines += [f"  {told(each)}" for each in finding.evidence[:PIECES]]
    if finding.samples:
        some = ", ".join(short_text(each.request_id, SHOWN) for each in finding.samples[:3])
        lines.append(f"shown by {counted(len(finding.samples), 'request')}, such as {some}")
    lines += [f"{each.reaction}, {each.outcome}: {each.sentence}" for each in alert.reactions]
    if alert.is_open:
        lines.append(f'to take it: totalml alerts ack {alert.id} --why "..."; resolve says that it is over')
    return "\n".join(lines)


def told(piece: Mapping[str, Any]) -> str:
    """`name=score, p=0.001`."""
    return short_text(", ".join(f"{key}={_number(value)}" for key, value in piece.items()), SHOWN)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
