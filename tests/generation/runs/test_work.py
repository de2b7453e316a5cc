"""Carrying out steps: what comes of each method, what is on record of it, and what is not done twice."""

import json

import pytest

from generation.models import (
    Claim,
    Critique,
    Decomposition,
    Image,
    ModelCall,
    PromptVariant,
)
from generation.models.digests import digest
from generation.recipes.contract import Renoise, Resume
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from tests.factories import make_matrix, make_prompt
from tests.generation.runs.working import CHAT, done, image_of, talking
from tests.generation.small_engines import Ruler, Workshop

pytestmark = pytest.mark.django_db


def test_a_baseline_has_its_file_its_latents_and_all_that_makes_it_again() -> None:
    workshop = Workshop()
    run = done(talking(m.BASELINE), workshop)

    image = image_of(run, "baseline")
    (request,) = workshop.painter.drawn
    assert (image.seed, image.round, image.parent, image.variant) == (7, 0, None, None)
    assert image.file.read()[:4] == b"\x89PNG"
    assert [(row.n_done, row.file.read()) for row in image.latents.all()] == [
        (6, workshop.painter._draw(request).latents)
    ]
    made = image.provenance
    assert made["engine"] == workshop.painter.identity
    assert made["request"] == {
        "prompt": image.prompt.text,
        "seed": 7,
        "n_steps": 6,
        "guidance": 4.5,
        "width": 64,
        "height": 64,
        "negative_prompt": "",
        "keep_after": [],
    }
    step = run.steps.get()
    assert (made["step"], made["run"], made["spec"]) == (step.digest, run.pk, step.engine)
    assert step.seconds is not None
    json.dumps(made)


def test_detailscribe_renoises_the_baseline_with_its_own_noise_and_the_refined_prompt() -> None:
    workshop = Workshop()
    run = done(talking(m.renoised(2)), workshop)

    baseline, refined = image_of(run, "baseline"), image_of(run, "DetailScribe T−2")
    critique = Critique.objects.get()
    assert refined.parent == baseline
    assert (refined.round, refined.seed) == (1, 7)
    assert refined.variant is not None
    assert refined.variant.text == critique.refined_prompt
    assert refined.variant.kind == PromptVariant.Kind.REFINED
    start = workshop.painter.drawn[-1].start
    assert isinstance(start, Renoise)
    assert (start.k, start.noise_seed) == (2, 7)
    assert start.latents == baseline.latents.get().file.read()
    assert refined.provenance["start"] == {
        "mode": "renoise",
        "image": baseline.pk,
        "n": 2,
        "sha256": baseline.latents.get().sha256,
        "noise_seed": 7,
    }


def test_a_switch_resumes_the_baseline_after_the_shared_steps() -> None:
    workshop = Workshop()
    run = done(talking(m.switched(1, swap_pooled=False), m.switched(5)), workshop)

    baseline = image_of(run, "baseline")
    resumed = [request for request in workshop.painter.drawn if isinstance(request.start, Resume)]
    (start,) = [request.start for request in resumed]
    assert isinstance(start, Resume)
    assert (start.n_done, start.earlier_prompt, start.swap_pooled) == (2, baseline.prompt.text, False)
    assert start.latents == baseline.latents.get(n_done=2).file.read()
    # At the end of step 5 of 6 nothing is left to draw with the new prompt: it is the baseline, to the bit.
    assert image_of(run, "DetailScribe switch 5").sha256 == baseline.sha256
    assert image_of(run, "DetailScribe switch 1, old pooled embedding").sha256 != baseline.sha256


def test_a_critique_is_kept_with_its_claims_and_what_said_it() -> None:
    run = done(talking(m.renoised(2)))

    critique, claim = Critique.objects.get(), Claim.objects.get()
    assert (critique.critic, critique.critic_version) == ("small talk", "r1")
    assert critique.image == image_of(run, "baseline")
    assert critique.refined_prompt.startswith(critique.image.prompt.text)
    assert (claim.kind, claim.about, claim.severity, claim.rank) == ("relation", "r1", "major", 1)
    assert critique.provenance["step"] == run.steps.get(kind="critique").digest


def test_every_round_criticises_the_image_of_the_round_before() -> None:
    workshop = Workshop()
    run = done(talking(m.renoised(2, rounds=2)), workshop)

    first, second = image_of(run, "DetailScribe T−2"), image_of(run, "DetailScribe T−2, 2 rounds")
    assert (second.parent, second.round) == (first, 2)
    assert [critique.image.round for critique in Critique.objects.all()] == [0, 1]
    # Each refined prompt is the original and then what this round found.
    for image in (first, second):
        assert image.variant is not None
        assert image.variant.text.startswith(image.prompt.text)
    assert first.sha256 != second.sha256


def test_an_image_in_which_nothing_is_wrong_stays_and_is_not_asked_about_again() -> None:
    workshop = Workshop()
    workshop.talker.is_content = True
    run = done(talking(m.renoised(2, rounds=3)), workshop)

    baseline, last = image_of(run, "baseline"), image_of(run, "DetailScribe T−2, 3 rounds")
    assert last.sha256 == baseline.sha256
    assert last.provenance["stopped"] == "The critic finds nothing wrong."
    assert last.latents.get().sha256 == baseline.latents.get().sha256
    assert len(workshop.painter.drawn) == 1
    assert len(workshop.talker.asked) == 2  # one decomposition, one critique
    assert [(c.image.round, c.refined_prompt) for c in Critique.objects.all()] == [
        (n, baseline.prompt.text) for n in range(3)
    ]


def test_without_early_stopping_it_is_drawn_all_the_same() -> None:
    workshop = Workshop()
    workshop.talker.is_content = True
    always = m.MethodSpec("always", refinement=m.Refinement("renoise", 2, stop_early=False))
    run = done(talking(always), workshop)

    assert len(workshop.painter.drawn) == 2
    assert "stopped" not in image_of(run, "always").provenance


def test_gpt_refine_and_the_rewrite_draw_anew_from_the_same_seed() -> None:
    workshop = Workshop()
    run = done(talking(m.REFINE_PLAINLY, m.REWRITE, m.WITHOUT_DECOMPOSITION), workshop)

    plain, rewrite = image_of(run, "GPT refine"), image_of(run, "rewrite")
    assert plain.variant is not None
    assert plain.variant.text.endswith("It has depth.")
    assert rewrite.variant is not None
    assert rewrite.variant.kind == PromptVariant.Kind.REWRITTEN
    assert rewrite.provenance["request"]["prompt"] == rewrite.variant.text
    drawn_anew = [request for request in workshop.painter.drawn if request.start is None]
    assert {request.seed for request in drawn_anew} == {7}
    assert len(drawn_anew) == 3
    assert Decomposition.objects.count() == 0  # nobody asked for one


def test_the_best_of_seeds_is_named_with_all_that_it_was_chosen_from() -> None:
    workshop = Workshop()
    run = done(talking(m.MULTI_SEED, metrics=("clip-score",)), workshop)

    chosen = image_of(run, "multi-seed, best of 2")
    candidates = {image.pk: image for image in Image.objects.filter(method__name="tiny · baseline")}
    among, values = chosen.provenance["among"], chosen.provenance["values"]
    assert set(among) == set(candidates)
    best = candidates[among[values.index(max(values))]]
    assert chosen.provenance["chosen"] == best.pk
    assert chosen.sha256 == best.sha256
    assert chosen.seed == 7  # of its row in the matrix
    assert chosen.provenance["request"]["seed"] == best.seed
    assert chosen.scores.get().value == max(values) == best.scores.get().value
    assert len(workshop.clip.scored) == 2  # the chosen picture is not scored again


def test_of_equals_the_first_is_chosen() -> None:
    workshop = Workshop(clip=Ruler(constant=0.5))
    run = done(talking(m.MULTI_SEED, metrics=("clip-score",)), workshop)

    assert image_of(run, "multi-seed, best of 2").provenance["request"]["seed"] == 7


def test_a_refinement_of_a_chosen_seed_takes_that_seeds_noise_and_state() -> None:
    workshop = Workshop()
    search = m.MethodSpec(
        "search", seeds=m.BestOf("seeds", (0, 1, 2, 3), "blip-vqa"), refinement=m.Refinement("switch", 2)
    )
    renoised = m.MethodSpec(
        "again", seeds=m.BestOf("seeds", (0, 1, 2, 3), "blip-vqa"), refinement=m.Refinement("renoise", 2)
    )
    run = done(talking(search, renoised, metrics=("blip-vqa",), seeds=(70,)), workshop)

    chosen = Image.objects.get(method__name="tiny · best of 4 seeds by blip-vqa")
    seed = chosen.provenance["request"]["seed"]
    switched, again = image_of(run, "search"), image_of(run, "again")
    assert switched.provenance["start"]["sha256"] == chosen.latents.get(n_done=3).sha256
    assert again.provenance["start"]["noise_seed"] == seed
    assert {switched.provenance["request"]["seed"], again.provenance["request"]["seed"]} == {seed}
    assert {switched.seed, again.seed} == {70}


def test_the_best_of_four_switch_steps_refines_the_same_baseline() -> None:
    four = m.MethodSpec(
        "four",
        refinement=m.Refinement("switch", 0),
        best_of=m.BestOf("k", (0, 1, 2, 4), "clip-score"),
    )
    run = done(talking(four, metrics=("clip-score",)))

    best = image_of(run, "four")
    assert best.parent == image_of(run, "baseline")
    assert best.round == 1
    assert len(best.provenance["among"]) == 4


def test_the_critic_that_asks_questions_needs_no_language_model() -> None:
    workshop = Workshop()
    critic = EngineSpec("questions", {"answerer": {"engine": "oracle", "options": {}}})
    run = done(make_matrix(m.renoised(2), critic=critic), workshop)

    critique = Critique.objects.get()
    assert critique.critic == "questions to oracle"
    assert critique.claims.count() == len(workshop.oracle.asked) > 1
    refined = image_of(run, "DetailScribe T−2")
    assert refined.variant is not None
    assert refined.variant.origin == Decomposition.objects.get().origin == PromptVariant.Origin.RULES
    assert ModelCall.objects.count() == 0
    assert "chat" not in workshop.loaded


# --- what is stored is not asked for ---------------------------------------------------------------------------------
def test_a_stored_decomposition_is_taken_instead_of_asking() -> None:
    graph = {"entities": [{"id": "fox", "text": "a fox"}], "relations": []}
    prompt = make_prompt(metadata={"decomposition": graph})
    workshop = Workshop()
    run = done(talking(m.renoised(2)), workshop, prompts=[prompt])

    row = Decomposition.objects.get()
    assert row.graph["entities"][0]["id"] == "fox"
    assert row.origin == PromptVariant.Origin.IMPORTED
    assert run.steps.get(kind="decompose").decomposition == row
    assert len(workshop.talker.asked) == 1  # the critique
    assert "fox" in workshop.talker.asked[0].user


def test_another_engines_decomposition_is_not_a_substitute_for_asking_this_one() -> None:
    prompt = make_prompt()
    done(make_matrix(m.renoised(2), critic=CHAT), prompts=[prompt])  # by rules
    workshop = Workshop()
    done(talking(m.renoised(2)), workshop, prompts=[prompt])

    assert [row.provenance["spec"]["engine"] for row in Decomposition.objects.all()] == ["rules", "chat"]


def test_an_imported_wording_is_used_as_it_is() -> None:
    prompt = make_prompt()
    text = "A red circle left of a square."
    stored = PromptVariant.objects.create(prompt=prompt, kind="spatial", text=text, digest=digest(text))
    workshop = Workshop()
    run = done(make_matrix(m.ACT2I[1]), workshop, prompts=[prompt])

    image = image_of(run, "AcT2I spatial")
    assert image.variant == stored
    assert workshop.painter.drawn[0].prompt == text
