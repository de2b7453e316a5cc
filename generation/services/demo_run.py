"""The prompts of the demo's run of the small model, with their decompositions and another wording each."""

from django.contrib.auth.models import User
from django.db import transaction

from generation.models import PromptSet, PromptVariant
from generation.models.digests import digest
from generation.queries.demo_run import PROMPT_SET, demo_run_prompts
from generation.recipes.scenes.variation import retell
from generation.services.demo import save_scene_prompts


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
