"""Whose prompt set it is: who may add to it by every door, and what says afterwards who added what."""

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from annotations.models import Item
from generation import tasks
from generation.models import Activity, Critique, Image, ImportRun, MetricScore, Prompt, PromptSet
from generation.services.imports.import_runs import take_abandoned
from tests.api.problems import by_field
from tests.factories import make_image, make_prompt, make_study, make_user

pytestmark = pytest.mark.django_db

ROWS = {
    "prompts": "prompt\nB was here\n",
    "items": "item,prompt,method\nb1,B was here,baseline\n",
    "scores": "image,metric,value\na1,EvilMetric,1.0\n",
    "critiques": "image,critic,text\na1,evil,B says wrong\n",
}
KINDS = sorted(ROWS)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> None:
    """Imports are carried out by the request that sends them."""
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda *, args, **_: tasks.run_import(*args))


@pytest.fixture
def anna() -> User:
    return make_user("anna", researcher=True)


@pytest.fixture
def bert() -> User:
    return make_user("bert", researcher=True)


@pytest.fixture
def hers(anna: User) -> PromptSet:
    """A set of Anna's with one image, whose key is a1."""
    prompt_set = PromptSet.objects.create(name="Hers", owner=anna)
    make_image(prompt=make_prompt("A hen.", prompt_set=prompt_set), key="a1")
    return prompt_set


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(
    user: User, kind: str, prompt_set: str, capture: Any, *, rows: str = "", **options: str
) -> tuple[int, Mapping[str, Any]]:
    """Import by the API; the status, and the run as it ended (or the refusal)."""
    table = SimpleUploadedFile(f"{kind}.csv", (rows or ROWS[kind]).encode())
    data = {"kind": kind, "table": table, **options} | ({"prompt_set": prompt_set} if prompt_set else {})
    client = signed_in(user)
    with capture(execute=True):
        answer = client.post("/api/v1/imports/", data)
    if answer.status_code != HTTPStatus.ACCEPTED:
        return answer.status_code, answer.json()
    return answer.status_code, client.get(answer.json()["url"]).json()


def n_rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Prompt, Image, MetricScore, Critique))


@pytest.mark.parametrize("kind", KINDS)
class TestDoors:
    def test_nobody_else_adds_to_a_set_and_the_refusal_names_the_cure(
        self, kind: str, hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        before = n_rows()

        status, answer = send(bert, kind, "Hers", django_capture_on_commit_callbacks)
        page = signed_in(bert).post(
            f"/imports/new/{kind}/",
            {"table": SimpleUploadedFile("t.csv", ROWS[kind].encode()), "prompt_set": "Hers"},
        )

        assert status == HTTPStatus.BAD_REQUEST
        assert "belongs to anna" in by_field(answer)["prompt_set"][0]
        assert page.status_code == 422
        assert "name you among its editors" in page.content.decode()
        assert n_rows() == before

    def test_without_a_set_only_the_images_of_ones_own_sets_are_meant(
        self, kind: str, hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        if kind not in ("scores", "critiques"):
            return
        before = n_rows()

        _status, run = send(bert, kind, "", django_capture_on_commit_callbacks)

        assert (run["n_created"], run["n_rejected"]) == (0, 1)
        assert "the prompt sets that you may add to" in run["rejected"][0]["problem"]
        assert n_rows() == before

    def test_a_set_without_an_owner_is_the_administrators(
        self, kind: str, hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        PromptSet.objects.filter(pk=hers.pk).update(owner=None)

        status, answer = send(bert, kind, "Hers", django_capture_on_commit_callbacks)
        assert status == HTTPStatus.BAD_REQUEST
        assert "has no owner" in by_field(answer)["prompt_set"][0]

        boss = make_user(is_superuser=True)
        assert send(boss, kind, "Hers", django_capture_on_commit_callbacks)[1]["n_created"] == 1

    def test_an_editor_may_and_no_longer_once_removed(
        self, kind: str, hers: PromptSet, anna: User, bert: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        signed_in(anna).post(f"/prompts/{hers.pk}/editors/", {"username": "bert"})
        assert send(bert, kind, "Hers", django_capture_on_commit_callbacks)[1]["n_created"] == 1

        signed_in(anna).post(f"/prompts/{hers.pk}/editors/{bert.pk}/remove/")

        assert send(bert, kind, "Hers", django_capture_on_commit_callbacks)[0] == HTTPStatus.BAD_REQUEST

    def test_a_right_that_ended_while_the_file_waited_is_asked_for_again(
        self, kind: str, hers: PromptSet, anna: User, bert: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        hers.editors.add(bert)
        with django_capture_on_commit_callbacks():  # the message waits
            signed_in(bert).post(
                "/api/v1/imports/",
                {"kind": kind, "table": SimpleUploadedFile("t.csv", ROWS[kind].encode()), "prompt_set": "Hers"},
            )
        hers.editors.clear()
        before = n_rows()

        tasks.run_import(ImportRun.objects.get().pk)

        run = ImportRun.objects.get()
        assert run.state == ImportRun.State.FAILED
        assert "belongs to anna" in run.message
        assert n_rows() == before

    def test_every_row_knows_who_added_it_by_which_import_and_so_does_the_record(
        self, kind: str, hers: PromptSet, anna: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        known = set(Prompt.objects.values_list("pk", flat=True)), set(Image.objects.values_list("pk", flat=True))

        send(anna, kind, "Hers", django_capture_on_commit_callbacks)

        run = ImportRun.objects.get()
        new = [
            *Prompt.objects.exclude(pk__in=known[0]),
            *Image.objects.exclude(pk__in=known[1]),
            *MetricScore.objects.all(),
            *Critique.objects.all(),
        ]
        assert new
        for row in new:
            assert (row.added_by, row.import_run) == (anna, run)
        line = Activity.objects.get(action="added")
        assert (line.actor, line.subject, line.subject_key) == (anna, "prompt_set", str(hers.pk))
        assert line.details == {"kind": kind, "rows": 1, "file": f"{kind}.csv", "import": run.pk}

    def test_a_trial_is_not_on_record(
        self, kind: str, hers: PromptSet, anna: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        send(anna, kind, "Hers", django_capture_on_commit_callbacks, dry_run="true")

        assert not Activity.objects.filter(action="added").exists()

    def test_a_command_on_the_server_may_and_is_on_record_as_such(
        self, kind: str, hers: PromptSet, bert: User, tmp_path: Path
    ) -> None:
        (tmp_path / "t.csv").write_text(ROWS[kind])

        call_command(f"import_{kind}", str(tmp_path / "t.csv"), prompt_set="Hers", owner="bert", verbosity=0)

        run = ImportRun.objects.get()
        assert (run.is_by_command, run.state, run.owner, run.n_created) == (True, "done", bert, 1)
        assert Activity.objects.get(action="added").details["import"] == run.pk
        page = signed_in(bert).get(f"/imports/{run.pk}/").content.decode()
        assert "a command on the server" in page


def test_scores_without_a_set_find_ones_own_image_though_others_use_its_key(
    hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
) -> None:
    own = PromptSet.objects.create(name="His", owner=bert)
    image = make_image(prompt=make_prompt("A cat.", prompt_set=own), key="a1")

    _status, run = send(bert, "scores", "", django_capture_on_commit_callbacks)

    assert run["n_created"] == 1
    assert MetricScore.objects.get().image == image


def test_ratings_with_items_cannot_bring_items_into_anothers_set(
    hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
) -> None:
    ratings = "item,rater,dimension,value\nb1,r1,fit,3\n"
    items = SimpleUploadedFile("items.csv", ROWS["items"].encode())
    before = n_rows()

    _status, run = send(
        bert, "ratings", "Hers", django_capture_on_commit_callbacks, rows=ratings, study="S", scale="1-5", items=items
    )

    assert run["state"] == "failed"
    assert "belongs to anna" in run["message"]
    assert n_rows() == before


def test_ratings_of_anothers_images_are_a_study_of_ones_own(
    hers: PromptSet, bert: User, django_capture_on_commit_callbacks: Any
) -> None:
    """Reading is shared: anybody may have Anna's images judged, in a study that Anna need not look at."""
    ratings = "item,rater,dimension,value\na1,r1,fit,3\n"

    _status, run = send(
        bert, "ratings", "Hers", django_capture_on_commit_callbacks, rows=ratings, study="S", scale="1-5"
    )

    assert (run["state"], run["n_created"]) == ("done", 1)
    line = Activity.objects.get(subject="study", action="added")
    assert (line.subject_name, line.details["kind"], line.details["rows"]) == ("S", "ratings", 1)


def test_only_the_owner_names_editors_and_only_researchers(hers: PromptSet, anna: User, bert: User) -> None:
    make_user("rater")
    hers.editors.add(bert)

    assert signed_in(bert).post(f"/prompts/{hers.pk}/editors/", {"username": "bert"}).status_code == 403
    refused = signed_in(anna).post(f"/prompts/{hers.pk}/editors/", {"username": "rater"}, follow=True)

    assert "No researcher here signs in as" in refused.content.decode()
    assert list(hers.editors.all()) == [bert]


def test_the_page_of_a_set_says_who_may_add_and_that_reading_is_shared(hers: PromptSet, anna: User, bert: User) -> None:
    hers.editors.add(bert)

    page = signed_in(make_user("carl", researcher=True)).get(f"/prompts/{hers.pk}/").content.decode()

    for words in ("anna", "bert", "Every researcher of this site can see this set"):
        assert words in page
    assert "Add an editor" not in page
    assert "Every researcher on this site can see what you import" in signed_in(anna).get("/imports/").content.decode()


def test_the_form_suggests_only_sets_that_one_may_add_to(hers: PromptSet, anna: User, bert: User) -> None:
    assert 'value="Hers"' in signed_in(anna).get("/imports/new/prompts/").content.decode()
    assert 'value="Hers"' not in signed_in(bert).get("/imports/new/prompts/").content.decode()


def test_a_command_that_was_killed_is_ended_and_not_repeated(anna: User) -> None:
    now = timezone.now()
    run = ImportRun.objects.create(
        kind="prompts", owner=anna, is_by_command=True, file_name="p.csv", state="running", lease_until=now,
        n_created=60_000,
    )  # fmt: skip

    assert take_abandoned(now=now + timedelta(seconds=1)) == []

    run.refresh_from_db()
    assert run.state == "failed"
    assert run.message == "The command was killed. The 60,000 rows that it had added are kept; run it again."
    signed_in(anna).post(f"/imports/{run.pk}/again/")
    assert ImportRun.objects.count() == 1


def test_the_activity_of_a_study_shows_what_came_into_its_sets(
    hers: PromptSet, anna: User, bert: User, django_capture_on_commit_callbacks: Any
) -> None:
    study = make_study(owner=anna, n_items=1)
    Item.objects.filter(study=study).update(prompt=Prompt.objects.get(prompt_set=hers))
    hers.editors.add(bert)
    send(bert, "scores", "Hers", django_capture_on_commit_callbacks)

    response = signed_in(anna).get(f"/study/{study.token}/activity/activity.csv")

    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert ("bert", "added", "Hers") in {(row["who"], row["did"], row["what"]) for row in rows}
