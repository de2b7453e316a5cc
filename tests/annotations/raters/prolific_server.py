"""A stand-in for Prolific's API that holds each request to the public documentation.

    with ProlificServer() as server:
        settings.PROLIFIC_ADDRESS = server.url
        server.submissions["s1"] = "ACTIVE"

It checks what docs.prolific.com says of `GET /api/v1/submissions/` (api-reference/submissions/get-submissions): the
`Authorization` header of the form `Token <token>`, and the query parameters `study`, `page` and `page_size`. A request
of another form is answered with 400 or 401 and noted in `wrong`. `sign` makes the headers of a webhook as in
api-reference/webhooks/verifying.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

STATUSES = {
    *("RESERVED", "ACTIVE", "TIMED-OUT", "AWAITING REVIEW", "APPROVED", "RETURNED", "REJECTED", "SCREENED OUT"),
}
TOKEN = "a-token-of-prolific"
SECRET = "a-secret-for-webhooks"
PARAMETERS = {"study", "status", "page", "page_size"}


class ProlificServer:
    """`submissions` maps the id of a submission to its status; all belong to `study`."""

    def __init__(self, study: str = "65f0aa") -> None:
        self.study = study
        self.submissions: dict[str, str] = {}
        self.participants: dict[str, str] = {}
        self.wrong: list[str] = []
        self.n_requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.n_requests += 1
                status, body = outer.answer(self.path, self.headers.get("Authorization", ""))
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Nothing: a test looks at `wrong`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, target: str, authorization: str) -> tuple[int, dict[str, Any]]:
        if authorization != f"Token {TOKEN}":
            return self._refuse(401, f"authorization {authorization!r}")
        parts = urlsplit(target)
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if parts.path != "/api/v1/submissions/":
            return self._refuse(404, f"path {parts.path}")
        if unknown := set(query) - PARAMETERS:
            return self._refuse(400, f"unknown parameters {unknown}")
        if query.get("study") != [self.study]:
            return self._refuse(400, f"study {query.get('study')}")
        page, size = (int(query.get(name, [default])[0]) for name, default in (("page", "1"), ("page_size", "20")))
        rows = [
            {"id": key, "participant_id": self.participants.get(key, ""), "study_id": self.study, "status": status}
            for key, status in sorted(self.submissions.items())
        ]
        assert {row["status"] for row in rows} <= STATUSES
        return 200, {"results": rows[(page - 1) * size : page * size], "meta": {"count": len(rows)}}

    def _refuse(self, status: int, why: str) -> tuple[int, dict[str, Any]]:
        self.wrong.append(why)
        return status, {"error": {"title": why}}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers with which Prolific sends a webhook."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()
    return {
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Prolific-Request-Signature": base64.b64encode(digest).decode(),
    }


def status_event(session: str, status: str, participant: str = "p") -> bytes:
    """The body of `submission.status.change`, as in api-reference/webhooks/receiving."""
    event = {
        "resource_id": session,
        "event_type": "submission.status.change",
        "participant_id": participant,
        "status": status,
    }
    return json.dumps(event).encode()
