"""A ready-made experiment as the first values of the form: every one of them can be changed."""

from typing import Any

from django.conf import settings

from generation.forms.run_engines import IMAGE_ENGINES
from generation.models import PromptSet
from generation.queries.runs import plans as queries
from generation.recipes.matrix.experiments import EXPERIMENTS, Experiment


def first_values(key: str, prompt_set_id: int | None = None) -> dict[str, Any]:
    """For a preset, or for an unknown key an empty matrix with the usual engines.

    prompt_set_id  the set to begin with; else one that has the preset's category, or the newest
    """
    experiment = EXPERIMENTS.get(key)
    if experiment is None:
        prompt_set = _prompt_set(prompt_set_id, "")
        common = {"image": "sd35-large", "methods": ["baseline"], "language": "rules", "critic": "questions"}
        return {**common, "prompt_set": prompt_set and prompt_set.pk, "metrics": ["clip-score"], "take": "all"}
    return _values(experiment, prompt_set_id)


def _values(experiment: Experiment, prompt_set_id: int | None) -> dict[str, Any]:
    prompt_set = _prompt_set(prompt_set_id, experiment.category)
    has_category = prompt_set is not None and experiment.category in queries.categories(prompt_set.pk)
    endpoint = next(iter(settings.GENERATION_ENDPOINTS), "")
    return {
        "name": experiment.title,
        "prompt_set": prompt_set and prompt_set.pk,
        "category": experiment.category if has_category else "",
        "take": "all" if experiment.n_prompts is None else "first",
        "n_prompts": experiment.n_prompts,
        "methods": list(experiment.methods),
        "seeds": ", ".join(map(str, experiment.seeds)),
        "image": next(
            name for name, spec in IMAGE_ENGINES.items() if spec.options["model"] == experiment.image.options["model"]
        ),
        "n_steps": experiment.drawing.n_steps,
        "guidance": experiment.drawing.guidance,
        "width": experiment.drawing.width,
        "height": experiment.drawing.height,
        "language": experiment.reads,
        "critic": experiment.sees or "questions",
        "language_endpoint": endpoint,
        "critic_endpoint": endpoint,
        "metrics": list(experiment.metrics),
    }


def _prompt_set(pk: int | None, category: str) -> PromptSet | None:
    sets = queries.prompt_sets_with_counts().order_by("-pk")
    if pk is not None and (wanted := sets.filter(pk=pk).first()):
        return wanted
    if category and (fitting := sets.filter(prompts__category=category).first()):
        return fitting
    return sets.first()
