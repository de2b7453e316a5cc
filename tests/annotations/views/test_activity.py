"""The record of who did what: complete, readable by the owner and administrators, and never changed."""

import csv
import io
from http import HTTPStatus
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Study
from annotations.services import deletion
from generation.models import Activity, OnlyAdded
from generation.queries.activity import rows
from tests.factories import make_answer, make_member, make_rater, make_study, make_user
from tests.security.test_permissions import ADDRESSES, url_of
from tests.security.world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = make_study(title="Look closely", owner=make_user("olga", researcher=True), n_items=2, state="draft")
    make_answer(study.items.all()[0], make_rater(study, name="anna"))
    return study


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lines(study: Study) -> list[tuple[str, str]]:
    """(who, did) of every line about the study, the oldest first."""
    about = Activity.objects.filter(subject="study", subject_key=study.token).order_by("pk")
    return list(about.values_list("actor_name", "action"))


def test_each_action_of_a_researcher_is_a_line_with_its_actor(study: Study) -> None:
    make_user("ben")
    member = signed_in(make_member(study, make_user("mona")))
    owner, address = signed_in(study.owner), f"/study/{study.token}/"

    owner.post(f"{address}state/", {"state": "open"})
    owner.post(f"{address}state/", {"state": "open"})  # it is open: nothing happened, so no line
    member.post(f"{address}state/", {"state": "closed"})
    owner.post(f"{address}members/", {"username": "ben", "role": "auditor"})
    owner.post(f"{address}members/{study.memberships.get(user__username='ben').pk}/remove/")
    settings = {"title": "Look closely", "notes": "new", "batch_size": "10", "lease_minutes": "30"}
    owner.post(f"{address}settings/", settings)
    member.get(f"{address}export/answers.csv")
    owner.post(f"{address}delete/", {"step": "ask"})
    owner.post(f"{address}delete/", {"step": "cancel"})

    assert lines(study) == [
        ("olga", "opened"),
        ("mona", "closed"),
        ("olga", "member_added"),
        ("olga", "member_removed"),
        ("olga", "changed"),
        ("mona", "exported"),
        ("olga", "deletion_asked"),
        ("olga", "deletion_cancelled"),
    ]
    assert Activity.objects.get(action="changed").details == {"settings": ["notes"]}
    assert Activity.objects.get(action="exported").details == {"file": "answers.csv"}


def test_the_line_of_a_deletion_outlives_the_study_and_the_account(study: Study) -> None:
    boss = make_user(is_superuser=True)
    deletion.ask_deletion(study=study, by=study.owner)
    deletion.delete_study(study=study, typed_title=study.title, by=study.owner)
    User.objects.get(username="olga").delete()

    text = signed_in(boss).get("/activity/").content.decode()

    line = Activity.objects.get(action="deleted")
    assert (line.actor, line.actor_name, line.subject_name) == (None, "olga", "Look closely")
    assert "olga" in text
    assert "Look closely" in text


def test_whatever_leaves_as_a_file_is_on_record() -> None:
    """Every address that answers with a file of the study, on the pages and in the API."""
    world = make_world()
    client = world.client("owner")
    unrecorded = []
    for name, pattern in ADDRESSES.items():
        if "token" not in pattern.pattern.converters or name.startswith("rate-"):
            continue
        before = Activity.objects.count()
        response = client.get(url_of(world, name))
        if response.status_code == HTTPStatus.OK and "attachment" in response.headers.get("Content-Disposition", ""):
            newest = Activity.objects.first()
            if Activity.objects.count() != before + 1 or newest is None or newest.action != "exported":
                unrecorded.append(name)
    assert not unrecorded
    files = {line.details["file"] for line in Activity.objects.filter(action="exported")}
    assert {"answers.csv", "study.zip", "report.html", "agreement.csv", "claims.csv", "activity.csv"} <= files


def test_reading_answers_by_the_api_and_exporting_by_command_are_on_record(study: Study, tmp_path: Path) -> None:
    signed_in(study.owner).get(reverse("api-study-responses", args=[study.token]))
    call_command("export_study", study.token, out=tmp_path / "out")

    assert lines(study) == [("olga", "exported"), ("", "exported")]
    page = signed_in(study.owner).get(f"/study/{study.token}/activity/").content.decode()
    assert "the server" in page


def test_asking_for_the_head_of_a_file_takes_nothing_and_leaves_no_line(study: Study) -> None:
    signed_in(study.owner).head(f"/study/{study.token}/export/answers.csv")

    assert lines(study) == []


def test_lines_are_neither_changed_nor_taken_away(study: Study) -> None:
    line = Activity.note(actor=None, action=Activity.Action.OPENED, subject=Activity.Subject.STUDY, key="k", name="n")

    line.details = {"reason": "none"}
    for change in (
        line.save,
        line.delete,
        Activity.objects.all().delete,
        lambda: Activity.objects.update(action="closed"),
        lambda: Activity.objects.bulk_update([line], ["details"]),
    ):
        with pytest.raises(OnlyAdded):
            change()
    assert Activity.objects.get().details == {}


def test_the_record_is_the_owners_and_the_administrators(study: Study) -> None:
    for address in (f"/study/{study.token}/activity/", f"/study/{study.token}/activity/activity.csv"):
        assert signed_in(study.owner).get(address).status_code == HTTPStatus.OK
        assert signed_in(make_user(is_superuser=True)).get(address).status_code == HTTPStatus.OK
        assert signed_in(make_member(study)).get(address).status_code == HTTPStatus.FORBIDDEN
    assert signed_in(study.owner).get("/activity/").status_code == HTTPStatus.FORBIDDEN


def test_the_csv_has_every_line_and_no_formula(study: Study) -> None:
    study.title = "=1+1"
    study.save()
    signed_in(study.owner).post(f"/study/{study.token}/state/", {"state": "open"})

    response = signed_in(study.owner).get(f"/study/{study.token}/activity/activity.csv")

    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    (line,) = [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["did"] == "opened"]
    assert (line["who"], line["kind"], line["what"], line["key"]) == ("olga", "study", "'=1+1", study.token)
    assert next(row[2] for row in rows(Activity.objects.all())) == "opened"


def test_a_study_shows_its_own_lines_alone(study: Study) -> None:
    other = make_study(title="Other study", state="draft")
    signed_in(other.owner).post(f"/study/{other.token}/state/", {"state": "open"})
    signed_in(study.owner).post(f"/study/{study.token}/state/", {"state": "open"})

    text = signed_in(study.owner).get(f"/study/{study.token}/activity/").content.decode()

    assert "Other study" not in text
    assert "opened it" in text
