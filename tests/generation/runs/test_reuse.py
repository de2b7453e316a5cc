"""What one run made serves the next: images, critiques, scores and latents that are made once."""

from pathlib import Path

import pytest

from generation.models import (
    Critique,
    Decomposition,
    Image,
    Latents,
    MetricScore,
    ModelCall,
    Step,
)
from generation.recipes.matrix import methods as m
from tests.factories import make_prompt
from tests.generation.runs.working import done, image_of, pictures, talking
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db


def test_a_second_run_takes_over_everything_that_the_first_has_made() -> None:
    prompt = make_prompt()
    matrix = talking(m.BASELINE, m.renoised(2), m.switched(1), m.REWRITE, m.MULTI_SEED, metrics=("clip-score",))
    first = done(matrix, prompts=[prompt])
    made = (Image, Critique, MetricScore, Latents, ModelCall, Decomposition)
    rows = [model.objects.count() for model in made]
    workshop = Workshop()
    second = done(matrix, workshop, prompts=[prompt])

    assert workshop.loaded == []
    assert rows == [
        model.objects.count() for model in (Image, Critique, MetricScore, Latents, ModelCall, Decomposition)
    ]
    assert set(second.steps.values_list("image", flat=True)) == set(first.steps.values_list("image", flat=True))
    assert not second.steps.exclude(kind="choose").filter(is_reused=False).exists()


def test_a_run_that_may_not_reuse_makes_everything_itself() -> None:
    prompt = make_prompt()
    matrix = talking(m.renoised(2), metrics=("clip-score",))
    done(matrix, prompts=[prompt])
    workshop = Workshop()
    again = done(matrix, workshop, prompts=[prompt], may_reuse=False)

    assert len(workshop.painter.drawn) == 2
    assert len(workshop.talker.asked) == 2
    assert not again.steps.filter(is_reused=True).exists()
    assert Image.objects.count() == 2  # the same pictures: no image twice


def test_a_baseline_without_the_states_that_are_wanted_now_is_drawn_again_to_the_bit() -> None:
    prompt = make_prompt()
    done(talking(m.BASELINE), prompts=[prompt])
    workshop = Workshop()
    run = done(talking(m.switched(1)), workshop, prompts=[prompt])

    assert Image.objects.filter(round=0).count() == 1
    assert sorted(image_of(run, "baseline").latents.values_list("n_done", flat=True)) == [2, 6]
    assert len(workshop.painter.drawn) == 2


def test_a_method_of_another_name_gets_images_critiques_and_scores_of_its_own() -> None:
    prompt = make_prompt()
    done(talking(m.BASELINE, m.renoised(2), metrics=("clip-score",)), prompts=[prompt])
    workshop = Workshop()
    mine = talking(
        m.MethodSpec("mine"), m.MethodSpec("mine, refined", refinement=m.Refinement()), metrics=("clip-score",)
    )
    run = done(mine, workshop, prompts=[prompt])

    assert workshop.painter.drawn == []
    assert workshop.talker.asked == []
    assert workshop.clip.scored == []
    image, refined = image_of(run, "mine"), image_of(run, "mine, refined")
    assert refined.parent == image
    assert run.steps.get(kind="critique").critique.image == image
    assert image.critiques.get().claims.count() == 1
    assert image.scores.count() == refined.scores.count() == 1


def test_an_image_whose_file_is_gone_is_not_taken_over() -> None:
    prompt = make_prompt()
    run = done(talking(m.BASELINE), prompts=[prompt])
    image = image_of(run, "baseline")
    image.file.storage.delete(image.file.name)
    workshop = Workshop()
    done(talking(m.BASELINE), workshop, prompts=[prompt])

    assert len(workshop.painter.drawn) == 1
    assert Image.objects.get().file.read()


@pytest.mark.parametrize("harm", ["deleted", "changed", "cut"])
def test_latents_that_are_lost_are_drawn_again(harm: str) -> None:
    prompt = make_prompt()
    matrix = talking(m.BASELINE, m.renoised(2), m.switched(1), m.renoised(2, rounds=2))
    whole = {
        image.method.name: image.sha256 for image in Image.objects.filter(steps__run=done(matrix, prompts=[prompt]))
    }
    Step.objects.filter(image__round__gt=0).delete()
    Image.objects.filter(round=2).delete()
    Image.objects.filter(round=1).delete()
    for row in Latents.objects.all():
        path = Path(row.file.path)
        content = path.read_bytes()
        path.unlink()
        if harm != "deleted":
            path.write_bytes(b"?" * len(content) if harm == "changed" else content[:5])
    again = done(matrix, prompts=[prompt])

    assert pictures(again) == whole
