"""From a matrix to steps in the database: all of them once, in order, whatever happens to the planner."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count, F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Method, PromptVariant, Run, Step, StepNeed
from generation.models.digests import digest
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.recipes.matrix.matrix import BadMatrix
from generation.recipes.matrix.plan import PromptFacts, plan
from generation.services.runs import planning
from generation.services.runs.claiming import claim
from generation.services.runs.planning import claim_planning, create_run, plan_run, waiting_for_planner
from generation.services.runs.steering import cancel
from tests.factories import make_matrix, make_prompt, make_prompt_set, make_run, make_user

pytestmark = pytest.mark.django_db
CHAT = EngineSpec("chat", {"endpoint": "here", "model": "sees"})
DETAILSCRIBE = (m.BASELINE, m.renoised(2), m.switched(1))


def test_a_planned_run_has_every_step_of_its_matrix_and_lets_the_workers_begin() -> None:
    run = make_run(n_prompts=3, matrix=make_matrix(*DETAILSCRIBE, seeds=(7, 8), metrics=("clip-score",)))

    per_prompt = {
        prompt.pk: [step.digest for step in plan(PromptFacts(prompt.digest), run.plan)] for prompt in run.prompts.all()
    }
    assert run.state == Run.State.RUNNING
    assert run.started_at is not None
    found = list(run.steps.values_list("prompt_id", "digest", "position"))
    # Prompt after prompt, in the plan's order: the first prompt's images come first.
    assert found == [
        (prompt, code, position)
        for position, (prompt, code) in enumerate(
            (prompt, code) for prompt, codes in sorted(per_prompt.items()) for code in codes
        )
    ]


def test_a_step_waits_for_each_different_step_that_it_needs() -> None:
    # At the first round a switched image needs its baseline twice: as the parent and as the prefix.
    run = make_run(m.switched(1))

    switched = run.steps.get(kind="draw", round=1)
    assert sorted(switched.need_rows.values_list("role", flat=True)) == ["critique", "parent", "prefix"]
    assert switched.n_unmet == 2
    counted = run.steps.annotate(n=Count("need_rows__needed", distinct=True))
    assert not counted.exclude(n_unmet=F("n")).exists()
    ready = claim(queue="gpu")
    assert ready is not None
    assert [step.round for step in ready.steps] == [0]


def test_what_can_be_drawn_together_has_one_key() -> None:
    run = make_run(matrix=make_matrix(*DETAILSCRIBE, seeds=(7, 8), metrics=("clip-score", "blip-vqa")))

    by_kind = Counter((kind, str(engine)) for kind, engine in run.steps.values_list("kind", "engine"))
    keys = set(run.steps.values_list("batch_key", flat=True))
    assert len(keys) == len(by_kind)
    larger = make_run(matrix=make_matrix(m.BASELINE, drawing=m.Drawing(n_steps=6, width=128, height=64)))
    assert not keys & set(larger.steps.values_list("batch_key", flat=True))


# --- methods ---------------------------------------------------------------------------------------------------------
def test_methods_bear_the_name_of_the_model_and_are_shared_by_runs() -> None:
    first, second = make_run(*DETAILSCRIBE), make_run(*DETAILSCRIBE)

    names = {"tiny · baseline", "tiny · DetailScribe T−2", "tiny · DetailScribe switch 1"}
    assert set(Method.objects.values_list("name", flat=True)) == names
    assert Method.objects.get(name="tiny · DetailScribe T−2").kind == Method.Kind.REFINED
    assert set(first.steps.values_list("method", flat=True)) == set(second.steps.values_list("method", flat=True))


def test_another_size_another_critic_or_another_image_model_is_another_method() -> None:
    large = EngineSpec("sd3", {"model": "stabilityai/stable-diffusion-3.5-large", "revision": "abc"})
    make_run(*DETAILSCRIBE)
    make_run(matrix=make_matrix(*DETAILSCRIBE, critic=CHAT))
    make_run(matrix=make_matrix(m.BASELINE, image=large))
    make_run(matrix=make_matrix(m.BASELINE, drawing=m.Drawing(n_steps=4, width=64, height=64)))

    assert set(Method.objects.values_list("name", flat=True)) == {
        "tiny · baseline",
        "tiny · DetailScribe T−2",
        "tiny · DetailScribe switch 1",
        "tiny · DetailScribe T−2 (2)",
        "tiny · DetailScribe switch 1 (2)",
        "SD3.5 Large · baseline",
        "tiny · baseline (2)",
    }


def test_an_imported_method_of_the_same_name_keeps_it_to_itself() -> None:
    imported = Method.objects.create(name="tiny · baseline")

    run = make_run(m.BASELINE)

    assert run.steps.get().method != imported
    assert run.steps.get().method.name == "tiny · baseline (2)"


# --- planners that die, and owners who think better of it ------------------------------------------------------------
def test_only_one_planner_has_a_run_until_its_lease_is_over() -> None:
    run = make_run(planned=False)

    assert waiting_for_planner() == [run.pk]
    assert claim_planning(run.pk) is not None
    assert claim_planning(run.pk) is None
    assert waiting_for_planner() == []
    later = timezone.now() + timedelta(hours=1)
    assert waiting_for_planner(now=later) == [run.pk]
    assert claim_planning(run.pk, now=later) is not None


def test_a_planner_goes_on_where_a_dead_one_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(*DETAILSCRIBE, n_prompts=4, planned=False)
    whole = make_run(*DETAILSCRIBE, prompts=list(run.prompts.all()))
    dead = claim_planning(run.pk)
    assert dead is not None
    with monkeypatch.context() as patch:
        patch.setattr(planning, "plan", _dies_at_third_prompt())
        with pytest.raises(KeyboardInterrupt):
            plan_run(run=dead, steps_at_once=5)
    assert run.steps.values("prompt").distinct().count() == 2  # whole prompts, or nothing of them
    assert claim(queue="gpu") is None or True

    successor = claim_planning(run.pk, now=timezone.now() + timedelta(hours=1))
    assert successor is not None
    assert plan_run(run=successor)

    columns = ("prompt_id", "digest", "position", "n_unmet", "batch_key", "method_id")
    assert list(run.steps.values_list(*columns)) == list(whole.steps.values_list(*columns))
    needs = StepNeed.objects.order_by("pk").values_list("step__digest", "needed__digest", "role")
    assert list(needs.filter(step__run=run)) == list(needs.filter(step__run=whole))


def test_a_planner_that_was_taken_for_dead_writes_nothing_more() -> None:
    run = make_run(*DETAILSCRIBE, planned=False)
    slow = claim_planning(run.pk)
    successor = claim_planning(run.pk, now=timezone.now() + timedelta(hours=1))
    assert slow is not None
    assert successor is not None

    assert not plan_run(run=slow)

    assert run.steps.count() == 0
    assert plan_run(run=successor)


def test_nothing_is_done_before_all_is_planned_and_nothing_planned_after_a_cancel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run(n_prompts=3, planned=False)
    claimed = claim_planning(run.pk)
    assert claimed is not None
    seen: list[object] = []

    def cancelled_at_second(prompt: PromptFacts, matrix: object) -> object:
        if len(seen) == 1:
            seen.append(claim(queue="gpu"))
            cancel(run=Run.objects.get(pk=run.pk))
        else:
            seen.append(None)
        return plan(prompt, run.plan)

    monkeypatch.setattr(planning, "plan", cancelled_at_second)
    assert not plan_run(run=claimed, steps_at_once=1)

    assert seen == [None, None]
    assert claimed.state == Run.State.CANCELLED
    assert list(run.steps.values_list("state", flat=True)) == [Step.State.CANCELLED]


def test_a_stored_matrix_that_no_longer_makes_sense_ends_the_run_with_the_reason() -> None:
    run = make_run(planned=False)
    Run.objects.filter(pk=run.pk).update(matrix={"methods": [{"label": "x", "wrong": 1}]})
    claimed = claim_planning(run.pk)
    assert claimed is not None

    assert not plan_run(run=claimed)

    assert claimed.state == Run.State.CANCELLED
    assert "wrong" in claimed.message


def _dies_at_third_prompt() -> object:
    n = iter(range(10))

    def dies(prompt: PromptFacts, matrix: m.Any) -> object:
        if next(n) == 2:
            raise KeyboardInterrupt
        return plan(prompt, matrix)

    return dies


# --- what is refused beforehand --------------------------------------------------------------------------------------
def test_a_run_needs_prompts_of_its_own_set() -> None:
    of_set, other = make_prompt(), make_prompt()
    common = {"name": "mine", "owner": make_user(), "prompt_set": of_set.prompt_set, "matrix": make_matrix()}

    with pytest.raises(BadMatrix, match="at least one"):
        create_run(prompts=[], **common)
    with pytest.raises(BadMatrix, match="another prompt set"):
        create_run(prompts=[of_set.pk, other.pk], **common)
    run = create_run(prompts=of_set.prompt_set.prompts.all(), **common)
    assert list(run.prompts.all()) == [of_set]
    assert run.state == Run.State.PLANNING


def test_rules_rewrite_nothing_but_take_the_wordings_that_are_stored() -> None:
    prompt = make_prompt()

    with pytest.raises(BadMatrix, match="import the wordings"):
        make_run(m.ACT2I[1], prompts=[prompt])
    PromptVariant.objects.create(prompt=prompt, kind="spatial", text="left of it", digest=digest("left of it"))
    assert make_run(m.ACT2I[1], prompts=[prompt]).state == Run.State.RUNNING


def test_a_critic_that_asks_the_decomposition_cannot_do_without_it() -> None:
    with pytest.raises(BadMatrix, match="w/o decomposition"):
        make_run(m.WITHOUT_DECOMPOSITION)
    with pytest.raises(BadMatrix, match="answerer"):
        make_run(matrix=make_matrix(m.renoised(2), critic=EngineSpec("questions")))
    with pytest.raises(BadMatrix, match="largest seed"):
        make_run(matrix=make_matrix(m.MULTI_SEED, seeds=(2**63 - 1,), metrics=("clip-score",)))


# --- large runs ------------------------------------------------------------------------------------------------------
def test_planning_many_prompts_takes_hardly_more_queries_than_a_few() -> None:
    methods = (*DETAILSCRIBE, m.renoised(4), m.switched(2))
    make_run(*methods)  # the methods' rows are there
    n_queries = {}
    for n in (2, 50):
        prompt_set = make_prompt_set()
        prompts = [make_prompt(prompt_set=prompt_set) for _ in range(n)]
        run = make_run(prompts=prompts, matrix=make_matrix(*methods, metrics=("clip-score",)), planned=False)
        claimed = claim_planning(run.pk)
        assert claimed is not None
        with CaptureQueriesContext(connection) as queries:
            assert plan_run(run=claimed)
        n_queries[n] = len(queries)
        assert run.steps.count() == n * 12
    # Rows go in together, as many in a statement as the database takes: under SQLite some 37 steps or 300 needs.
    assert n_queries[50] - n_queries[2] <= 48 * 12 / 25
