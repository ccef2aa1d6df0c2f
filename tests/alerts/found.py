"""What a monitor found, a clock that a test moves, and settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from totalml.alerts.finding import Finding, Sample
from totalml.recipe.alerting import AlertingRecipe

MODEL = "pints"
CONCEPT = Finding(
    verdict="concept",
    severity="page",
    sentence="Of pints rated by people under 25 it is wrong three times as often as before.",
    what="age under 25",
    release="blake3:" + 64 * "a",
    evidence=({"test": "labels", "e": 41.5},),
    since="2026-11-27T18:00:00+00:00",
    between=("2026-11-27T17:00:00+00:00", "2026-11-27T19:00:00+00:00"),
    samples=(Sample("request 1", input="blake3:" + 64 * "b", probability=0.25), Sample("request 2", id="second")),
)
TICKET = replace(CONCEPT, verdict="new covariate", severity="ticket")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


def settings(*channels: dict[str, Any], **more: Any) -> AlertingRecipe:
    """As YAML has them."""
    return AlertingRecipe.model_validate({"channels": [*channels], **more})
