"""Runs by API: started, followed, steered and read with a token."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from generation import tasks
from generation.models import Image, MetricScore, Run, Step
from generation.recipes.matrix import methods
from tests.api.problems import by_field
from tests.factories import make_image, make_matrix, make_prompt, make_prompt_set, make_run, make_token, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/runs/"


def by_token(user: User) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")
    return client


@pytest.fixture
def ruth() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def api(ruth: User) -> APIClient:
    return by_token(ruth)


def post(api: APIClient, **body: Any) -> Any:
    return api.post(ADDRESS, body, format="json")


def test_started_from_an_experiment_and_followed(api: APIClient, ruth: User) -> None:
    prompt_set = make_prompt_set("set")
    for number in range(6):
        make_prompt(f"A fox number {number} by a pot.", prompt_set=prompt_set)

    response = post(api, prompt_set="set", experiment="tiny", name="mine")

    assert response.status_code == 202
    run = Run.objects.get()
    assert (run.owner, run.name, run.prompts.count()) == (ruth, "mine", 4)  # as many as the experiment wants
    assert response.headers["Location"] == response.json()["url"] == f"http://testserver{ADDRESS}{run.pk}/"
    tasks.plan_run(run.pk)
    told = api.get(response.json()["url"]).json()
    assert told["state"] == "running"
    assert {row["kind"]: row["n"] for row in told["kinds"]}["draw"] == 12
    assert [row["name"] for row in api.get(ADDRESS).json()] == ["mine"]


def test_an_experiment_s_category_is_applied_where_the_set_has_it(api: APIClient) -> None:
    prompt_set = make_prompt_set("set")
    for category in ("Functional", "other"):
        make_prompt(prompt_set=prompt_set, category=category)
    chat = {"engine": "local-chat", "options": {"model": "tiny"}}

    assert post(api, prompt_set="set", experiment="detailscribe", language=chat, critic=chat).status_code == 202

    assert [prompt.category for prompt in Run.objects.get().prompts.all()] == ["Functional"]


def test_started_from_a_matrix_over_a_category(api: APIClient) -> None:
    prompt_set = make_prompt_set("set")
    for category in ("functional", "functional", "other"):
        make_prompt(prompt_set=prompt_set, category=category)

    response = post(
        api, prompt_set="set", category="functional", matrix=make_matrix(methods.BASELINE).as_json(), priority=3
    )

    assert response.status_code == 202
    run = Run.objects.get()
    assert (run.prompts.count(), run.priority) == (2, 3)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"prompt_set": "no such"}, "prompt_set", "does not exist"),
        ({"experiment": "no such"}, "experiment", "not a valid choice"),
        ({"matrix": {}}, "experiment", "either an experiment or a matrix"),
        ({"experiment": None, "matrix": {"methods": []}}, "experiment", "may not be null"),
        ({"experiment": "detailscribe"}, "experiment", 'needs an engine for "critic"'),
        ({"critic": "a person"}, "critic", "Give"),
        ({"category": "no such"}, "category", "No prompt of the set matches"),
        ({"color": "red"}, "color", "This field is not known"),
        ({"first": 0}, "first", "greater than or equal to 1"),
    ],
)
def test_bad_input_names_the_field_and_the_cure(api: APIClient, body: dict[str, Any], field: str, says: str) -> None:
    make_prompt(prompt_set=make_prompt_set("set"))

    response = post(api, **{"prompt_set": "set", "experiment": "tiny", **body})

    assert response.status_code == 400
    assert says in str(by_field(response.json())[field])
    assert not Run.objects.exists()


def test_a_matrix_that_makes_no_sense_says_what_would(api: APIClient) -> None:
    make_prompt(prompt_set=make_prompt_set("set"))
    matrix = make_matrix().as_json() | {"methods": [{"label": "x", "refinement": {"mode": "repaint"}}]}

    response = post(api, prompt_set="set", matrix=matrix)

    assert response.status_code == 400
    assert by_field(response.json())["matrix"] == ["mode: 'repaint' is not possible. Valid: renoise, switch, redraw."]


@pytest.mark.parametrize(
    ("place", "spec", "says"),
    [
        ("image", {"engine": "os.system"}, "engines.image: There is no engine 'os.system'."),
        (
            "image",
            {"engine": "sd3", "options": {"model": "tiny", "base_url": "http://x"}},
            "engines.image: Unknown option 'base_url'.",
        ),
        ("image", {"engine": "sd3", "options": {"model": 5}}, "engines.image: "),
        ("language", {"engine": "local-chat", "options": {"modell": "tiny"}}, "engines.language: "),
        ("critic", {"engine": "questions", "options": {"answerer": 5}}, "engines.critic: "),
        ("critic", {"engine": "questions"}, "engines.critic: "),
        ("critic", {"engine": "chat", "options": {"base_url": "http://x"}}, "engines.critic: "),
        ("clip-score", {"engine": "clip-score", "options": {"wheels": 4}}, "metrics.clip-score: "),
    ],
)
def test_an_engine_or_an_option_that_does_not_exist_is_named_at_once(
    place: str, spec: dict[str, Any], says: str, api: APIClient
) -> None:
    make_prompt(prompt_set=make_prompt_set("set"))
    matrix = make_matrix(metrics=("clip-score",)).as_json()
    matrix["metrics" if place == "clip-score" else "engines"][place] = spec

    response = post(api, prompt_set="set", matrix=matrix)

    assert response.status_code == 400
    assert says in by_field(response.json())["matrix"][0]
    assert not Run.objects.exists()


def test_steered_by_its_owner_alone(api: APIClient, ruth: User) -> None:
    run = make_run(owner=ruth)
    other = by_token(make_user(researcher=True))
    assert other.post(f"{ADDRESS}{run.pk}/pause/").status_code == 403
    assert other.get(f"{ADDRESS}{run.pk}/").status_code == 200

    assert api.post(f"{ADDRESS}{run.pk}/pause/").json()["state"] == "paused"
    assert api.post(f"{ADDRESS}{run.pk}/resume/").json()["state"] == "running"
    assert api.post(f"{ADDRESS}{run.pk}/cancel/").json()["state"] == "cancelled"
    late = api.post(f"{ADDRESS}{run.pk}/resume/")
    assert (late.status_code, late.json()["detail"]) == (409, "This run is cancelled.")


def test_what_failed_is_listed_and_tried_again(api: APIClient, ruth: User) -> None:
    run = make_run(owner=ruth)
    run.steps.filter(kind=Step.Kind.DRAW).update(state=Step.State.FAILED, message="no room", cure="make some")

    (failure,) = api.get(f"{ADDRESS}{run.pk}/failures/").json()["results"]
    assert (failure["kind"], failure["message"], failure["cure"]) == ("draw", "no room", "make some")
    assert api.post(f"{ADDRESS}{run.pk}/retry/").status_code == 200
    assert not run.steps.filter(state=Step.State.FAILED).exists()


def finished(n_prompts: int) -> Run:
    run = make_run(n_prompts=n_prompts)
    for step in run.steps.filter(kind=Step.Kind.DRAW):
        image = make_image(prompt=step.prompt, method=step.method, seed=step.seed)
        MetricScore.objects.create(image=image, metric="clip-score", version="tiny", value=0.5)
        Step.objects.filter(pk=step.pk).update(image=image)
    return run


def test_its_images_come_with_their_scores(api: APIClient) -> None:
    run = finished(2)
    make_image()  # of no run

    rows = api.get(f"{ADDRESS}{run.pk}/images/").json()["results"]

    assert {row["id"] for row in rows} == set(Image.objects.filter(steps__run=run).values_list("pk", flat=True))
    assert rows[0]["scores"] == [{"metric": "clip-score", "version": "tiny", "value": 0.5}]
    assert rows[0]["method"] == "tiny · baseline"
    file = api.get(rows[0]["file_url"])
    assert (file.status_code, file.headers["Content-Type"]) == (200, "image/png")
    assert file.getvalue() == Image.objects.get(pk=rows[0]["id"]).file.read()
    manifest = api.get(api.get(f"{ADDRESS}{run.pk}/").json()["manifest_url"])
    assert manifest.getvalue().count(b"\n") == 3  # its format, and two images


@pytest.mark.parametrize("part", ["", "images/", "failures/"])
def test_the_number_of_queries_does_not_grow_with_the_run(api: APIClient, part: str) -> None:
    n = []
    api.get(ADDRESS)  # a token's first use is noted
    for run in (finished(1), finished(8)):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"{ADDRESS}{run.pk}/{part}").status_code == 200
        n.append(len(queries))
    assert n[0] == n[1]
