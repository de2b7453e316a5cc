"""The API for researchers: who sees what, what it says, what it costs, and a schema without warnings."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import Membership, Response, Study
from evalsite.models import ApiToken
from tests.factories import make_answer, make_member, make_rater, make_study, make_token, make_user

pytestmark = pytest.mark.django_db

PARTS = ["", "items/", "raters/", "responses/", "results/", "exports/", "exports/answers.csv"]


def address(study: Study, part: str = "") -> str:
    return f"/api/v1/studies/{study.token}/{part}"


def as_program(user: User) -> Client:
    """A client that sends this user's token and nothing else."""
    return Client(headers={"authorization": f"Token {make_token(user)}"})


@pytest.fixture
def study() -> Study:
    study = make_study(n_items=4, k=9, title="Look closely", notes="refined should win")
    rater = make_rater(study, name="anna")
    for level, item in zip((4, 0, None), study.items.order_by("position"), strict=False):
        make_answer(item, rater, level=level)
    return study


# --- who ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", PARTS)
def test_researchers_of_the_study_may_read(study: Study, part: str) -> None:
    for user in (study.owner, make_member(study), make_user(is_superuser=True)):
        assert as_program(user).get(address(study, part)).status_code == 200
    client = Client()
    client.force_login(study.owner)
    assert client.get(address(study, part)).status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_to_everybody_else_the_study_is_not_there(study: Study, part: str) -> None:
    rater = study.raters.get()
    assert rater.user is not None
    for user in (
        make_user(),
        make_user(researcher=True),
        make_member(study, role=Membership.Role.AUDITOR),
        rater.user,
    ):
        response = as_program(user).get(address(study, part))
        assert response.status_code == 404
        assert "method" not in response.content.decode()
    assert Client().get(address(study, part)).status_code == 401


def test_the_list_has_one_s_own_studies_and_nobody_else_s(study: Study) -> None:
    other = make_study()
    rater = study.raters.get()
    assert rater.user is not None
    member = make_member(study)
    for user, titles in (
        (study.owner, ["Look closely"]),
        (member, ["Look closely"]),
        (other.owner, [other.title]),
        (rater.user, []),
        (make_member(study, role=Membership.Role.AUDITOR), []),
        (make_user(is_superuser=True), [other.title, "Look closely"]),
    ):
        found = as_program(user).get("/api/v1/studies/").json()["results"]
        assert [one["title"] for one in found] == titles
    assert Client().get("/api/v1/studies/").status_code == 401


@pytest.mark.parametrize("part", PARTS)
def test_what_raters_said_cannot_be_written(study: Study, part: str) -> None:
    client = as_program(study.owner)
    for send in (client.post, client.delete, *([client.put, client.patch] if part else [])):
        assert send(address(study, part), "{}", content_type="application/json").status_code == 405


# --- what ------------------------------------------------------------------------------------------------------------
def test_a_study_leads_to_its_parts(study: Study) -> None:
    client = as_program(study.owner)
    found = client.get(address(study)).json()
    assert (found["title"], found["notes"], found["n_answered"], found["n_wanted"]) == (
        "Look closely",
        "refined should win",
        3,
        36,
    )
    (dimension,) = found["dimensions"]
    assert dimension["levels"][4] == {"value": "5", "label": "matches exactly"}
    for part in ("items", "raters", "responses", "results", "exports"):
        assert client.get(found["links"][part]).status_code == 200


def test_items_name_images_and_methods(study: Study) -> None:
    found = as_program(study.owner).get(address(study, "items/")).json()["results"]
    image = study.items.order_by("pk")[0].images.get()
    assert len(found) == 4
    assert found[0]["prompt"] == image.prompt.text
    assert found[0]["images"] == [
        {
            "slot": 0,
            "id": image.pk,
            "key": "",
            "method": image.method.name,
            "seed": None,
            "round": 0,
            "sha256": image.sha256,
        }
    ]


def test_answers_have_exact_values_and_unable_is_none(study: Study) -> None:
    found = as_program(study.owner).get(address(study, "responses/")).json()["results"]
    assert [(one["dimension"], one["value"], one["is_unable"]) for one in found] == [
        ("alignment", "5", False),
        ("alignment", "1", False),
        ("alignment", None, True),
    ]


def test_answers_come_page_by_page_and_with_revisions_if_wanted(study: Study) -> None:
    old = Response.objects.order_by("pk")[0]
    Response.objects.filter(pk=old.pk).update(is_current=False)
    Response.objects.create(
        assignment=old.assignment,
        dimension=old.dimension,
        image=old.image,
        revision=2,
        level=2,
        answered_at=old.answered_at,
    )
    client = as_program(study.owner)
    seen, link = [], address(study, "responses/?page_size=2")
    while link:
        page = client.get(link).json()
        assert len(page["results"]) <= 2
        seen += [one["value"] for one in page["results"]]
        link = page["next"]
    assert seen == ["1", None, "3"]
    every = client.get(address(study, "responses/?all_revisions=true")).json()["results"]
    assert [(one["value"], one["revision"], one["is_current"]) for one in every] == [
        ("5", 1, False),
        ("1", 1, True),
        (None, 1, True),
        ("3", 2, True),
    ]


def description() -> dict[str, Any]:
    """The API's own description."""
    found: dict[str, Any] = Client().get("/api/v1/schema/").json()
    return found


def test_results_are_those_of_the_page(study: Study) -> None:
    found = as_program(study.owner).get(address(study, "results/")).json()
    assert (found["state"], found["n_ratings"]) == ("done", 3)
    assert found["results"] == study.snapshots.get().results
    described = {**description(), "$ref": "#/components/schemas/Results"}
    jsonschema.Draft202012Validator(described).validate(found)
    assert not jsonschema.Draft202012Validator(described).is_valid(found | {"results": {"title": "no figures"}})
    client = Client()
    client.force_login(study.owner)
    client.get(f"/study/{study.token}/results/")
    assert study.snapshots.count() == 1


def test_exports_can_be_fetched_with_a_token(study: Study) -> None:
    client = as_program(study.owner)
    tables = {one["name"]: one["files"] for one in client.get(address(study, "exports/")).json()}
    response: Any = client.get(tables["answers"]["csv"])
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode(), newline="")))
    assert [row["value"] for row in rows] == ["5", "1", ""]
    assert client.get(address(study, "exports/secrets.csv")).status_code == 404


# --- tokens ----------------------------------------------------------------------------------------------------------
def test_a_researcher_makes_a_token_and_ends_it(study: Study) -> None:
    browser = Client()
    browser.force_login(study.owner)
    first = browser.post("/api/v1/token/").json()["token"]
    second = browser.post("/api/v1/token/").json()["token"]
    assert Client(headers={"authorization": f"Token {first}"}).get(address(study)).status_code == 401
    program = Client(headers={"authorization": f"Token {second}"})
    assert program.get(address(study)).status_code == 200
    assert program.post("/api/v1/token/").status_code in (401, 403)  # a token makes no tokens
    assert browser.delete("/api/v1/token/").status_code == 204
    assert program.get(address(study)).status_code == 401


def test_who_runs_no_study_gets_no_token(study: Study) -> None:
    rater = study.raters.get()
    assert rater.user is not None
    browser = Client()
    for user in (rater.user, make_member(study, role=Membership.Role.AUDITOR)):
        browser.force_login(user)
        assert browser.post("/api/v1/token/").status_code == 403
    assert not ApiToken.objects.exists()


# --- cost and schema -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [3, 30])
@pytest.mark.parametrize(
    ("part", "queries"), [("", 4), ("items/", 4), ("raters/", 3), ("responses/", 5), ("exports/", 2)]
)
def test_queries_do_not_grow_with_the_study(
    n: int, part: str, queries: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    study = make_study(n_items=n, k=n)
    for _ in range(n // 3):
        rater = make_rater(study)
        for item in study.items.all()[:3]:
            make_answer(item, rater)
    client = as_program(study.owner)
    client.get(address(study))  # a token's first use is noted
    with django_assert_num_queries(queries):
        assert client.get(address(study, part)).status_code == 200


def test_the_schema_is_whole(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json")
    schema = json.loads(capsys.readouterr().out)
    paths = {path for path in schema["paths"] if path.startswith("/api/v1/studies/")}
    assert {address(study, part).replace(study.token, "{token}") for part in PARTS[:-1]} < paths
    assert Client().get("/api/v1/schema/").status_code == 200  # it says what there is to ask, and holds no data
