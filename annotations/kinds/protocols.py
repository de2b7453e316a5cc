"""Published ways to ask about images, each available with one click: what is shown, and every question with its words.

`docs/protocols.md` says for each which wording is the paper's and which is ours. Studies with the same questions can be
pooled; `protocol_of` recognises them by their questions, not by their name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import Dimension, Study
from annotations.questions import ACCEPTANCE, ALIGNMENT, FAITHFULNESS, PREFERENCE, RANKING, Preset


@dataclass(frozen=True)
class Protocol:
    """Questions and their subjects. version: raised when a word that raters read changes.

    source: who published it. is_quoted: whether raters read the published words.
    """

    key: str
    title: Promise | str
    source: str
    questions: tuple[Preset, ...]
    item_kind: str = Study.ItemKind.IMAGE
    version: int = 1
    is_quoted: bool = False


def _preset(name: str, question: str, levels: Sequence[tuple[str, str]], **fields: object) -> Preset:
    return Preset(name, "", "", name, question, tuple(levels), **fields)  # type: ignore[arg-type]  # fields of Preset


_SC = _preset(
    "semantic-consistency",
    "Does the image follow the prompt?",
    (("0", "not at all, or not one of its conditions"), ("0.5", "in part"), ("1", "yes, the overall idea is right")),
)
_PQ = _preset(
    "perceptual-quality",
    "Does the image look genuine?",
    (
        ("0", "obvious distortions or artefacts make objects unrecognisable"),
        ("0.5", "unnatural, or with minor artefacts"),
        ("1", "yes, it looks genuine"),
    ),
)
_MATCH = _preset("match", "How well does the image match the description?", ALIGNMENT.levels)
_CONSISTENT = _preset(
    "consistency",
    "How consistent is the image with the prompt?",
    (
        ("1", "inconsistent"),
        ("2", "mostly inconsistent"),
        ("3", "somewhat consistent"),
        ("4", "mostly consistent"),
        ("5", "consistent"),
    ),
)
_WORDS = _preset(
    "words",
    "Mark each word of the prompt that the image does not show, or about which you are unsure.",
    (("1", "aligned"), ("2", "not aligned"), ("3", "unsure")),
    kind=Dimension.Kind.WORDS,
)
_SIDES = _preset(
    "side-by-side",
    "Which image is more consistent with the prompt?",
    (("1", "left"), ("2", "right"), ("3", "both equally"), ("4", "unsure")),
    kind=Dimension.Kind.NOMINAL,
    about=Dimension.About.ITEM,
    allows_unable=False,
    parameters={"names_sides": True},
)
_DSG = _preset("dsg", "What does the image show?", (), kind=Dimension.Kind.PARTS)
_ARENA = _preset(
    "vote",
    "Which image is better?",
    (("1", "left"), ("2", "right"), ("3", "tie"), ("4", "both bad")),
    kind=Dimension.Kind.NOMINAL,
    about=Dimension.About.ITEM,
    allows_unable=False,
    parameters={"names_sides": True},
)

PROTOCOLS: dict[str, Protocol] = {
    protocol.key: protocol
    for protocol in (
        Protocol("otani-2023", _("Alignment after Otani"), "Otani et al., CVPR 2023", (ALIGNMENT,), is_quoted=True),
        Protocol("detailscribe", _("DetailScribe"), "Gu & Mao 2025", (FAITHFULNESS, PREFERENCE), Study.ItemKind.PAIR),
        Protocol("act2i", _("AcT2I"), "Malaviya et al. 2025", (ACCEPTANCE,), is_quoted=True),
        Protocol("imagenhub", _("ImagenHub: SC and PQ"), "Ku et al., ICLR 2024", (_SC, _PQ)),
        Protocol("genai-bench", _("GenAI-Bench"), "Li et al. 2024", (_MATCH,)),
        Protocol("gecko-likert", _("Gecko: Likert"), "Wiles et al., ICLR 2025", (_CONSISTENT,)),
        Protocol("gecko-words", _("Gecko: words"), "Wiles et al., ICLR 2025", (_WORDS,)),
        Protocol("gecko-pairs", _("Gecko: side by side"), "Wiles et al., ICLR 2025", (_SIDES,), Study.ItemKind.PAIR),
        Protocol("dsg", _("Davidsonian scene graph (DSG)"), "Cho et al., ICLR 2024", (_DSG,)),
        Protocol("arena", _("Arena votes"), "Jiang et al., NeurIPS 2024", (_ARENA,), Study.ItemKind.PAIR),
        Protocol("ranking", _("Ranking of all images"), "Plackett 1975; Luce 1959", (RANKING,), Study.ItemKind.PROMPT),
    )
}


def protocol_of(study: Study, dimensions: Sequence[Dimension]) -> Protocol | None:
    """The protocol that the study follows word for word and in order; None if a word or an answer differs.

    A ranking has as many places as its cards have images.
    """
    return next((one for one in PROTOCOLS.values() if _is(one, study, dimensions)), None)


def _is(protocol: Protocol, study: Study, dimensions: Sequence[Dimension]) -> bool:
    if protocol.item_kind != study.item_kind or len(protocol.questions) != len(dimensions):
        return False
    return all(
        _asked(preset.fields()) == _asked(vars(one)) for preset, one in zip(protocol.questions, dimensions, strict=True)
    )


def _asked(fields: dict[str, Any]) -> tuple[object, ...]:
    # Studies from before do not say in their parameters which levels are sides: the words of the levels say it.
    parameters = {name: value for name, value in fields["parameters"].items() if name != "names_sides"}
    levels = None if fields["kind"] == Dimension.Kind.RANKING else fields["levels"]
    return (*(fields[name] for name in ("question", "kind", "about", "allows_unable")), parameters, levels)
