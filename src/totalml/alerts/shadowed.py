"""Let the candidate of a deployment prove itself on what is met now: it scores the same requests, unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.deployment.judge import Judge
from totalml.deployment.stages import LIVE, SHADOW
from totalml.errors import AlertError
from totalml.identity import short

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.store import Store


def shadowed(alert: Alert, store: Store, deployment: str, why: str, dry_run: bool) -> str:
    """Returns: what was done.

    Raises: AlertError: it is refused. RecipeError, StoreError: as of `Judge`.
    """
    judge = Judge(store, alert.model, deployment, lambda _: None)
    challenger = judge.deployments.challenger(deployment)
    if challenger is None:
        raise AlertError(f"deployment {deployment} has no challenger, or it is what answers already")
    which = f"release {short(challenger.release, 12)}"
    if challenger.takes_part:
        return f"{which} is in stage {challenger.stage} of deployment {deployment}"
    if SHADOW not in judge.recipe.stages:
        raise AlertError(f"deployment {deployment} has no stage {SHADOW}")
    if challenger.stage == LIVE:
        raise AlertError(f"{which} was {LIVE} before, and people went back")
    if dry_run:
        return f"would bring {which} into stage {SHADOW} of deployment {deployment}"
    overruled = f"stage {challenger.stage}: {challenger.why}"
    if judge.move(challenger, SHADOW, f"{why}{alert.finding.verdict}", None, (overruled,)) is None:
        raise AlertError(f"{which} was moved by somebody else at this moment")
    return f"{which} is in stage {SHADOW} of deployment {deployment} now"
