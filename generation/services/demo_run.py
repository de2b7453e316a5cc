"""The demo's run of the small model: its prompts with another wording each, and the critics that are compared on it."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction

from generation.models import PromptSet, PromptVariant, Run
from generation.models.digests import digest
from generation.queries.demo_run import PROMPT_SET, criticised_images, demo_run_prompts
from generation.recipes.contract import ChatEngine
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.experiments import LOOKING_CRITIC
from generation.recipes.scenes.variation import retell
from generation.services.demo import save_scene_prompts
from generation.services.further_critiques import criticise

BLIND_CRITIC = EngineSpec("scenes-critic", {"looks": False})


def make_demo_run_prompts(*, owner: User | None, count: int) -> PromptSet:
    """The prompt set with the first `count` prompts, made unless it is there, all or nothing."""
    with transaction.atomic():
        prompt_set, is_new = PromptSet.objects.get_or_create(
            name=PROMPT_SET,
            defaults={"owner": owner, "source": "Written by this project's grammar; see docs/demo-study.md"},
        )
        if is_new:
            prompts = demo_run_prompts(count)
            rows = save_scene_prompts(prompts, prompt_set)
            PromptVariant.objects.bulk_create(
                PromptVariant(
                    prompt=rows[prompt.key],
                    kind=PromptVariant.Kind.REWRITTEN,
                    text=retell(prompt.scene),
                    origin=PromptVariant.Origin.SIMULATED,
                    digest=digest(retell(prompt.scene)),
                    provenance={"is_simulated": True},
                )
                for prompt in prompts
            )
    return prompt_set


def add_critics(*, run: Run, engine_for: Callable[[EngineSpec], ChatEngine]) -> None:
    """Have the blind critic criticise what the run's critic was shown, and both of them the next prompt's image.

    What a critic says of an image while it is shown another one is its control: it is right by chance alone.
    """
    images = criticised_images(run)
    who = run.owner_id
    criticise(images=images, spec=BLIND_CRITIC, engine=engine_for(BLIND_CRITIC), added_by=who)
    if len({image.prompt_id for image in images}) > 1:
        others = {image.pk: other for image, other in zip(images, [*images[1:], images[0]], strict=True)}
        for spec in (LOOKING_CRITIC, BLIND_CRITIC):
            criticise(images=images, spec=spec, engine=engine_for(spec), added_by=who, shown=others)
