"""A message by SMTP; its Message-ID is the same each time a notice is sent, so a mailbox drops what it has."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from totalml.alerts.alert_text import message, subject
from totalml.alerts.secret import secret
from totalml.errors import AlertError

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.recipe.alerting import EmailRecipe

SOCKET_S = 10.0


def mail(settings: EmailRecipe, alert: Alert) -> None:
    """Raises: AlertError: it was refused. OSError: nobody answers."""
    password = secret(settings.password_variable) if settings.user is not None else ""
    try:
        with _connected(settings) as server:
            if settings.user is not None:
                server.login(settings.user, password)
            if refused := server.send_message(_message(settings, alert)):
                raise AlertError(f"{settings.host} did not take it for {', '.join(refused)}")
    except smtplib.SMTPException as error:
        raise AlertError(f"{settings.host} refused it: {error}") from error


def _connected(settings: EmailRecipe) -> smtplib.SMTP:
    where = settings.host, settings.port
    if settings.tls == "implicit":
        return smtplib.SMTP_SSL(*where, timeout=SOCKET_S, context=ssl.create_default_context())
    server = smtplib.SMTP(*where, timeout=SOCKET_S)
    if settings.tls == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _message(settings: EmailRecipe, alert: Alert) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = settings.sender, ", ".join(settings.to)
    letter["Subject"] = subject(alert)
    letter["Date"] = format_datetime(alert.told)
    letter["Message-ID"] = f"<{alert.mark}@{settings.sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # so that no machine answers it
    letter.set_content(message(alert))
    return letter
