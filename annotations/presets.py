"""Ready-made dimensions: a question, its worded scale, and where the wording is from.

A preset is only a beginning: it is copied into the study, where every word may be changed before the study opens.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import Dimension, Study


@dataclass(frozen=True)
class Preset:
    """A dimension as data. `levels` are (value, label) in ascending order of value; values are decimal text.

    `only_for` names the one kind of item that the question makes sense for; empty means any.
    The question and the labels are kept in the language they were validated in: raters must all read the same words.
    """

    key: str
    title: Promise | str
    source: Promise | str
    name: str
    question: str
    levels: tuple[tuple[str, str], ...]
    kind: str = Dimension.Kind.ORDINAL
    about: str = Dimension.About.IMAGE
    allows_unable: bool = True
    only_for: str = ""

    def level_rows(self) -> list[dict[str, str]]:
        """The levels as `Dimension.levels` stores them."""
        return [{"value": value, "label": label} for value, label in self.levels]

    def fields(self) -> dict[str, Any]:
        """Everything a `Dimension` needs but its study and position."""
        return {
            "name": self.name,
            "question": self.question,
            "kind": self.kind,
            "about": self.about,
            "levels": self.level_rows(),
            "allows_unable": self.allows_unable,
        }


ALIGNMENT = Preset(
    key="alignment",
    title=_("Match with the prompt, five levels"),
    source=_("Otani et al., CVPR 2023"),
    name="alignment",
    question="Does the image match the prompt?",
    levels=(
        ("1", "does not match at all"),
        ("2", "significant discrepancies"),
        ("3", "several minor discrepancies"),
        ("4", "a few minor discrepancies"),
        ("5", "matches exactly"),
    ),
)

FAITHFULNESS = Preset(
    key="faithfulness",
    title=_("Faithfulness to the instructions, five levels"),
    source=_("Worded after DetailScribe (Gu & Mao 2025); not a quotation"),
    name="faithfulness",
    question="How faithfully does the image follow every part of the prompt, above all who does what with what?",
    levels=(
        ("1", "follows hardly any part of it"),
        ("2", "shows the subjects, but not what they do together"),
        ("3", "shows the interaction in part or with clear faults"),
        ("4", "shows the interaction; small details are off"),
        ("5", "follows every part of it"),
    ),
)

ACCEPTANCE = Preset(
    key="acceptance",
    title=_("Action depicted, yes or no"),
    source=_("The acceptance question of AcT2I"),
    name="acceptance",
    question="Is the action depicted?",
    levels=(("0", "no"), ("1", "yes")),
)

PREFERENCE = Preset(
    key="preference",
    title=_("Preference between two images"),
    source=_("For pairs; left and right are sides of the screen, drawn anew for each rater"),
    name="preference",
    question="Which image matches the prompt better?",
    levels=(("1", "left"), ("2", "right"), ("3", "both good"), ("4", "both bad"), ("5", "unsure")),
    kind=Dimension.Kind.NOMINAL,
    about=Dimension.About.ITEM,
    allows_unable=False,
    only_for=Study.ItemKind.PAIR,
)

PRESETS: dict[str, Preset] = {preset.key: preset for preset in (ALIGNMENT, FAITHFULNESS, ACCEPTANCE, PREFERENCE)}
DEFAULT = ALIGNMENT


def names_sides(dimension: Dimension) -> bool:
    """Whether the first two levels are the left and the right side of the screen, as in the preference preset."""
    return [level["label"] for level in dimension.levels[:2]] == [label for _value, label in PREFERENCE.levels[:2]]
