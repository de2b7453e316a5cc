"""How the images of a card were seen before it was answered, as reported by the rater's browser.

It is sent as one short field, `SIZES;RATIO;ZOOM;DECODED;VISIBLE;HIDDEN;INPUT`: `512x512,512x512;2;1;1;8123;0;k`. It
records what the browser showed, not where the rater looked. Pages without a script do not send it.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from exchange.export import Column

INPUTS = {"k": "keyboard", "m": "mouse", "t": "touch", "p": "pen"}
LONGEST = 2000
MOST = 2**31 - 1
_SHAPE = re.compile(
    r"(?P<sizes>\d{1,5}x\d{1,5}(?:,\d{1,5}x\d{1,5})*);(?P<ratio>\d{1,3}(?:\.\d{1,3})?);(?P<zoom>\d{1,2});"
    r"(?P<decoded>[01]);(?P<visible>\d{1,15});(?P<hidden>\d{1,15});(?P<input>[kmtp]?)"
)

VIEWING = (
    Column("shown_width", "integer", "CSS px", "How wide the image was shown, before any zoom; empty: not recorded."),
    Column("shown_height", "integer", "CSS px", "How high the image was shown. Of several, the smallest one."),
    Column("device_pixel_ratio", "number", "> 0", "Pixels of the screen for one CSS px, browser zoom included."),
    Column("zoom", "integer", "1, 2, 4", "The largest zoom that was used on the card."),
    Column("was_decoded", "boolean", "", "Whether every image of the card was there, ready to be drawn."),
    Column("visible_ms", "integer", "ms", "From the card's appearing to the answer: how long its window was in sight."),
    Column("hidden_ms", "integer", "ms", "The same: how long its window was hidden by another, or the screen was off."),
    Column("input", "text", "keyboard, mouse, touch, pen", "What was pressed last before the card was sent."),
)
SUMMARY = (
    Column("n_viewed", "integer", "≥ 0", "Cards for which the browser reported how the images were seen."),
    Column("median_shown_px", "number", "px", "Median width, in pixels of the screen, at which images were shown."),
    Column("median_pixel_ratio", "number", "> 0", "Median of the screen's pixels for one CSS px."),
    Column("share_zoomed", "number", "0 to 1", "Share of these cards on which the rater zoomed."),
    Column("share_hidden", "number", "0 to 1", "Share of the time of these cards in which the window was hidden."),
    Column("inputs", "text", "", "How the answers were given, with the number of cards."),
)


def parse_viewing(text: str) -> dict[str, Any] | None:
    """In the format of `Response.viewing`; None for anything other than such a field.

    {"sizes": [[width, height], …] by place from the left, "ratio", "zoom", "decoded", "visible_ms", "hidden_ms",
    "input"}; a reference image's size, which is sent after them, is kept separately as "reference"
    """
    found = _SHAPE.fullmatch(text) if len(text) <= LONGEST and text.isascii() else None
    if found is None:
        return None
    return {
        "sizes": [[int(side) for side in size.split("x")] for size in found["sizes"].split(",")],
        "ratio": float(found["ratio"]),
        "zoom": int(found["zoom"]),
        "decoded": found["decoded"] == "1",
        "visible_ms": min(int(found["visible"]), MOST),
        "hidden_ms": min(int(found["hidden"]), MOST),
        "input": INPUTS.get(found["input"], ""),
    }


def viewing_cells(viewing: dict[str, Any] | None, place: int | None) -> tuple[object, ...]:
    """Cells of VIEWING. place: of the image that the answer is about, from 0; None for all of them."""
    if viewing is None:
        return (None,) * len(VIEWING)
    sizes = viewing["sizes"]
    width, height = sizes[place] if place is not None and place < len(sizes) else min(sizes)
    times = (viewing["visible_ms"], viewing["hidden_ms"])
    return width, height, viewing["ratio"], viewing["zoom"], viewing["decoded"], *times, viewing["input"]


@dataclass(frozen=True)
class Summary:
    """One rater's cards: the figures of SUMMARY, and how many cards were sent with each input."""

    n_cards: int
    median_px: float
    median_ratio: float
    share_zoomed: float
    share_hidden: float | None
    inputs: Counter[str]


def summary_of(seen: Sequence[dict[str, Any]]) -> Summary:
    """The summary of one viewing per card, at least one."""
    widths = [min(size[0] for size in one["sizes"]) * one["ratio"] for one in seen]
    hidden, total = sum(one["hidden_ms"] for one in seen), sum(one["hidden_ms"] + one["visible_ms"] for one in seen)
    return Summary(
        len(seen),
        round(median(widths), 1),
        round(median(one["ratio"] for one in seen), 2),
        sum(one["zoom"] > 1 for one in seen) / len(seen),
        hidden / total if total else None,
        Counter(one["input"] for one in seen if one["input"]),
    )


def summary_cells(found: Summary | None) -> tuple[object, ...]:
    """Cells of SUMMARY. None: nothing was reported."""
    if found is None:
        return (0, *(None,) * (len(SUMMARY) - 1))
    inputs = ", ".join(f"{name} {n}" for name, n in found.inputs.most_common())
    return found.n_cards, found.median_px, found.median_ratio, found.share_zoomed, found.share_hidden, inputs
