"""The pages about runs: seen by every researcher, steered by owner and staff, cheap however large the run."""

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from generation import tasks
from generation.models import ModelCall, Prompt, Run, Step
from generation.recipes.matrix.methods import OFFERED
from tests.factories import make_prompt, make_user
from tests.generation.runs.planned_runs import break_down, finish, make_run, steps_of, tiny_matrix

pytestmark = pytest.mark.django_db
STEER = ["run-pause", "run-resume", "run-cancel", "run-retry"]


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.plan_run, "apply_async", lambda **_: None)
    monkeypatch.setattr(tasks, "hint", lambda queue: None)


def text_of(page: Client, name: str, *args: Any, **query: str) -> str:
    response = page.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- the list --------------------------------------------------------------------------------------------------------
def test_an_empty_list_says_what_to_do_next(page: Client) -> None:
    text = text_of(page, "runs")
    assert reverse("import-new", args=["prompts"]) in text
    make_prompt()
    text = text_of(page, "runs")
    assert "You have prompts but no images yet" in text
    assert f"{reverse('run-new')}?preset=tiny" in text


def test_everybody_who_researches_sees_every_run(page: Client) -> None:
    run = make_run(name="somebody else's")
    finish(*steps_of(run, "draw")[:2])
    break_down(*steps_of(run, "score")[:1])
    text = text_of(page, "runs")
    assert "somebody else&#x27;s" in text
    assert f'<progress max="{run.steps.count()}" value="2"' in text
    assert reverse("run-failures", args=[run.pk]) in text


def test_the_list_takes_the_same_queries_however_many_runs(
    page: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_run()
    page.get(reverse("runs"))
    with django_assert_num_queries(6):  # session, user, rights (2), how many, the runs
        page.get(reverse("runs"))
    for _ in range(3):
        make_run()
    with django_assert_num_queries(6):
        page.get(reverse("runs"))


# --- one run ---------------------------------------------------------------------------------------------------------
def test_a_run_shows_its_images_as_they_come(page: Client) -> None:
    run = make_run(n_prompts=1, matrix=tiny_matrix(seeds=(7, 8)))
    draws = {(step.seed, step.parameters.get("mode", "")): step for step in steps_of(run, "draw")}
    finish(draws[7, ""])
    Step.objects.filter(pk=draws[8, ""].pk).update(state="running", claim="x", lease_until=timezone.now())
    break_down(draws[7, "renoise"])
    image = Step.objects.get(pk=draws[7, ""].pk).image
    assert image is not None

    text = text_of(page, "run", run.pk)
    assert f'src="{reverse("image-small", args=[image.pk])}" width="8" height="8" alt="baseline, seed 7"' in text
    assert text.count(">waiting<") == 3
    assert text.count(">being drawn<") == 1
    assert text.count(">failed<") == 1
    assert [
        text.count(f'<figcaption class="small" dir="auto">{OFFERED[key].label}<') for key in ("baseline", "switch-2")
    ] == [
        2,
        2,
    ]


def test_two_methods_that_share_an_image_both_show_it(page: Client) -> None:
    run = make_run(n_prompts=1, matrix=tiny_matrix(("baseline", "renoise-2", "renoise-2-rounds-2")))
    draws = steps_of(run, "draw")
    assert len(draws) == 3
    finish(*draws)
    assert text_of(page, "run", run.pk).count('loading="lazy"') == 3


def test_while_it_runs_a_script_fetches_the_changing_part_alone_until_the_end(page: Client) -> None:
    run = make_run()
    address = reverse("run", args=[run.pk])
    whole = page.get(address).content.decode()
    assert f'hx-get="{address}"' in whole
    assert '<meta http-equiv="refresh"' in whole
    part = page.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="stack-wide" id="run"')
    finish(*run.steps.select_related("prompt", "method"))
    Run.objects.filter(pk=run.pk).update(state="done", ended_at=timezone.now())
    assert "hx-get" not in page.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "refresh" not in page.get(address).content.decode()


def test_pace_time_left_and_cost(page: Client) -> None:
    run = make_run(n_prompts=4, matrix=tiny_matrix(("baseline",)))
    draws, scores = steps_of(run, "draw"), steps_of(run, "score")
    finish(*draws[:2], *scores[:2], seconds=15)
    for cost in ("0.25", "0.5", None):
        ModelCall.objects.create(run=run, engine="chat", model="m", outcome="ok", cost=cost)
    ModelCall.objects.create(engine="chat", model="m", outcome="ok", cost="9")  # another run's
    text = text_of(page, "run", run.pk)
    assert "4 of 8 steps are done" in text
    # Two images in the minute since it began, and 4 × 15 s of work in it: one worker, which has 4 × 15 s left.
    assert "<dt>images per minute</dt><dd>2.0</dd>" in text
    assert re.search("<dt>left, about</dt><dd>6[0-5] s</dd>", text)
    assert "<dt>for 3 calls of models, 1 without a price</dt><dd>US$ 0.75</dd>" in text


def test_why_it_failed_is_reported_once_for_each_reason(page: Client) -> None:
    run = make_run(n_prompts=5)
    break_down(*steps_of(run, "critique")[:3], message="The model declined.", cure="Use another model.")
    break_down(*steps_of(run, "critique")[3:4], message="No answer.")
    text = text_of(page, "run", run.pk)
    assert "<b>3 × critique</b><span>The model declined.</span>" in text
    assert text.index("The model declined.") < text.index("No answer.")
    assert "Use another model." in text


def test_a_run_that_ended_without_some_images_says_which_wait_for_what_failed(page: Client) -> None:
    run = make_run(n_prompts=1)
    (critique,) = steps_of(run, "critique")
    finish(steps_of(run, "draw")[0])
    break_down(critique)
    Run.objects.filter(pk=run.pk).update(state="done", ended_at=timezone.now(), message="1 step failed.")
    assert text_of(page, "run", run.pk).count("waits for what failed") == 2


def test_a_run_takes_the_same_queries_however_large(
    page: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def look(run: Run, n: int) -> None:
        with django_assert_num_queries(n):
            page.get(reverse("run", args=[run.pk]))
        with django_assert_num_queries(7):
            page.get(reverse("run-failures", args=[run.pk]))

    def prepared(n_prompts: int, seeds: tuple[int, ...]) -> Run:
        run = make_run(n_prompts=n_prompts, matrix=tiny_matrix(seeds=seeds))
        finish(*steps_of(run, "draw"))
        break_down(*steps_of(run, "score"))
        return run

    small, large = prepared(2, (7,)), prepared(12, (7, 8, 9, 10, 11))
    page.get(reverse("run", args=[small.pk]))
    look(small, 14)
    look(large, 14)


def test_texts_from_elsewhere_stay_texts(page: Client) -> None:
    evil = "\"'><script>evil()</script>"
    run = make_run(n_prompts=1, name=evil)
    Prompt.objects.update(text=evil)
    break_down(*steps_of(run, "draw"), message=evil, cure=evil)
    Run.objects.update(message=evil, cure=evil)
    for name, args in (("runs", ()), ("run", (run.pk,)), ("run-failures", (run.pk,))):
        text = text_of(page, name, *args)
        assert "&lt;script&gt;evil()" in text
        assert "<script>evil" not in text


# --- steering --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", STEER)
def test_only_owner_and_staff_steer(client: Client, name: str) -> None:
    run = make_run()
    for user, status in ((make_user(researcher=True), 403), (make_user(researcher=True, is_staff=True), 302)):
        client.force_login(user)
        text = text_of(client, "run", run.pk)
        assert (reverse("run-cancel", args=[run.pk]) in text) == (status == 302)
        assert client.post(reverse(name, args=[run.pk])).status_code == status
        assert client.get(reverse(name, args=[run.pk])).status_code == 405


def test_pause_go_on_retry_cancel(client: Client) -> None:
    run = make_run()
    assert run.owner is not None
    client.force_login(run.owner)

    def do(name: str) -> str:
        text = client.post(reverse(name, args=[run.pk]), follow=True).content.decode()
        run.refresh_from_db()
        return text

    assert "no new ones start" in do("run-pause")
    assert run.state == "paused"
    assert "This run is paused" in do("run-pause")
    do("run-resume")
    assert run.state == "running"
    break_down(*steps_of(run, "score")[:2])
    assert "2 steps will be retried." in do("run-retry")
    assert not run.steps.filter(state="failed").exists()
    assert "Everything made before is kept." in do("run-cancel")
    assert run.state == "cancelled"


# --- failures --------------------------------------------------------------------------------------------------------
def test_failures_with_their_cure_and_as_a_table(page: Client) -> None:
    run = make_run(n_prompts=1)
    Prompt.objects.update(text="=1+1, a fox")
    break_down(steps_of(run, "draw")[0], message="The image is black,\nall of it.")
    text = text_of(page, "run-failures", run.pk)
    assert "The image is black, all of it." in text
    assert "Use another seed." in text
    response = page.get(reverse("run-failures", args=[run.pk]), {"as": "csv"})
    table = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["kind"], row["seed"], row["tries"]) == ("draw", "7", "1")
    assert row["prompt"] == "'=1+1, a fox"
    assert row["message"] == "The image is black,\nall of it."


def test_no_failures_is_good_news(page: Client) -> None:
    assert "Nothing failed" in text_of(page, "run-failures", make_run().pk)
