"""A POST of JSON, signed as the Standard Webhooks have it, for which most languages have a library.

Source: standardwebhooks.com. `webhook-id` is the same each time a notice is sent, so a receiver drops what it has.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from totalml.alerts.alert_text import message
from totalml.alerts.secret import secret
from totalml.errors import AlertError

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert
    from totalml.recipe.alerting import WebhookRecipe

SOCKET_S = 10.0
ENOUGH = 1000  # bytes of an answer
ENCODED = "whsec_"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed for one receiver is for no other, wherever the first one points."""

    def redirect_request(self, *told: Any, **more: Any) -> None:
        return None


def post(settings: WebhookRecipe, alert: Alert) -> None:
    """Raises: AlertError: it was refused. OSError: nobody answers."""
    body = json.dumps({"text": message(alert), **alert.as_json()}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "totalml", "webhook-id": alert.mark}
    headers |= {"Idempotency-Key": alert.mark, "webhook-timestamp": f"{int(time.time())}"}
    if settings.secret_variable:
        key = secret(settings.secret_variable)
        headers["webhook-signature"] = signature(key, alert.mark, headers["webhook-timestamp"], body)
    request = urllib.request.Request(settings.url, body, headers, method="POST")  # noqa: S310 - http(s), as validated
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SOCKET_S) as answer:
            answer.read(ENOUGH)
    except urllib.error.HTTPError as error:
        with error:
            where = f" to {error.headers['Location']}, which is not followed" if 300 <= error.code < 400 else ""
            raise AlertError(f"the receiver answered {error.code} {error.reason}{where}") from error


def signature(key: str, mark: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 of `mark.timestamp.body`.

    Args: key: bytes in base64 after `whsec_`, or any other text, which is taken as it is.
    """
    raw = key.encode()
    if key.startswith(ENCODED):
        try:
            raw = base64.b64decode(key.removeprefix(ENCODED), validate=True)
        except binascii.Error as error:
            raise AlertError(f"what follows {ENCODED} in the secret of the webhook is no base64") from error
    signed = hmac.new(raw, f"{mark}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
