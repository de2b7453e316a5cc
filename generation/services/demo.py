"""The demo's material as rows and files: prompts, pictures, critiques and scores, with the truth on record."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from generation.models import Claim, Critique, Image, Method, MetricScore, Prompt, PromptSet
from generation.models.digests import digest
from generation.queries.demo import demo_set_name
from generation.recipes.scenes.critic import SceneCritique, on_record
from generation.recipes.scenes.demo import (
    BASELINE,
    PLACEBO,
    PROMPTS_PER_CATEGORY,
    REFINED,
    DemoStudy,
    SceneImage,
    demo,
)
from generation.recipes.scenes.errors import SceneError
from generation.recipes.scenes.scene import Scene, ScenePrompt
from generation.services.image_files import store_image
from generation.services.imports.image_rows import image_digest

KINDS = {BASELINE: Method.Kind.BASELINE, REFINED: Method.Kind.REFINED, PLACEBO: Method.Kind.OTHER}
VERSION = "simulated-1"
SAY_EVERY = 20
FileFields = dict[str, dict[str, Any]]
"""By an image's key, the file fields of its row."""


def draw_images(study: DemoStudy, say: Callable[[str], object]) -> FileFields:
    """Draw and store every image. A placebo is its baseline to the byte."""
    files: FileFields = {}
    for n, image in enumerate(study.images, start=1):
        files[image.key] = store_image(image.draw(), name=image.key)
        if n % SAY_EVERY == 0:
            say(f"Drawing pictures: {n} of {len(study.images)}")
    return files | {image.key: files[image.parent_key] for image in study.placebos if image.parent_key}


def make_demo_material(
    *,
    seed: int,
    say: Callable[[str], object],
    prompts_per_category: int = PROMPTS_PER_CATEGORY,
    draw: Callable[[DemoStudy, Callable[[str], object]], FileFields] = draw_images,
) -> PromptSet:
    """The demo's prompt set with everything that hangs on it; made unless it is there, whatever its size.

    Every image's provenance has `truth`: its true quality and its errors (kind, severity, about, text, box), each
    with whether the critic names it; every critique's has which of its claims are right, and which error each names.
    Files come first, and all rows in one transaction: a demo that was broken off is begun again and finds its files.
    """
    existing = PromptSet.objects.filter(name=demo_set_name(seed)).first()
    if existing is not None:
        return existing
    study = demo(seed, prompts_per_category)
    files = draw(study, say)
    say("Saving prompts, images, critiques and scores")
    with transaction.atomic():
        return _save(study, files)


def _save(study: DemoStudy, files: Mapping[str, dict[str, Any]]) -> PromptSet:
    prompt_set = PromptSet.objects.create(
        name=demo_set_name(study.seed), source="Drawn by this project from one seed; see docs/demo-study.md"
    )
    prompts = save_scene_prompts(study.prompts, prompt_set)
    methods = {
        name: Method.objects.get_or_create(name=name, defaults={"kind": kind, "is_simulated": True})[0]
        for name, kind in KINDS.items()
    }
    scenes = {prompt.key: prompt.scene for prompt in study.prompts}
    claimed = {
        (critique.image_key, claim.error.same_as)
        for critique in study.critiques
        for claim in critique.claims
        if claim.error is not None
    }
    images: dict[str, Image] = {}
    for of_round in (0, 1):  # parents need their rows first
        new = [
            _image(image, prompts, methods, images, files, _truth(image, scenes[image.prompt_key], claimed))
            for image in (*study.images, *study.placebos)
            if image.round == of_round
        ]
        images |= {image.key: image for image in Image.objects.bulk_create(new)}
    _save_critiques((*study.critiques, *study.controls), images, {i.key: i.errors for i in study.images})
    MetricScore.objects.bulk_create(
        MetricScore(
            image=images[score.image_key],
            metric=score.metric,
            version=score.version,
            value=score.value,
            provenance={"is_simulated": True},
        )
        for score in study.scores
    )
    return prompt_set


def save_scene_prompts(prompts: Sequence[ScenePrompt], prompt_set: PromptSet) -> dict[str, Prompt]:
    """New rows of prompts by their keys, each with its decomposition."""
    rows = Prompt.objects.bulk_create(
        Prompt(
            prompt_set=prompt_set,
            digest=Prompt.digest_of(p.text, p.category, p.sub_category, p.topic, p.key),
            key=p.key,
            text=p.text,
            category=p.category,
            sub_category=p.sub_category,
            topic=p.topic,
            metadata={"is_simulated": True, "decomposition": p.decomposition()},
        )
        for p in prompts
    )
    return {row.key: row for row in rows}


def _truth(image: SceneImage, scene: Scene, claimed: set[tuple[str, tuple[str, str, str]]]) -> dict[str, Any]:
    return {
        "quality": image.quality,
        "errors": [
            {**on_record(scene, error), "is_claimed": (image.key, error.same_as) in claimed} for error in image.errors
        ],
    }


def _image(
    image: SceneImage,
    prompts: Mapping[str, Prompt],
    methods: Mapping[str, Method],
    parents: Mapping[str, Image],
    files: Mapping[str, dict[str, Any]],
    truth: dict[str, Any],
) -> Image:
    prompt, parent = prompts[image.prompt_key], parents[image.parent_key] if image.parent_key else None
    return Image(
        prompt=prompt,
        method=methods[image.method],
        parent=parent,
        round=image.round,
        key=image.key,
        digest=image_digest(
            prompt=prompt,
            method=image.method,
            round=image.round,
            content=files[image.key]["sha256"],
            parent=parent.digest if parent else "",
        ),
        provenance={"is_simulated": True, "truth": truth},
        **files[image.key],
    )


def _saw_it(critique: SceneCritique) -> bool:
    return critique.shown_image_key == critique.image_key


def _place(error: SceneError | None, errors: tuple[SceneError, ...]) -> int | None:
    """Which of the image's errors a claim names; None for a wrong claim."""
    return None if error is None else [other.same_as for other in errors].index(error.same_as)


def _save_critiques(
    said: tuple[SceneCritique, ...], images: Mapping[str, Image], errors: Mapping[str, tuple[SceneError, ...]]
) -> None:
    rows = Critique.objects.bulk_create(
        Critique(
            image=images[critique.image_key],
            critic=critique.critic,
            critic_version=VERSION,
            origin=Critique.Origin.SIMULATED,
            source=Critique.Source.CRITIC if _saw_it(critique) else Critique.Source.WRONG_IMAGE,
            shown_image=None if _saw_it(critique) else images[critique.shown_image_key],
            text=critique.text,
            refined_prompt=critique.refined_prompt,
            provenance={
                "is_simulated": True,
                "truth": {
                    "claims_right": [claim.is_right for claim in critique.claims],
                    "claims_error": [_place(claim.error, errors[critique.image_key]) for claim in critique.claims],
                },
            },
            digest=digest("critique", images[critique.image_key].digest, critique.critic, VERSION, critique.text),
        )
        for critique in said
    )
    Claim.objects.bulk_create(
        Claim(
            critique=row,
            rank=claim.rank,
            text=claim.text,
            kind=claim.kind,
            about=claim.about,
            severity=claim.severity,
            confidence=claim.confidence,
        )
        for row, critique in zip(rows, said, strict=True)
        for claim in critique.claims
    )
