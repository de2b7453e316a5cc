"""Ready-made dimensions: a question, its worded scale, and the source of the wording.

A preset is only a start: it is copied into the study, where every word may be changed before the study opens.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import Dimension, Study


@dataclass(frozen=True)
class Preset:
    """A dimension as data. `levels` are (value, label) in ascending order of value; values are decimal text.

    `only_for` names the one kind of item for which the question makes sense; empty means any.
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
    parameters: dict[str, Any] = field(default_factory=dict)

    def level_rows(self) -> list[dict[str, str]]:
        """The levels as `Dimension.levels` stores them."""
        return [{"value": value, "label": label} for value, label in self.levels]

    def fields(self) -> dict[str, Any]:
        """Everything that a `Dimension` needs except its study and position."""
        return {
            "name": self.name,
            "question": self.question,
            "kind": self.kind,
            "about": self.about,
            "levels": self.level_rows(),
            "allows_unable": self.allows_unable,
            "parameters": dict(self.parameters),
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

SIDES = ("left", "right")
TIES = ("both good", "both bad")
PREFERENCE = Preset(
    key="preference",
    title=_("Preference between two images"),
    source=_("For pairs; left and right are sides of the screen, chosen at random for each rater"),
    name="preference",
    question="Which image matches the prompt better?",
    levels=tuple((str(value), label) for value, label in enumerate((*SIDES, *TIES, "unsure"), start=1)),
    kind=Dimension.Kind.NOMINAL,
    about=Dimension.About.ITEM,
    allows_unable=False,
    only_for=Study.ItemKind.PAIR,
    parameters={"names_sides": True},
)

MOST_RANKED = 12
"""The most images on one card that raters can put in order: letters A to L."""
PLACES = tuple((str(place), str(place)) for place in range(1, MOST_RANKED + 1))

RANKING = Preset(
    key="ranking",
    title=_("Ranking of all images"),
    source=_("For all images of a prompt together: letters from best to worst, = for ties"),
    name="ranking",
    question="Put the images in order, the one that matches the prompt best first.",
    levels=PLACES,
    kind=Dimension.Kind.RANKING,
    only_for=Study.ItemKind.PROMPT,
)

BEST, NEITHER, WORST = 0, 1, 2
"""The levels of best and worst."""
BEST_WORST = Preset(
    key="best-worst",
    title=_("Best and worst image"),
    source=_("Best–worst scaling (Louviere 1991): two keys per prompt"),
    name="best-worst",
    question="Which image matches the prompt best, and which worst?",
    levels=(("1", "best"), ("2", "neither"), ("3", "worst")),
    kind=Dimension.Kind.BEST_WORST,
    only_for=Study.ItemKind.PROMPT,
)

PRESETS: dict[str, Preset] = {
    preset.key: preset for preset in (ALIGNMENT, FAITHFULNESS, ACCEPTANCE, PREFERENCE, RANKING, BEST_WORST)
}
DEFAULT = ALIGNMENT


def names_sides(dimension: Dimension) -> bool:
    """Whether the first two levels are the left and the right side of the screen, as in the preference preset.

    The question says so by its parameter `names_sides`, whatever the levels are called. Questions without it are
    recognised by the words left and right.
    """
    if dimension.kind not in (Dimension.Kind.NOMINAL, Dimension.Kind.ORDINAL):
        return False
    if dimension.parameters.get("names_sides"):
        return True
    words = tuple(level["label"] for level in dimension.levels[:2])
    is_about_all = dimension.about == Dimension.About.ITEM
    return words == SIDES or (is_about_all and tuple(word.casefold() for word in words) == SIDES)


_LEFT = {"left", "links", "linke", "linker", "linkes", "linken", "izquierda", "izquierdo", "gauche", "sinistra"}
_LEFT |= {"esquerda", "يسار", "اليسار", "يسرى", "اليسرى", "слева", "левое", "левая"}
_RIGHT = {"right", "rechts", "rechte", "rechter", "rechtes", "rechten", "derecha", "derecho", "droite", "destra"}
_RIGHT |= {"direita", "يمين", "اليمين", "يمنى", "اليمنى", "справа", "правое", "правая"}


def side_named(label: str) -> str:
    """The side that an answer seems to name, "left" or "right", in the site's and some other languages; "" for neither
    or both."""
    words = set(re.findall(r"\w+", label.casefold()))
    is_left, is_right = bool(words & _LEFT) or "左" in label, bool(words & _RIGHT) or "右" in label
    return "" if is_left == is_right else SIDES[is_right]


def has_unmarked_sides(dimension: Dimension) -> bool:
    """Whether one answer about a whole pair seems to be its left image and one its right, and the question does not say
    that they are. Several answers for each side are degrees of a preference, whose levels do not count as votes."""
    is_choice = dimension.kind in (Dimension.Kind.NOMINAL, Dimension.Kind.ORDINAL)
    if not is_choice or dimension.about != Dimension.About.ITEM or names_sides(dimension):
        return False
    named = [side_named(level["label"]) for level in dimension.levels]
    return all(named.count(side) == 1 for side in SIDES)
