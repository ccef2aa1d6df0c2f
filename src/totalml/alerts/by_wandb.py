"""An alert of W&B, of the run that the release was made of; spoken by the process beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.alerts.alert_text import message, subject
from totalml.errors import AlertError
from totalml.identity import short

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.project import Place

PATIENCE_S = 12.0  # with what the companion adds, shorter than a delivery may take


def tell_wandb(alert: Alert, place: Place) -> None:
    """Raises: AlertError: the alert is of no release, W&B does not know its run, or does not answer."""
    from totalml.release.bundle import open_bundle
    from totalml.tracking.companion import asked
    from totalml.tracking.record import TrackingRecord

    release = alert.finding.release
    if not release:
        raise AlertError("an alert of no release has no run whose W&B alert it could be")
    facts = open_bundle(release, place.open_store()).facts
    record = TrackingRecord.load(place.runs / alert.model / facts["run_id"] / str(facts["attempt"]))
    if record is None or not record.sent:
        told = f"W&B does not know the run of release {short(release, 12)}"
        raise AlertError(f"{told}; totalml track sync sends runs that are tracked")
    job = {
        "title": subject(alert),
        "text": message(alert),
        "level": "ERROR" if alert.finding.severity == "page" else "WARN",
        "patience_s": PATIENCE_S,
        **{key: getattr(record, key) for key in ("id", "project", "entity")},
    }
    if problem := asked({"do": "alert", **job}, PATIENCE_S).get("problem"):
        raise AlertError(f"W&B did not take it: {problem}")
