"""Check that a message to your address comes from the site, and is recent."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

FRESH_S = 300


class NotOurs(Exception):
    """The message is not signed with this secret, or was sent too long ago."""


def verified(body: bytes, headers: Mapping[str, str], secret: str, *, fresh_s: int = FRESH_S) -> dict[str, Any]:
    """The event of a message, signed as Standard Webhooks specifies. Raises NotOurs.

    A message that is sent again has the same `webhook-id`: keep the ids that you have seen.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > fresh_s:
        raise NotOurs("The message was sent too long ago, or does not say when.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    wanted = base64.b64encode(digest)
    signatures = [part.partition(",")[2] for part in given.get("webhook-signature", "").split() if part[:3] == "v1,"]
    if not any(hmac.compare_digest(wanted, signature.encode()) for signature in signatures):
        raise NotOurs("The message is not signed with this secret.")
    event: dict[str, Any] = json.loads(body)
    return event
