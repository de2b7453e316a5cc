"""Facts about a study that checklists, the methods section and the data card need and that only its researchers
know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """key: its name in `Design.notes`; where: the places that print it."""

    key: str
    asks: str
    help: str
    where: str


GROUPS: Mapping[str, Sequence[Asked]] = {
    "Images": (
        Asked(
            "sampling",
            "How prompts and images were chosen",
            "Which seeds, and that none was replaced.",
            "Otani 2, GRRAS 7",
        ),
        Asked("interface", "Where the paper shows the rating card", "For example: Appendix B, Figure 7.", "Otani 6"),
    ),
    "Raters": (
        Asked("raters", "Whom the raters represent", "For example: adults who use image generators.", "GRRAS 4"),
        Asked(
            "recruitment", "How raters were found and qualified", "Panel, filters, screening.", "Otani 8, HEDS 3.2.3"
        ),
        Asked("payment", "Pay per hour, and how it was set", "Or that raters were not paid.", "Otani 9"),
        Asked(
            "characteristics",
            "Who the raters were",
            "Age, languages, expertise, colour vision, as far as you asked.",
            "GRRAS 12, HEDS 3.2.5",
        ),
        Asked("relation", "How raters and authors are related", "For example: none knew the authors.", "methods"),
    ),
    "Ethics": (
        Asked("ethics", "Ethics review", "The board and its number, or why none was needed.", "Otani 15, HEDS 5.1"),
        Asked("harm", "Content that may harm, and what was done about it", "Warnings, skipping, support.", "HEDS 5.4"),
        Asked("special_data", "Sensitive personal data", "Which, and how they are protected; or none.", "HEDS 5.3"),
    ),
    "Publication": (
        Asked("paper", "The paper", "Title, address or DOI.", "HEDS 1.1.1"),
        Asked("resources", "Where data and code are", "An address or DOI.", "data card"),
        Asked("contact", "Contact", "Name of an author, and how to reach them.", "HEDS 1.3, data card"),
        Asked("licence", "Licence of the data", "For example: CC BY 4.0.", "data card"),
        Asked("funding", "Funding and competing interests", "", "methods"),
    ),
}
ASKED = tuple(asked for group in GROUPS.values() for asked in group)
