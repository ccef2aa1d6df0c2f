"""From a window that alarms to an alert: told once, and told again as something else when labels say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.alerts.finding import Finding
from totalml.monitoring.verdict import CONCEPT, COVARIATE, OF_QUALITY, QUALITY, UNKNOWN

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.alerts.alerts import Alerts
    from totalml.monitoring.history import Looked


def tell(alerts: Alerts, looked: Looked) -> Alert:
    """Raises: StoreError: the store cannot be written; then nobody was told."""
    finding = finding_of(looked)
    if finding.verdict in (CONCEPT, COVARIATE):
        answered = (UNKNOWN, COVARIATE) if finding.verdict == CONCEPT else (UNKNOWN, CONCEPT)
        asked = next((each for each in alerts.open() if each.finding.verdict in answered), None)
        if asked is not None:
            # Inputs that are new to a model that errs on them are no second thing to be told of.
            return asked if asked.finding.verdict == CONCEPT else alerts.update(asked.id, finding)
    return alerts.raise_alert(finding)


def finding_of(looked: Looked) -> Finding:
    verdict = looked.verdict
    between = next((each.between for each in verdict.evidence if each.alarm and each.between), None)
    return Finding(
        verdict=verdict.cause,
        severity=verdict.severity,
        sentence=verdict.told,
        what=_what(looked),
        release=looked.release,
        evidence=tuple({"detector": each.detector, "told": each.told} for each in verdict.evidence if each.alarm),
        since=verdict.since or looked.since,
        between=between,
        samples=looked.samples,
    )


def _what(looked: Looked) -> str:
    """Two things wrong with the data are two alerts; the model errs only once."""
    quality = looked.verdict.of(OF_QUALITY)
    faults = quality.facts.get("faults", ()) if quality is not None and looked.verdict.cause == QUALITY else ()
    return " ".join(filter(None, (faults[0]["kind"], faults[0]["column"]))) if faults else ""
