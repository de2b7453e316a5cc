"""The end of a study: the owner's alone, in two steps, with every answer kept in a file."""

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Response, Study
from annotations.services import deletion as services
from generation.models import Image
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def answers_in(name: str) -> list[dict[str, str]]:
    with default_storage.open(name) as file, zipfile.ZipFile(file) as bundle:
        text = bundle.read("answers-all-revisions.csv").decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def answered_study(**fields: object) -> Study:
    study = make_study(n_items=2, **fields)  # type: ignore[arg-type]
    rater = make_rater(study, name="anna")
    make_answer(study.items.all()[0], rater, level=4)
    make_answer(study.items.all()[1], rater, level=None)
    return study


def test_deleting_needs_both_steps_and_the_title_and_leaves_images_and_people() -> None:
    study, other = answered_study(title="Old study"), answered_study()
    rater, n_images = study.raters.get(), Image.objects.count()

    with pytest.raises(ValidationError, match="exported"):
        services.delete_study(study=study, typed_title="Old study")
    services.ask_deletion(study=study)
    with pytest.raises(ValidationError, match="not the title"):
        services.delete_study(study=study, typed_title="Old")
    assert study.assignments.count() == 2

    kept = services.delete_study(study=study, typed_title=" Old  study ")

    assert list(Study.objects.all()) == [other]
    assert set(Assignment.objects.values_list("study", flat=True)) == {other.pk}
    assert Response.objects.count() == 2
    assert Image.objects.count() == n_images
    assert rater.user is not None
    rater.user.refresh_from_db()
    assert default_storage.exists(kept)


def test_the_file_has_every_revision_exactly_and_what_came_in_after_asking() -> None:
    study = answered_study(title="Old study", owner=make_user("rosa"))
    first = Response.objects.get(assignment__study=study, level=4)
    Response.objects.filter(pk=first.pk).update(is_current=False)
    Response.objects.create(
        assignment=first.assignment,
        dimension=first.dimension,
        image=first.image,
        revision=2,
        level=0,
        answered_at=timezone.now() + timedelta(minutes=1),
    )
    kept = services.ask_deletion(study=study)
    assert len(answers_in(kept)) == 3
    make_answer(study.items.all()[0], make_rater(study, name="late"), level=2)

    kept = services.delete_study(study=study, typed_title="Old study")

    rows = answers_in(kept)
    assert len(rows) == 4
    assert {(r["rater"], r["value"], r["revision"], r["is_current"], r["is_unable"]) for r in rows} == {
        ("anna", "5", "1", "false", "false"),
        ("anna", "", "1", "true", "true"),
        ("anna", "1", "2", "true", "false"),
        ("late", "3", "1", "true", "false"),
    }
    assert rows[0]["item"] == "item-0"
    assert rows[0]["method"] == first.image.method.name  # type: ignore[union-attr]


def test_a_deletion_that_fails_half_way_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    study = answered_study(title="Old study")
    services.ask_deletion(study=study)

    def broken(self: Study) -> None:
        raise RuntimeError

    monkeypatch.setattr(Study, "delete", broken)
    with pytest.raises(RuntimeError):
        services.delete_study(study=study, typed_title="Old study")
    assert Response.objects.filter(assignment__study=study).count() == 2


def test_the_owner_goes_through_it_in_the_browser(client: Client) -> None:
    study = answered_study(title="Old study")
    client.force_login(study.owner)
    address = f"/study/{study.token}/delete/"

    assert "Step 1 of 2" in client.get(address).content.decode()
    client.post(address, {"step": "ask"})
    study.refresh_from_db()
    assert study.state == Study.State.CLOSED
    text = client.get(address).content.decode()
    assert "Step 2 of 2" in text
    response = client.get(f"{address}answers")
    assert response.headers["Content-Disposition"].startswith("attachment")
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert "answers.csv" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert "That is not the title." in client.post(address, {"step": "confirm", "title": "Other"}).content.decode()
    done = client.post(address, {"step": "confirm", "title": "Old study"}, follow=True)

    assert done.redirect_chain == [("/", 302)]
    assert "Its answers are kept" in done.content.decode()
    assert not Study.objects.exists()


def test_the_owner_may_keep_it_after_all(client: Client) -> None:
    study = answered_study()
    client.force_login(study.owner)
    client.post(f"/study/{study.token}/delete/", {"step": "ask"})

    client.post(f"/study/{study.token}/delete/", {"step": "cancel"})

    study.refresh_from_db()
    assert study.deletion_asked_at is None
    assert client.get(f"/study/{study.token}/delete/answers").status_code == 404


def test_reading_the_page_changes_nothing(client: Client, tmp_path: Path) -> None:
    study = answered_study()
    client.force_login(study.owner)

    client.get(f"/study/{study.token}/delete/?step=ask")

    study.refresh_from_db()
    assert study.deletion_asked_at is None
    assert study.state == Study.State.OPEN


@pytest.mark.parametrize("persona", ["member", "superuser", "researcher"])
def test_nobody_but_the_owner_may_delete(client: Client, persona: str) -> None:
    study = answered_study()
    user = make_user(researcher=True, is_superuser=persona == "superuser")
    if persona == "member":
        make_member(study, user)
    client.force_login(user)

    for step in ("ask", "confirm"):
        assert client.post(f"/study/{study.token}/delete/", {"step": step, "title": study.title}).status_code == 403
    assert client.get(f"/study/{study.token}/delete/").status_code == 403
    assert client.get(f"/study/{study.token}/delete/answers").status_code == 403
    study.refresh_from_db()
    assert study.deletion_asked_at is None
