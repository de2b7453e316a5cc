"""The methods as the page offers them: in groups, each with a sentence; and those that somebody puts together."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generation.recipes.matrix.methods import OFFERED, MethodSpec, Refinement, renoised, switched

Text = Promise | str


@dataclass(frozen=True)
class Group:
    """Methods that belong together. sentences: by key in `OFFERED`."""

    title: Text
    about: Text
    sentences: Mapping[str, Text]


GROUPS = (
    Group(
        _("Baseline"),
        "",
        {"baseline": _("The prompt as it is, drawn once.")},
    ),
    Group(
        _("Rivals"),
        "",
        {
            "multi-seed": _("CLIPScore chooses between two seeds."),
            "rewrite": _("A language model rewrites the prompt from its text alone."),
            "gpt-refine": _("A model sees the image and rewrites the prompt freely; a new image is generated from it."),
            "openai-images": _("Drawn by an image model behind an endpoint."),
        },
    ),
    Group(
        _("DetailScribe (paper)"),
        _(
            "Noise is added to the finished image up to t′ = T−k, and it is denoised again with the critic's prompt. "
            "The larger k, the more of the image stays."
        ),
        {
            "renoise-0": _("Everything is generated again from the same noise."),
            "renoise-1": _("One step of the baseline's layout is kept."),
            "renoise-2": _("The paper's choice."),
            "renoise-4": _("More of the layout is kept, so less can be corrected."),
            "without-decomposition": _("The ablation: the same critic without the decomposition."),
            "renoise-2-rounds-2": _("A second critic sees the refined image."),
            "renoise-2-rounds-3": _("Three critics in turn."),
            "renoise-2-rounds-4": _("Four critics in turn."),
            "seed-search": _("First the best of four seeds by BLIP-VQA, then refined."),
        },
    ),
    Group(
        _("DetailScribe (released code)"),
        _("The image is generated again from its seed, and the prompt is replaced at the end of step k."),
        {
            "switch-0": _("With the refined prompt from the start."),
            "switch-1": _("After two steps."),
            "switch-2": _("After three steps."),
            "switch-4": _("After five steps."),
            "switch-0-old-pooled": _("The same: without a switch, the released code uses the whole refined prompt."),
            "switch-1-old-pooled": _("After two steps, with the old pooled embedding, as in the released code."),
            "switch-2-old-pooled": _("The same after three steps."),
            "switch-4-old-pooled": _("The same after five steps."),
        },
    ),
    Group(
        _("AcT2I"),
        _("A language model adds one kind of detail to the prompt, without seeing an image."),
        {
            "act2i-spatial": _("Where things are."),
            "act2i-temporal": _("What has just happened, and what is about to."),
            "act2i-emotional": _("What the figures in it feel."),
        },
    ),
    Group(
        _("Choosing after looking"),
        _("The largest score of four drawings. Its scores by the same metric are inflated, and reports say so."),
        {"best-of-four": _("The released code's choice: the largest CLIPScore of four switch steps.")},
    ),
)


def key_choices() -> list[tuple[Text, list[tuple[str, str]]]]:
    """The choices of a form field, by group. Every offered method is in exactly one."""
    return [(group.title, [(key, OFFERED[key].label) for key in group.sentences]) for group in GROUPS]


def own_methods(*, mode: str, ks: tuple[int, ...], rounds: int, critic: str, old_pooled: bool) -> list[MethodSpec]:
    """DetailScribe at steps, with a number of rounds and a critic of one's own. Raises BadMethod."""
    return [_own(mode, k, rounds, critic, old_pooled) for k in ks]


def _own(mode: str, k: int, rounds: int, critic: str, old_pooled: bool) -> MethodSpec:
    if mode == "renoise" and critic in ("structured", "unstructured"):
        return renoised(k, rounds=rounds, critic="structured" if critic == "structured" else "unstructured")
    if mode == "switch" and critic == "structured":
        return switched(k, rounds=rounds, swap_pooled=not old_pooled)
    where = f"T−{k}" if mode == "renoise" else f"switch {k}{', old pooled embedding' if old_pooled else ''}"
    name = "GPT refine" if critic == "plain" else "w/o decomposition"
    label = f"{name} {where}" + (f", {rounds} rounds" if rounds > 1 else "")
    return MethodSpec(
        label,
        refinement=Refinement(
            "renoise" if mode == "renoise" else "switch",
            k,
            rounds,
            "plain" if critic == "plain" else "unstructured",
            swap_pooled=not (old_pooled and mode == "switch"),
        ),
    )
