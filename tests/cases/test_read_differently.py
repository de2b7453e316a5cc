"""A file that may be read in two ways, on the page: a trial says so, the form settles it, and the import keeps it."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from annotations.models import Rater, Response, Study
from generation import tasks
from generation.models import ImportRun
from tests.factories import make_user

pytestmark = pytest.mark.django_db
RATINGS = b"image,Ann,Ben\nx.png,Good,Poor\ny.png,Fair,Good\n"
ITEMS = b"item,prompt,method\nx.png,a fox,base\ny.png,a fox,ref\n"
WORDS = "Poor = 1\nFair = 2\nGood = 3"


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(
    client: Client, researcher: User, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Client:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda **_: None)
    client.force_login(researcher)
    return client


def ran() -> ImportRun:
    run = ImportRun.objects.latest("pk")
    tasks.run_import(run.pk)
    run.refresh_from_db()
    return run


def upload(page: Client) -> ImportRun:
    files = {"table": SimpleUploadedFile("w.csv", RATINGS), "items": SimpleUploadedFile("i.csv", ITEMS)}
    given = files | {"study": "T", "scale": "1-3", "dry_run": "on"}
    assert page.post(reverse("import-new", args=["ratings"]), given).status_code == 302
    return ran()


def test_columns_and_words_are_settled_on_the_page(page: Client) -> None:
    trial = upload(page)
    assert trial.state == ImportRun.State.FAILED
    assert "raters or questions" in trial.message
    shown = page.get(reverse("import-run", args=[trial.pk])).content.decode()
    assert "Read it differently" in shown
    assert 'for="id_column-1"' in shown
    said = {"column-0": "item", "column-1": "raters", "column-2": "raters", "words": WORDS}
    assert page.post(reverse("import-reread", args=[trial.pk]), said).status_code == 302
    second = ran()
    assert second.is_dry_run
    assert second.state == ImportRun.State.DONE, second.message
    assert not Study.objects.exists()
    shown = page.get(reverse("import-run", args=[second.pk])).content.decode()
    assert "a column for each rater" in shown
    assert "The first answers as they are read" in shown
    page.post(reverse("import-again", args=[second.pk]))
    real = ran()
    assert (real.is_dry_run, real.n_created, real.n_rejected) == (False, 6, 0), real.message
    assert set(Rater.objects.values_list("name", flat=True)) == {"Ann", "Ben"}
    levels = Response.objects.values_list("assignment__rater__name", "assignment__item__key", "level")
    assert set(levels) == {("Ann", "x.png", 2), ("Ben", "x.png", 0), ("Ann", "y.png", 1), ("Ben", "y.png", 2)}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"column-0": "item", "column-1": "item"}, "column-1"),
        ({"column-0": "item", "column-1": "raters", "words": "Poor is 1"}, "words"),
        ({"column-0": "everything"}, "column-0"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(page: Client, said: dict[str, str], field: str) -> None:
    trial = upload(page)
    response = page.post(reverse("import-reread", args=[trial.pk]), said)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert ImportRun.objects.count() == 1


def test_nobody_reads_the_file_of_another(page: Client, client: Client) -> None:
    trial = upload(page)
    client.force_login(make_user("rob", researcher=True))
    assert client.post(reverse("import-reread", args=[trial.pk]), {"column-0": "item"}).status_code == 404
