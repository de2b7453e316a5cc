"""A site's answer to a call that it does not carry out."""

from collections.abc import Mapping, Sequence
from typing import Any


class Problem(Exception):
    """A refusal (RFC 9457): what is wrong, in which fields, and what to do.

    status  of the answer
    kind    a name for the kind of problem that does not change, such as "invalid" or "idempotency-key-reused"
    detail  a sentence
    cure    what to do; empty where the detail or the errors say it
    errors  each with `field`, `detail`, `cure` and, among several rows, `row`, from 1
    """

    def __init__(
        self, status: int, kind: str, detail: str, cure: str = "", errors: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.status, self.kind, self.detail, self.cure = status, kind, detail, cure
        self.errors = [dict(error) for error in errors]
        lines = [f"{detail} {cure}".strip()]
        for error in self.errors:
            if not error.get("field") and not error.get("row"):
                continue  # the detail has said it
            row = f"row {error['row']}, " if error.get("row") else ""
            lines.append(f"  {row}{error.get('field', '')}: {error.get('detail', '')} {error.get('cure', '')}".rstrip())
        super().__init__("\n".join(lines))

    @classmethod
    def of(cls, status: int, body: object) -> "Problem":
        """From an answer's JSON; anything else is described by its status alone."""
        if not isinstance(body, Mapping) or "detail" not in body:
            return cls(status, "unknown", f"The site answered with status {status}.")
        kind = str(body.get("type", "")).rpartition(":")[2]
        return cls(status, kind, str(body["detail"]), str(body.get("cure", "")), body.get("errors", ()))
