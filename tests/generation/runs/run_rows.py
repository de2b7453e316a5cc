"""Rows as a run leaves them: a baseline, what a critic said of it, and images refined from it."""

from dataclasses import dataclass
from typing import Any

from generation.models import Claim, Critique, Decomposition, Image, Method, MetricScore, Prompt, PromptVariant
from generation.models.digests import digest
from generation.recipes.matrix.methods import MethodSpec
from tests.factories import make_image, make_method, make_prompt

TEXT = "A fox stirs a stew in a pot."
ADDED = "The ladle is in its paw."
GRAPH = {
    "entities": [
        {"id": "e1", "text": "fox", "attributes": ["red"]},
        {"id": "e2", "text": "stew"},
        {"id": "e3", "text": "pot"},
    ],
    "relations": [{"id": "r1", "subject": "e1", "relation": "stirs", "object": "e2"}],
}
DRAWING = {"n_steps": 28, "guidance": 4.5, "width": 64, "height": 64, "negative_prompt": ""}


def method_of(spec: MethodSpec) -> Method:
    name = f"tiny · {spec.label}"
    parameters = {
        "method": spec.as_json(),
        "engine": {"engine": "sd3", "options": {"model": "tiny"}},
        "drawing": DRAWING,
    }
    found = Method.objects.filter(name=name).first()
    return found or make_method(name, kind=spec.kind, parameters=parameters)


def criticise(
    image: Image, refined_prompt: str = f"{TEXT} {ADDED}", *, critic: str = "gpt-vision", **fields: Any
) -> Critique:
    critique = Critique.objects.create(
        image=image, critic=critic, refined_prompt=refined_prompt, digest=digest(image.pk, critic, fields), **fields
    )
    Claim.objects.create(
        critique=critique, rank=1, text="The ladle floats.", kind="relation", about="r1", severity="major"
    )
    return critique


@dataclass(frozen=True)
class Family:
    prompt: Prompt
    baseline: Image
    critique: Critique
    variant: PromptVariant
    refined: Image


def make_family(spec: MethodSpec, baseline_spec: MethodSpec, **fields: Any) -> Family:
    prompt = fields.pop("prompt", None) or make_prompt(TEXT)
    Decomposition.objects.get_or_create(prompt=prompt, digest="d", defaults={"graph": GRAPH, "origin": "model"})
    baseline = make_image(prompt=prompt, method=method_of(baseline_spec), seed=7)
    critique = criticise(baseline)
    variant, _is_new = PromptVariant.objects.get_or_create(
        prompt=prompt, kind="refined", digest="v", defaults={"text": f"{TEXT} {ADDED}", "origin": "model"}
    )
    r = spec.refinement
    start = None if r is None else {"mode": "renoise", "image": baseline.pk, "n": r.k}
    if r is not None and r.mode == "switch":
        start = {"mode": "resume", "image": baseline.pk, "n": r.k + 1, "swap_pooled": r.swap_pooled}
    record = {
        "engine": {"engine": "sd3", "model": "tiny", "torch": "2.13.0"},
        "spec": {"engine": "sd3", "options": {"model": "tiny"}},
        "request": {"prompt": variant.text, "seed": 7, **DRAWING},
        "start": start,
    }
    refined = make_image(
        parent=baseline,
        method=method_of(spec),
        variant=variant,
        seed=7,
        provenance=record | fields.pop("record", {}),
        **fields,
    )
    for image, value in ((baseline, 0.5), (refined, 0.75)):
        MetricScore.objects.create(image=image, metric="clip-score", value=value)
    return Family(prompt, baseline, critique, variant, refined)
