"""The whole loop with the small real model, to the report: all of it is about what the pictures show.

Assertions are on what the independent check sees in the pixels. Without the model's weights there is nothing to try.
"""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image as Picture

from annotations.models import AuditItem, Membership, Rater, Response, Study
from annotations.queries.audits.critic import critic_data
from annotations.queries.reports import document_of
from annotations.reports.critic.analysis import analyse_critics
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.figures import Options
from annotations.services.demo.run_study import study_of_demo_run
from annotations.services.reports import report_now
from generation import availability, dispatch
from generation.models import Critique, Decomposition, Image, MetricScore, PromptVariant, Run
from generation.queries import demo_run as demo
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.methods import OFFERED, MethodSpec, Refinement
from generation.recipes.scenes.scene import COLOURS, Scene
from generation.recipes.scenes.seeing.marks import marks_of, total
from generation.services.demo_run import add_critics, make_demo_run_prompts
from tests.factories import make_user

MATRIX = EXPERIMENTS["scenes"].matrix()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(availability.missing_for(MATRIX)), reason="the small model is not trained"),
]
N_PROMPTS = 3
MISREAD = OFFERED["rewrite"]
REFINED = MethodSpec("rewrite, then DetailScribe T−2", words="rewritten", refinement=Refinement("renoise", 2))


@pytest.fixture
def run() -> Run:
    """The demo's run over its first prompts, done in this process."""
    make_user("demo-annotator")
    make_user("demo-researcher", researcher=True)
    make_user("demo-auditor")
    call_command("demo_run", owner="demo-researcher", prompts=N_PROMPTS)
    found = demo.demo_run()
    assert found is not None
    return done(found)


def done(run: Run) -> Run:
    dispatch.work_here(run=run)
    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.DONE, "")
    return run


def test_the_demos_run_is_drawn_scored_and_rated_by_what_is_seen(run: Run) -> None:
    images = list(Image.objects.select_related("prompt"))
    pixels = np.asarray(Picture.open(BytesIO(images[0].file.read())).convert("RGB"))
    assert pixels.shape == (64, 64, 3)
    checked = demo.check_images(images)
    assert len(checked) == len(images) == 4 * N_PROMPTS
    there = [
        bool(group) and group[0].colour == scene.entity(key).colour
        for image in images
        for scene in [scene_of(image)]
        for key, group in checked[image.pk].seen.items()
    ]
    assert np.mean(there) > 0.8
    assert MetricScore.objects.count() == 2 * len(images)

    call_command("demo_run_study")
    study = Study.objects.get()
    assert study.items.count() == len(images)
    assert study.raters.filter(kind=Rater.Kind.SIMULATED).count() == 8
    attentive = Response.objects.filter(level__isnull=False).exclude(assignment__rater__name__endswith="08")
    best = [answer.level for answer in attentive if not checked[answer.image_id].errors]
    assert np.mean(best) > 3  # of 0 … 4
    assert study.memberships.filter(user__username="demo-auditor", role=Membership.Role.AUDITOR).exists()
    kept = Study, AuditItem, Critique
    before = [model.objects.count() for model in kept]
    assert before[1] == N_PROMPTS
    call_command("demo_run_study")
    assert [model.objects.count() for model in kept] == before


def test_what_was_drawn_from_a_misread_prompt_is_seen_criticised_fixed_rated_and_reported() -> None:
    """Each prompt's stored wording names a wrong colour: the image is wrong, the critic says so, and T − 2 fixes it.

    Simulated raters and auditors see it too: the refined images are rated higher, and of two critics the one that
    looks is right far more often.
    """
    prompt_set = make_demo_run_prompts(owner=None, count=6)
    for variant in PromptVariant.objects.filter(prompt__prompt_set=prompt_set).select_related("prompt"):
        used = {entity.colour for entity in SCENES[variant.prompt.text].entities}
        first = SCENES[variant.prompt.text].entities[0]
        other = next(colour for colour in COLOURS if colour not in used)
        variant.text = variant.prompt.text.lower().replace(f"{first.colour} {first.shape}", f"{other} {first.shape}")
        variant.save()
    clip = {name: spec for name, spec in MATRIX.metrics.items() if name == "clip-score"}
    matrix = replace(MATRIX, methods=(MISREAD, REFINED), metrics=clip)
    run = done(
        dispatch.start_run(
            name="misread", owner=None, prompt_set=prompt_set, prompts=prompt_set.prompts.all(), matrix=matrix
        )
    )
    assert Decomposition.objects.filter(prompt__prompt_set=prompt_set, steps__run=run).distinct().count() == 6
    images = list(Image.objects.filter(steps__run=run).select_related("prompt").distinct())
    checked = demo.check_images(images)
    before = [image for image in images if image.parent_id is None]
    after = [image for image in images if image.parent_id is not None]
    assert len(before) == len(after) == 6

    def n_right(shown: list[Image]) -> int:
        """Parts of all prompts that are as asked for: colours, outlines, numbers and relations."""
        marked = total(marks_of(scene_of(image), checked[image.pk]) for image in shown)
        return sum(n for name, n in marked.right.items() if name not in ("no_extra", "scene"))

    def n_first_colours(shown: list[Image]) -> int:
        seen = [(scene_of(image).entities[0], checked[image.pk].seen) for image in shown]
        return sum(bool(found[e.id]) and found[e.id][0].colour == e.colour for e, found in seen)

    assert n_first_colours(before) <= 1
    assert n_first_colours(after) >= 5
    assert n_right(after) > n_right(before)
    named = Critique.objects.filter(claims__about="e1", claims__kind="attribute").values("image").distinct()
    assert named.count() >= 5

    add_critics(run=run, engine_for=availability.engine_for)
    study = study_of_demo_run(run=run, owner=make_user(researcher=True), annotator=make_user())
    report = document_of(report_now(study=study, comparisons=((before[0].method.name, after[0].method.name),)))
    [question] = report.dimensions
    [comparison] = question.comparisons
    assert comparison.wins >= 5
    assert comparison.mean_diff.value > 0.5  # of 4
    assert question.board is not None
    assert {row.metric for row in question.board.metrics} == {"CLIPScore"}
    assert {e.statistic: e.value for e in question.board.metrics[0].estimates}["spearman"] > 0.3

    options = Options(n_resamples=200, n_permutations=19)
    audited = critic_document(analyse_critics(critic_data(study), options), title="", code_version="", made_at="")
    blind, looking = sorted(audited.critics, key=lambda critic: critic.name)
    assert (blind.name, looking.name) == ("blind critic", "looking critic")
    assert looking.groups[0].precision.value > 0.7
    assert looking.groups[0].recall.value > 0.5
    assert looking.floor.value < 0.3
    assert blind.groups[0].precision.value < 0.5


SCENES = {prompt.text: prompt.scene for prompt in demo.demo_run_prompts()}


def scene_of(image: Image) -> Scene:
    return SCENES[image.prompt.text]
