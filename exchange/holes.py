"""Warnings about items with missing cells: the same sentences for imports and for `analyze`."""

from exchange.rejects import RejectLog

NO_PROMPT = "no prompt and cannot be compared"
NO_PROMPT_ID = "no prompt_id, and the prompt itself is used"
NO_METHOD = "no method and cannot be compared"


def warn_of_items(log: RejectLog, file: str, n: int, lacking: str, first_row: int) -> None:
    """Warn that n items lack something; there is no warning for 0 items."""
    if n:
        items = "1 item has" if n == 1 else f"{n:,} items have"
        log.warn(f"{file}: {items} {lacking}; the first is in row {first_row}.")


class Holes:
    """Empty cells of a column, noticed while a file is read row by row.

    A column that is empty throughout has no holes: the file does not give this for its items.
    """

    def __init__(self, lacking: str) -> None:
        self._lacking = lacking
        self._n, self._first, self._has_values = 0, 0, False

    def meet(self, row: int, *, is_empty: bool) -> None:
        """Record one item's cell."""
        if not is_empty:
            self._has_values = True
            return
        self._first = min(self._first or row, row)
        self._n += 1

    def warn(self, log: RejectLog, file: str) -> None:
        """Warn of the holes that were found, once the file has been read."""
        if self._has_values:
            warn_of_items(log, file, self._n, self._lacking, self._first)
