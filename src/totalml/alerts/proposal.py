"""What a person may do about an alert: one sentence with the exact command."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from totalml.alerts.retrain import proposed
from totalml.alerts.rolling_back import reason, ways_back
from totalml.errors import TotalmlError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from totalml.alerts.alert import Alert
    from totalml.project import Place
    from totalml.recipe.alerting import AlertingRecipe
    from totalml.store import Store


def proposal(
    alert: Alert, store: Store, settings: AlertingRecipe, place: Place | None, clock: Callable[[], datetime]
) -> str:
    verdict, model = alert.finding.verdict, alert.model
    over = f'totalml alerts resolve {alert.id} --why "..."'
    again = proposed(model, settings.retrain, place)
    if verdict == "data quality":
        return f"mend what sends the data, the model need not change; then {over}"
    if verdict == "new covariate":
        return f"label what is new: totalml feedback {model} labels.csv; if it errs there: {again}"
    if verdict not in ("concept", "unknown"):
        return f"nothing need be done; {over}"
    try:
        ways = ways_back(alert, store, timedelta(0), clock)
    except TotalmlError as error:
        return f"train with newer labels: {again} (not rolled back: {error})"
    why = ("--why", reason(alert) + verdict)
    back = "; ".join(shlex.join(["totalml", "rollback", *way.arguments, *why]) for way in ways)
    return f"{'' if verdict == 'concept' else 'look first; if it errs: '}{back}; or train with newer labels: {again}"
