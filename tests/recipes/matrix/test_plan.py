"""What a matrix asks to be done: every shared thing once, everything after what it needs."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import BadMethod, BestOf, Drawing, MethodSpec, Refinement
from generation.recipes.matrix.plan import PlannedStep, PromptFacts, images_of, plan

ENGINES = {
    "image": EngineSpec("sd3", {"model": "tiny"}),
    "language": EngineSpec("chat", {"endpoint": "here", "model": "small"}),
    "critic": EngineSpec("chat", {"endpoint": "here", "model": "sees"}),
    "openai-images": EngineSpec("openai-images", {"endpoint": "here"}),
}
METRICS = {"clip-score": EngineSpec("clip-score"), "blip-vqa": EngineSpec("blip-vqa")}
PROMPT = PromptFacts("a prompt's digest")


def matrix(*methods: MethodSpec, seeds: tuple[int, ...] = (7,), metrics: bool = False, n_steps: int = 28) -> Matrix:
    chosen_by = {c.by for method in methods for c in (method.seeds, method.best_of) if c}
    used = {name: spec for name, spec in METRICS.items() if metrics or name in chosen_by}
    return Matrix(methods, seeds, ENGINES, used, Drawing(n_steps=n_steps))


def counts(steps: list[PlannedStep]) -> Counter[str]:
    return Counter(step.kind for step in steps)


def labels(steps: list[PlannedStep]) -> list[str]:
    return [step.method.label for step in steps if step.method]


def test_methods_share_their_baseline_their_decomposition_and_their_critique() -> None:
    steps = plan(PROMPT, matrix(m.BASELINE, *(m.renoised(k) for k in (1, 2, 4)), *(m.switched(k) for k in (0, 2))))

    # One baseline, five refined images, all from one critique of it; "switch 0" is a redraw.
    assert counts(steps) == {"decompose": 1, "draw": 6, "critique": 1}


def test_the_full_detailscribe_matrix_keeps_the_state_after_each_switch_step_of_its_one_baseline() -> None:
    steps = plan(PROMPT, matrix(m.BASELINE, *(m.switched(k) for k in m.RELEASED_STEPS)))

    baseline = next(step for step in steps if step.kind == "draw")
    # The released code replaces the prompt at the end of step k, so that k + 1 steps are shared; but at k = 0 it calls
    # the pipeline with the refined prompt from the start.
    assert baseline.keep_after == (2, 3, 5)
    resumed = [step for step in steps if step.parameters.get("mode") == "switch"]
    assert all({"critique", "parent", "prefix"} == {need.role for need in step.needs} for step in resumed)
    assert all(need.digest == baseline.digest for step in resumed for need in step.needs if need.role == "prefix")


@pytest.mark.parametrize("swap_pooled", [True, False])
def test_a_switch_at_the_first_step_is_a_redraw_with_the_refined_prompt(swap_pooled: bool) -> None:
    redraw = m.MethodSpec("redraw", refinement=m.Refinement("redraw"))
    steps = plan(PROMPT, matrix(redraw, m.switched(0, swap_pooled=swap_pooled)))

    assert counts(steps) == {"decompose": 1, "draw": 3, "critique": 1}
    first, second = (step for step in steps if step.parameters.get("mode"))
    assert first.parameters["mode"] == second.parameters["mode"] == "redraw"
    assert first.needs == second.needs
    assert {need.role for need in first.needs} == {"critique", "parent"}
    assert all(step.keep_after == () for step in steps)


def test_the_best_of_four_chooses_among_a_redraw_and_three_switches() -> None:
    steps = plan(PROMPT, matrix(m.BEST_OF_FOUR))

    refined = [step for step in steps if step.parameters.get("mode")]
    assert [(step.parameters["mode"], step.parameters.get("k")) for step in refined] == [
        ("redraw", 0),
        ("switch", 1),
        ("switch", 2),
        ("switch", 4),
    ]
    assert next(step for step in steps if step.kind == "draw").keep_after == (2, 3, 5)


def test_what_is_kept_for_others_does_not_make_it_another_image() -> None:
    alone = plan(PROMPT, matrix(m.BASELINE))
    shared = plan(PROMPT, matrix(m.BASELINE, m.switched(2)))

    assert alone[0].digest == shared[0].digest
    assert (alone[0].keep_after, shared[0].keep_after) == ((), (3,))


def test_more_rounds_go_on_from_fewer_and_bear_their_names() -> None:
    steps = plan(PROMPT, matrix(*(m.renoised(2, rounds=n) for n in (1, 2, 3))))

    assert labels(steps) == ["baseline", "DetailScribe T−2", "DetailScribe T−2, 2 rounds", "DetailScribe T−2, 3 rounds"]
    assert [step.round for step in steps if step.kind == "draw"] == [0, 1, 2, 3]
    assert labels(steps) == labels(plan(PROMPT, matrix(m.renoised(2, rounds=3))))


def test_every_switch_round_resumes_from_the_first_drawing() -> None:
    steps = plan(PROMPT, matrix(m.switched(1, rounds=3)))
    draws = {step.digest: step for step in steps if step.kind == "draw"}
    first = next(iter(draws))

    prefixes = [need.digest for step in draws.values() for need in step.needs if need.role == "prefix"]
    parents = [need.digest for step in draws.values() for need in step.needs if need.role == "parent"]
    assert prefixes == [first] * 3
    assert parents == list(draws)[:-1]


def test_without_decomposition_nothing_is_decomposed() -> None:
    steps = plan(PROMPT, matrix(m.BASELINE, m.WITHOUT_DECOMPOSITION, m.REFINE_PLAINLY, metrics=True))

    assert counts(steps)["decompose"] == 0
    assert counts(steps)["critique"] == 2  # the plain and the unstructured one are different critics


def test_the_best_of_four_chooses_among_four_images_by_their_scores() -> None:
    steps = plan(PROMPT, matrix(m.BEST_OF_FOUR))

    choice = next(step for step in steps if step.kind == "choose")
    assert Counter(need.role for need in choice.needs) == {"candidate": 4, "candidate_score": 4}
    assert choice.method == m.BEST_OF_FOUR


def test_the_two_seeds_of_the_paper() -> None:
    steps = plan(PROMPT, matrix(m.MULTI_SEED, seeds=(m.PAPER_SEED,)))

    assert [step.seed for step in steps if step.kind == "draw"] == [m.PAPER_SEED, m.PAPER_SECOND_SEED]


def test_a_seed_search_refines_what_it_chose_and_each_candidate_keeps_what_a_switch_needs() -> None:
    search = MethodSpec("search", seeds=BestOf("seeds", (0, 1), by="blip-vqa"), refinement=Refinement("switch", 1))
    steps = plan(PROMPT, matrix(search))

    choice = next(step for step in steps if step.kind == "choose")
    refined = next(step for step in steps if step.parameters.get("mode") == "switch")
    assert {need.digest for need in refined.needs if need.role in ("parent", "prefix")} == {choice.digest}
    assert [step.keep_after for step in steps if step.kind == "draw" and not step.round] == [(2,), (2,)]


@pytest.mark.parametrize(
    ("spec", "queue"),
    [
        (EngineSpec("judge", {"chat": {"engine": "local-chat", "options": {"model": "m"}}}), "gpu"),
        (EngineSpec("judge", {"chat": {"engine": "chat", "options": {"endpoint": "e", "model": "m"}}}), "cpu"),
        (EngineSpec("judge", {"chat": {"options": {"endpoint": "e", "model": "m"}}}), "cpu"),
        (EngineSpec("questions", {"answerer": {"engine": "blip-vqa"}}), "gpu"),
        (EngineSpec("rules"), "cpu"),
    ],
)
def test_an_engine_that_asks_another_one_waits_where_that_one_computes(spec: EngineSpec, queue: str) -> None:
    assert matrix(m.BASELINE).queue(spec) == queue


def test_remote_models_wait_on_their_own_queue() -> None:
    steps = plan(PROMPT, matrix(m.BASELINE, m.renoised(2), m.OPENAI_IMAGES, metrics=True))

    where = {(step.kind, step.engine.engine if step.engine else ""): step.queue for step in steps}
    assert where[("critique", "chat")] == where[("draw", "openai-images")] == "cpu"
    assert where[("draw", "sd3")] == where[("score", "clip-score")] == "gpu"


def test_each_asked_image_has_each_score() -> None:
    steps = plan(PROMPT, matrix(m.BASELINE, m.renoised(2), m.REWRITE, seeds=(1, 2), metrics=True))

    assert counts(steps)["score"] == 3 * 2 * 2


@given(
    st.sets(st.sampled_from(sorted(m.OFFERED)), min_size=1, max_size=8),
    st.sets(st.integers(0, 2**32), min_size=1, max_size=3),
)
def test_any_matrix_is_planned_in_an_order_that_can_be_done(names: set[str], seeds: set[int]) -> None:
    whole = matrix(*(m.OFFERED[name] for name in sorted(names)), seeds=tuple(seeds), metrics=True)
    steps = plan(PROMPT, whole)

    done: set[str] = set()
    for step in steps:
        assert {need.digest for need in step.needs} <= done
        assert step.digest not in done
        done.add(step.digest)
    asked = {(method.label, seed) for method in whole.methods for seed in whole.seeds}
    assert asked <= {(step.method.label, step.seed) for step in steps if step.method}
    assert Matrix.from_json(json.loads(json.dumps(whole.as_json()))) == whole
    assert plan(PROMPT, Matrix.from_json(whole.as_json())) == steps


def test_a_method_needs_its_engines() -> None:
    with pytest.raises(BadMatrix, match='"rewrite" needs an engine for "language"'):
        Matrix((m.REWRITE,), (1,), {"image": ENGINES["image"]})
    with pytest.raises(BadMatrix, match='chooses by "clip-score"'):
        Matrix((m.MULTI_SEED,), (1,), ENGINES)


def test_a_switch_step_lies_within_the_drawing() -> None:
    with pytest.raises(BadMatrix, match="begins at step 4, but a drawing has 4 steps"):
        matrix(m.renoised(4), n_steps=4)


def test_an_image_model_behind_an_endpoint_cannot_be_renoised() -> None:
    method = MethodSpec("renoised elsewhere", refinement=Refinement("renoise", 2), engine="openai-images")
    with pytest.raises(BadMatrix, match="gives its latents"):
        matrix(method)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"label": "x", "words": "sung"}, "words: 'sung'"),
        ({"label": " "}, "label"),
        ({"label": "x", "refinement": {"mode": "repaint"}}, "mode: 'repaint'"),
        ({"label": "x", "refinement": {"rounds": 0}}, "rounds: 0"),
        ({"label": "x", "refinement": {"depth": 3}}, "depth"),
        ({"label": "x", "best_of": {"over": "k", "values": [1, 2]}}, "best_of"),
        ({"label": "x", "seeds": {"over": "seeds", "values": [3, 3]}}, "values"),
        ({"label": "x", "magic": True}, "magic"),
    ],
)
def test_what_is_not_a_method_is_refused_by_name(data: dict[str, object], part: str) -> None:
    with pytest.raises(BadMethod, match=part):
        MethodSpec.from_json(data)


def test_the_best_of_four_is_offered_and_never_a_default() -> None:
    assert m.OFFERED["best-of-four"].best_of is not None
    assert "best" in m.OFFERED["best-of-four"].label
    assert m.renoised(2).best_of is None


def test_every_method_and_seed_has_the_step_that_gives_its_image_also_where_two_methods_share_it() -> None:
    twin = replace(m.BASELINE, label="the same under another name")
    asked = matrix(m.BASELINE, twin, m.MULTI_SEED, m.renoised(2), seeds=(7, 8))
    steps = {step.digest: step for step in plan(PROMPT, asked)}

    found = images_of(PROMPT, asked)
    assert set(found) == {(method.label, seed) for method in asked.methods for seed in (7, 8)}
    assert found["baseline", 7] == found[twin.label, 7] != found["baseline", 8]
    kinds = {label: steps[found[label, 7]].kind for label in (m.BASELINE.label, m.MULTI_SEED.label)}
    assert kinds == {"baseline": "draw", m.MULTI_SEED.label: "choose"}
    assert all(steps[digest].seed == seed for (_label, seed), digest in found.items())


def test_blip_vqa_asks_about_the_prompt_unless_it_is_to_ask_the_decomposition() -> None:
    plain = matrix(m.BASELINE, m.renoised(2), metrics=True)
    scores = [step for step in plan(PROMPT, plain) if step.kind == "score"]
    assert all({need.role for need in step.needs} == {"image"} for step in scores)

    asking = replace(plain, metrics={"blip-vqa": EngineSpec("blip-vqa", {"questions": "decomposition"})})
    scores = [step for step in plan(PROMPT, asking) if step.kind == "score"]
    assert all({need.role for need in step.needs} == {"image", "decomposition"} for step in scores)
    with pytest.raises(BadMatrix, match='needs an engine for "language"'):
        Matrix((m.BASELINE,), (1,), {"image": ENGINES["image"]}, asking.metrics)
