"""Ways to tell people: each takes an alert as it stands, and raises where it does not arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.error import URLError

from totalml.alerts.addressed import addressed
from totalml.alerts.alert_text import message, subject
from totalml.alerts.finding import SENTENCE, short_text
from totalml.alerts.secret import secret
from totalml.errors import AlertError, MissingExtraError, TotalmlError
from totalml.terminal import say

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.project import Place
    from totalml.recipe.alerting import AppriseRecipe, ChannelRecipe

WITHIN_S = 20.0  # a whole delivery; shorter than the shortest pause before another process tries
Send = Callable[["Alert"], None]


def deliver(channel: ChannelRecipe, alert: Alert, place: Place) -> str | None:
    """Args:
    place: below whose project files are written, and whose `team.yaml` says whose the alert is.

    Returns: what went wrong, in one line; None: it arrived.
    """
    problems: list[str | None] = [f"no answer within {WITHIN_S:g} s"]

    def work() -> None:
        try:
            _sender(channel, place)(addressed(alert, place.project))
            problems[:] = [None]
        except Exception as error:  # of sockets, servers, packages: whatever it is, the alert is kept
            problems[:] = [short_text(_in_words(error), SENTENCE)]

    # A thread of its own: no time-out of a socket ends one that answers byte by byte, and none holds for a name server.
    thread = threading.Thread(target=work, name=f"alert by {channel.title}", daemon=True)
    thread.start()
    thread.join(WITHIN_S)
    return problems[0]


def _in_words(error: Exception) -> str:
    if isinstance(error, TotalmlError):
        return str(error)
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        return _in_words(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"


def _sender(channel: ChannelRecipe, place: Place) -> Send:
    if channel.jsonl is not None:
        from totalml.alerts.jsonl import append_line

        file = channel.jsonl.file
        return lambda alert: append_line(place.project, file, alert)
    if channel.webhook is not None:
        from totalml.alerts.webhook import post

        webhook = channel.webhook
        return lambda alert: post(webhook, alert)
    if channel.email is not None:
        from totalml.alerts.mail import mail

        settings = channel.email
        return lambda alert: mail(settings, alert)
    if channel.apprise is not None:
        by_apprise = channel.apprise
        return lambda alert: _apprise(by_apprise, alert)
    if channel.wandb is not None:
        from totalml.alerts.by_wandb import tell_wandb

        return lambda alert: tell_wandb(alert, place)
    return lambda alert: say(message(alert))


def _apprise(settings: AppriseRecipe, alert: Alert) -> None:
    """Raises: MissingExtraError, AlertError."""
    try:
        import apprise
    except ImportError as error:
        raise MissingExtraError("apprise", "alerts", "the alert channel apprise") from error
    receiver = apprise.Apprise()
    if not receiver.add(secret(settings.url_variable)):
        raise AlertError(f"apprise knows no service by the URL in {settings.url_variable}")
    kind = apprise.NotifyType.FAILURE if alert.finding.severity == "page" else apprise.NotifyType.WARNING
    if not receiver.notify(title=subject(alert), body=message(alert), notify_type=kind):
        raise AlertError("apprise could not deliver it; its log says why")
