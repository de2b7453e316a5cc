"""Imports by API: the same service, a token, plain answers."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from generation import tasks
from generation.models import ImportRun, Prompt
from tests.api.problems import by_field
from tests.factories import make_token, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/imports/"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda *, args, **_: ids.append(*args))
    return ids


def by_token(user: User) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")
    return client


@pytest.fixture
def api() -> APIClient:
    return by_token(make_user("ruth", researcher=True))


def table(content: bytes = b"prompt\na fox\n,\n") -> SimpleUploadedFile:
    return SimpleUploadedFile("t.csv", content)


def test_sent_followed_and_read(api: APIClient) -> None:
    response = api.post(ADDRESS, {"kind": "prompts", "prompt_set": "p", "table": table()})
    assert response.status_code == 202
    run = response.json()
    assert (run["state"], run["is_dry_run"], run["options"]) == ("waiting", False, {"prompt_set": "p"})
    assert run["url"] == response.headers["Location"] == f"http://testserver{ADDRESS}{run['id']}/"
    tasks.run_import(run["id"])
    ended = api.get(run["url"]).json()
    assert (ended["state"], ended["n_created"], ended["n_rejected"]) == ("done", 1, 1)
    assert ended["rejected"][0]["row"] == 3
    assert ended["rejects_url"].endswith(reverse("import-rejects", args=[run["id"]]))
    assert [row["id"] for row in api.get(ADDRESS).json()] == [run["id"]]


def test_a_trial_run_writes_nothing(api: APIClient) -> None:
    run = api.post(ADDRESS, {"kind": "prompts", "prompt_set": "p", "table": table(), "dry_run": "true"}).json()
    tasks.run_import(run["id"])
    assert ImportRun.objects.get().state == ImportRun.State.DONE
    assert not Prompt.objects.exists()


def test_a_waiting_import_is_cancelled(api: APIClient) -> None:
    run = api.post(ADDRESS, {"kind": "prompts", "prompt_set": "p", "table": table()}).json()
    response = api.delete(run["url"])
    assert (response.status_code, response.json()["state"]) == (202, "cancelled")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"kind": "nonsense"}, "kind", "prompts"),
        ({"kind": "prompts", "prompt_set": "p"}, "table", "required"),
        ({"kind": "prompts", "prompt_set": "p", "catgory": "x"}, "catgory", "This field is not known"),
        ({"kind": "ratings", "study": "s", "scale": "5-1", "with_table": True}, "scale", "fewer than two levels"),
    ],
)
def test_what_is_wrong_is_said_by_field(api: APIClient, given: dict[str, object], field: str, words: str) -> None:
    if given.pop("with_table", False):
        given["table"] = table()
    response = api.post(ADDRESS, given)
    assert response.status_code == 400
    assert words in str(by_field(response.json())[field])
    assert not ImportRun.objects.exists()


def test_too_much_is_refused_before_it_is_read(api: APIClient, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 10
    response = api.post(ADDRESS, {"kind": "prompts", "prompt_set": "p", "table": table(b"x" * 2**21)})
    assert response.status_code == 413


def test_researchers_alone_and_each_their_own(api: APIClient) -> None:
    run = api.post(ADDRESS, {"kind": "prompts", "prompt_set": "p", "table": table()}).json()
    assert APIClient().get(run["url"]).status_code == 401
    assert by_token(make_user("annotator")).post(ADDRESS, {"kind": "prompts"}).status_code == 403
    other = by_token(make_user("other", researcher=True))
    assert other.get(run["url"]).status_code == 404
    assert other.delete(run["url"]).status_code == 404
    assert other.get(ADDRESS).json() == []
