"""Signatures as the Standard Webhooks specify them (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac

from annotations.models.webhooks import SECRET_PREFIX


def signed_headers(*, secret: str, message: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The three headers that identify the message and its time, and carry the signature.

    The signature covers message id, time and body, so that none of them can be changed or sent again later.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}
