"""The error that stops an analysis of files: invalid rows."""

from typing import Literal

from exchange.rejects import RejectLog

OnBadValue = Literal["error", "exclude"]


class BadData(Exception):
    """Invalid rows; the message names the first one and how to fix it.

    is_all  nothing is left without them, so leaving them out is not offered
    """

    def __init__(self, log: RejectLog, *, is_all: bool = False) -> None:
        more = f" ({log.total - 1} more)" if log.total > 1 else ""
        said = "No row could be used." if is_all else "Or leave such rows out with --on-bad-value exclude."
        super().__init__(f"{log.first[0]}{more} {said}")
        self.log = log
