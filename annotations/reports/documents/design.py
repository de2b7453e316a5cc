"""How a study was carried out, as far as the site knows: methods sections and checklists are written from it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Design:
    """The design that was really used.

    item_kind          "image", "pair" or "prompt" (all images of a prompt together)
    order              "shuffled" for each rater, or "fixed"
    n_items            laid out; n_items_complete: those with as many raters as asked for
    n_joined           raters who joined; n_consented: those of them whose consent is on record
    imported_share     share of counted answers, 0…1, that were imported: their order, time and blinding are not known
    n_changed          answers that their rater changed; the last version counts
    allows_unable      names of the questions that offer “unable to answer”
    first_answer, last_answer   ISO 8601, "" without an answer
    median_seconds     active seconds per answer; None where unknown
    further_raters     the rule for further raters of disputed items in words; "" for none
    further_prompts    the rule for further prompts of a close comparison and its outcome; "" for none
    cut_prompts        (method, images whose prompt an encoder read only in part, images) of each such method
    n_orders           by question that puts the images of a card in order: how many cards were answered so
    n_unable_orders    the same, of answers that are “unable to answer”
    notes              what only the researchers know (recruitment, payment, ethics…), by its name in the checklists
    """

    item_kind: str
    raters_per_item: int
    items_per_rater: int | None
    order: str
    seed: int
    batch_size: int
    lease_minutes: int
    instructions: str
    consent: str
    exclusion_rule: str
    n_items: int
    n_items_complete: int
    n_joined: int
    n_consented: int
    imported_share: float
    n_changed: int
    allows_unable: tuple[str, ...]
    first_answer: str
    last_answer: str
    median_seconds: float | None
    is_simulated: bool = False
    notes: dict[str, str] | None = None
    further_raters: str = ""
    further_prompts: str = ""
    cut_prompts: tuple[tuple[str, int, int], ...] = ()
    n_orders: dict[str, int] = field(default_factory=dict)
    n_unable_orders: dict[str, int] = field(default_factory=dict)

    @property
    def shown_at_once(self) -> str:
        """What raters saw at once, as a noun: an item with one image, a pair, or a card with all images of a prompt."""
        return {"pair": "pair", "prompt": "card"}.get(self.item_kind, "item")


@dataclass(frozen=True, kw_only=True)
class ViewingOfRater:
    """How one rater saw the images of the cards for which their browser reported it.

    median_shown_px      width of the images in screen pixels, before any zoom; of the narrowest if there are several
    median_pixel_ratio   pixels of the screen for one CSS px
    share_zoomed         of the cards, 0…1
    share_hidden         of the time from a card's appearing to its answer, 0…1; None where no time was reported
    inputs               cards by how they were answered (keyboard, mouse, touch, pen), the most frequent first
    """

    rater: str
    n_cards: int
    median_shown_px: float
    median_pixel_ratio: float
    share_zoomed: float
    share_hidden: float | None
    inputs: dict[str, int] = field(default_factory=dict)
