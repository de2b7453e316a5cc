"""Prolific's API as far as the site needs it, and its webhooks.

Formats of requests and responses: docs.prolific.com/api-reference, submissions/get-submissions (a list in pages of
`results`, filtered by `study`), submissions/submission-object (the statuses), webhooks/receiving (the event) and
webhooks/verifying (the signature).
"""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotations.models import PanelVisit

TIMEOUT_S = 10.0
PAGE_SIZE = 100
MOST_PAGES = 100
MOST_BYTES = 8 * 2**20
OLDEST_S = 300
"""A webhook that was signed longer ago than this is refused, since it may be a replay."""
ENDED = {
    "RETURNED": PanelVisit.State.RETURNED,
    "TIMED-OUT": PanelVisit.State.TIMED_OUT,
    "TIMED OUT": PanelVisit.State.TIMED_OUT,
    "TIMED_OUT": PanelVisit.State.TIMED_OUT,
}
"""Statuses of a submission that end a visit even though its end was not reported here."""

PAID = "APPROVED"
"""The status at which the number of an erased person's submission is no longer needed."""


class ProlificFailed(Exception):
    """Prolific could not be reached, or its response could not be understood."""


@dataclass(frozen=True)
class Submission:
    """One participant's submission: its id is the visit's session."""

    session: str
    status: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """A redirect would send the token elsewhere, so it is not followed."""


@dataclass(frozen=True)
class Client:
    """address: the API's, without a slash at the end. The token never appears in a log or a message."""

    address: str
    token: str

    def submissions(self, study: str) -> Iterator[Submission]:
        """Every submission of a study, page by page. Raises ProlificFailed."""
        for page in range(1, MOST_PAGES + 1):
            query = urllib.parse.urlencode({"study": study, "page": page, "page_size": PAGE_SIZE})
            body = self._get(f"/api/v1/submissions/?{query}")
            rows = body.get("results")
            if not isinstance(rows, list):
                raise ProlificFailed("the list of submissions has no results")
            for row in rows:
                if isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("status"), str):
                    yield Submission(row["id"], row["status"].upper())
            if len(rows) < PAGE_SIZE:
                return

    def _get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 (the operator's own address, see settings)
            self.address + path, headers={"Authorization": f"Token {self.token}", "Accept": "application/json"}
        )
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
                body = json.loads(answer.read(MOST_BYTES))
        except (OSError, ValueError) as error:
            raise ProlificFailed(type(error).__name__) from error
        if not isinstance(body, dict):
            raise ProlificFailed("the answer is not an object")
        return body


def is_signed(*, body: bytes, signature: str, timestamp: str, secret: str, now: float | None = None) -> bool:
    """Whether Prolific signed this body recently: base64 of HMAC-SHA256 over time stamp and body."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 15:
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > OLDEST_S:
        return False
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode(errors="replace"))


def event(body: bytes) -> Submission | None:
    """The submission whose status a webhook reports; None for other events and for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("event_type") != "submission.status.change":
        return None
    session, status = found.get("resource_id"), found.get("status")
    return Submission(session, status.upper()) if isinstance(session, str) and isinstance(status, str) else None
