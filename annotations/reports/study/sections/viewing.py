"""How each rater saw the images, as reported by their browser."""

from annotations.reports import view
from annotations.reports.documents.study import StudyDocument
from annotations.reports.numbers import counted, share
from annotations.reports.view import Block, Section

TITLE = "How the images were seen"


def viewing_headline(document: StudyDocument) -> str:
    """On how many cards viewing was reported, and how large images were; without the final full stop."""
    seen = document.viewing
    n, raters = sum(one.n_cards for one in seen), counted(len(seen), "rater")
    low, high = min(one.median_shown_px for one in seen), max(one.median_shown_px for one in seen)
    zoomed = sum(one.share_zoomed * one.n_cards for one in seen) / n
    width = f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"
    return (
        f"The browsers of {raters} reported it for {counted(n, 'card')}; images were {width} pixels of the screen wide "
        f"(each rater’s median), and raters zoomed on {share(zoomed)} of the cards"
    )


def viewing_sections(document: StudyDocument) -> list[Section]:
    head = ("rater", "cards", "width, px", "pixel ratio", "zoomed", "hidden", "answered by")
    rows = [
        (
            one.rater,
            f"{one.n_cards:,}",
            f"{one.median_shown_px:,.0f}",
            f"{one.median_pixel_ratio:g}",
            share(one.share_zoomed),
            "–" if one.share_hidden is None else share(one.share_hidden),
            ", ".join(f"{name} {n:,}" for name, n in one.inputs.items()),
        )
        for one in document.viewing
    ]
    note = (
        "Width: median in pixels of the screen. Zoomed: share of the cards. Hidden: share of the time between a card’s "
        "appearing and its answer in which the window was out of sight. Pages without a script report nothing."
    )
    blocks: list[Block] = [view.table(head, rows, numeric={1, 2, 3, 4, 5}), view.Paragraph(note, "note")]
    return [Section("viewing-raters", "Rater by rater", blocks, "viewing", "")]
