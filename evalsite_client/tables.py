"""Rows as data frames, if pandas is installed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]
TIMES = ("shown_at", "answered_at", "received_at")


def data_frame(rows: Sequence[Row]) -> "pandas.DataFrame":
    """One line per row, with times as times, and values as numbers if all of them are.

    Raises ImportError, which says what to install, if pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "A data frame needs pandas: pip install 'evalsite-client[pandas]', or use the rows"
        ) from error
    frame = pandas.DataFrame(list(rows))
    for name in TIMES:
        if name in frame:
            frame[name] = pandas.to_datetime(frame[name], utc=True, format="ISO8601")
    if "value" in frame:
        with suppress(TypeError, ValueError):  # some question of the study may be answered with words
            frame["value"] = pandas.to_numeric(frame["value"])
    return frame
