"""Put back what callers saw before, without a person: only where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from totalml.deployment.deployments import Deployments
from totalml.errors import AlertError, RecipeError
from totalml.identity import short
from totalml.recipe.gates import PRODUCTION
from totalml.registry import Aliases
from totalml.release.rollback import ROLLED_BACK, roll_back, same_release, target_of, told

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.registry import Promotion
    from totalml.store import Store

PROVEN = ("registered", "promoted")  # events before which the parity gate is asked
DONE = "it was rolled back because of this alert before"
PARITY = "parity: "  # begins what was overruled where it did not pass

T = TypeVar("T")
Allow = Callable[[Sequence["Promotion"], "Promotion"], None]


class _DoneError(Exception):
    """This alert rolled it back already."""


@dataclass(frozen=True)
class Way:
    """Where an alias would go back to.

    Args: arguments: of `totalml rollback`, without its reason.
    """

    alias: str
    target: Promotion
    arguments: tuple[str, ...]


def roll_back_for(alert: Alert, store: Store, cooldown: timedelta, clock: Callable[[], datetime]) -> str:
    """By the same event as of `totalml rollback`, whose reason names the alert; of several processes at once by one.

    Of every alias that callers see and that points at the release of the alert: `production`, and those that
    deployments follow.

    Returns: what was done.
    Raises:
        AlertError: it is refused: no alert of what callers see, nothing before it, no proof of it, too soon.
        StoreError: the store cannot be read or written, or the release is damaged.
    """
    allow, why = _allowed(alert, store, cooldown, clock), f"{reason(alert)}{alert.finding.sentence}"

    def back(alias: str) -> str:
        try:
            event, before = roll_back(store, alert.model, alias, why, allow=allow, other_model=True)
        except _DoneError:
            return DONE
        assert event is not None  # noqa: S101  # the one before is another one
        return told(alert.model, event, before)

    done, refused = _of_each(alert, store, back)
    return "; ".join([*done, *refused])


def would_roll_back(alert: Alert, store: Store, cooldown: timedelta, clock: Callable[[], datetime]) -> str:
    """As `roll_back_for`, which does it. Raises: AlertError: also where it was done already."""
    found = ways_back(alert, store, cooldown, clock)
    return "; ".join(
        f"would put {way.alias} of {alert.model} back to release {short(way.target.release, 12)}" for way in found
    )


def ways_back(alert: Alert, store: Store, cooldown: timedelta, clock: Callable[[], datetime]) -> list[Way]:
    """Raises: as `would_roll_back`."""
    aliases, allow = Aliases(store, alert.model), _allowed(alert, store, cooldown, clock)

    def way(alias: str) -> Way:
        history = aliases.history(alias)
        target = target_of(alert.model, alias, history, None, other_model=True)
        try:
            allow(history, target)
        except _DoneError as error:
            raise AlertError(DONE) from error
        straight = same_release(target, target_of(alert.model, alias, history, None))
        which = () if alias == PRODUCTION else ("--alias", alias)
        return Way(alias, target, (alert.model, *which, *(() if straight else ("--to", short(target.release, 12)))))

    return _of_each(alert, store, way)[0]


def _of_each(alert: Alert, store: Store, do: Callable[[str], T]) -> tuple[list[T], list[str]]:
    """What is done of some aliases, and why it is refused of others. Raises: AlertError: none can be done."""
    found, refused = [], []
    for alias in _seen_by_callers(alert, store):
        try:
            found.append(do(alias))
        except (AlertError, RecipeError) as error:
            refused.append(f"{alias} stays: {str(error).removeprefix('command line: ')}")
    if not found:
        raise AlertError("; ".join(refused))
    return found, refused


def _seen_by_callers(alert: Alert, store: Store) -> list[str]:
    """Those that point at the release of the alert; `production` where none does, to say what it points at."""
    aliases = Aliases(store, alert.model)
    known = dict.fromkeys((PRODUCTION, *Deployments(store, alert.model).followed()))
    standing = {alias: aliases.standing(alias) for alias in known}
    release = alert.finding.release
    return [alias for alias, at in standing.items() if at and release and at.release == release] or [PRODUCTION]


def reason(alert: Alert) -> str:
    """Begins the reason of what followed from an alert."""
    return f"alert {alert.id}: "


def _allowed(alert: Alert, store: Store, cooldown: timedelta, clock: Callable[[], datetime]) -> Allow:
    def allow(history: Sequence[Promotion], target: Promotion) -> None:
        if any(each.why.startswith(reason(alert)) for each in history):
            raise _DoneError
        _require_that_alert(alert, history)
        _require_proven(target, store, alert.model)
        _require_untried(target, history)
        _require_cool(history, cooldown, clock)

    return allow


def _require_that_alert(alert: Alert, history: Sequence[Promotion]) -> None:
    if alert.finding.release != history[-1].release:
        of = f"release {short(alert.finding.release, 12)}" if alert.finding.release else "no release"
        stands = short(history[-1].release, 12) or history[-1].version
        raise AlertError(f"the alert is of {of}, and {stands} is in {history[-1].alias} by now")


def _require_proven(target: Promotion, store: Store, model: str) -> None:
    events = [each for each in Aliases(store, model).history() if target.release and same_release(each, target)]
    if not any(each.how in PROVEN and not any(f.startswith(PARITY) for f in each.forced) for each in events):
        which = f"release {short(target.release, 12)}" if target.release else f"run {target.version} without a release"
        raise AlertError(f"{which}, which was there before, never passed its parity gate")


def _require_untried(target: Promotion, history: Sequence[Promotion]) -> None:
    for before, after in pairwise(history):
        if after.how == ROLLED_BACK and same_release(before, target):
            raise AlertError(f"release {short(target.release, 12)}, which was there before, was rolled back itself")


def _require_cool(history: Sequence[Promotion], cooldown: timedelta, clock: Callable[[], datetime]) -> None:
    """Not again soon after one without a person: by then the cause is another."""
    by_alerts = [each for each in history if each.how == ROLLED_BACK and each.why.startswith("alert ")]
    if by_alerts and clock() - datetime.fromisoformat(by_alerts[-1].when) < cooldown:
        raise AlertError(f"it was rolled back by an alert at {by_alerts[-1].when[:19]} already; a person decides now")
