"""Scores of a run, its ledger, and how many queries its steps take."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from generation.models import (
    Activity,
    Critique,
    Image,
    Latents,
    MetricScore,
    Run,
)
from generation.recipes.contract import Call
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.recipes.matrix.matrix import Matrix
from tests.factories import make_prompt, make_run, make_user
from tests.generation.runs.working import done, image_of, talking
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db


def asking_parts(matrix: Matrix) -> Matrix:
    """The matrix with a BLIP-VQA that asks the decomposition's questions."""
    asking = EngineSpec("blip-vqa", {"model": "tiny", "questions": "decomposition"})
    return replace(matrix, metrics={**matrix.metrics, "blip-vqa": asking})


def test_scores_are_filed_by_metric_and_version_with_what_they_were_made_of() -> None:
    workshop = Workshop()
    run = done(asking_parts(talking(m.BASELINE, m.renoised(2), metrics=("clip-score", "blip-vqa"))), workshop)

    assert MetricScore.objects.count() == 4
    refined = image_of(run, "DetailScribe T−2")
    score = refined.scores.get(metric="BLIP-VQA")
    assert score.version == "ruler 1"
    assert "Is the circle above the square?" in score.provenance["questions"]
    # Held against the prompt that people see, not against the refined one.
    assert {request.prompt for request in workshop.clip.scored} == {refined.prompt.text}


def test_the_same_metric_with_other_questions_does_not_overwrite() -> None:
    prompt = make_prompt()
    done(talking(m.BASELINE, metrics=("blip-vqa",)), prompts=[prompt])
    done(asking_parts(talking(m.BASELINE, m.renoised(2), metrics=("blip-vqa",))), prompts=[prompt])

    plain, asked = MetricScore.objects.filter(image__round=0).order_by("pk")
    assert plain.value != asked.value
    assert plain.version == "ruler 1"
    assert asked.version.startswith("ruler 1, questions ")


def test_the_ledger_adds_up() -> None:
    workshop = Workshop()
    workshop.painter.calls = (Call("openai-images", "dall-e-3", "ok", cost=0.04),)
    workshop.painter.gives_latents = False
    matrix = talking(
        m.REWRITE, m.REFINE_PLAINLY, image=EngineSpec("openai-images", {"endpoint": "here", "model": "dall-e-3"})
    )
    run = make_run(matrix=matrix, n_prompts=2)
    workshop.work()

    # For each prompt a wording and a critique at 0.0015, and three images at 0.04.
    total = run.calls.aggregate(cost=Sum("cost"), n_in=Sum("n_tokens_in"))
    assert total == {"cost": Decimal("0.246"), "n_in": 400}
    assert run.calls.filter(step=None).count() == 0
    assert Latents.objects.count() == 0


def test_a_step_takes_as_many_queries_in_a_long_run_as_in_a_short_one() -> None:
    n_queries = {}
    for n in (2, 30):
        run = make_run(matrix=talking(m.renoised(2), m.switched(1), metrics=("clip-score",)), n_prompts=n)
        workshop = Workshop()
        workshop.painter.batch_size = 1
        with CaptureQueriesContext(connection) as queries:
            workshop.step("cpu")
        Run.objects.filter(pk=run.pk).update(state="cancelled", ended_at=run.created_at)
        n_queries[n] = len(queries)
    assert n_queries[30] == n_queries[2]


def test_what_a_run_makes_is_its_owners() -> None:
    owner = make_user(researcher=True)
    done(talking(m.BASELINE, m.renoised(2), metrics=("clip-score",)), owner=owner)

    for model in (Image, Critique, MetricScore):
        assert model.objects.exists()
        assert set(model.objects.values_list("added_by", "import_run")) == {(owner.pk, None)}
    line = Activity.objects.get(action="added")
    assert (line.actor, line.subject, line.details["kind"]) == (owner, "prompt_set", "run")
