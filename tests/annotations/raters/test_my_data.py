"""My data: what raters can see, download, withdraw and erase, and the effect on the study."""

import json
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Assignment, Erasure, Item, Rater, RaterPlan, Response, Study
from annotations.queries.results import study_data
from annotations.services.exclusions import exclude_rater, include_rater
from annotations.services.exports import export_study
from annotations.services.raters import my_data
from annotations.services.rating import reserve
from generation.models import Activity
from tests.annotations.raters.test_before import make_exercise
from tests.annotations.raters.test_checks import SHARES, make_checked_study, rate_all
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
NAME = "Wilhelmina Quist"


def everything_stored() -> str:
    """Every cell of every table, and every file of the default storage, as one text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (names of our own tables)
            texts += [str(row) for row in cursor.fetchall()]
    root = Path(default_storage.location)  # type: ignore[attr-defined]  # of a storage on the disk
    for path in root.rglob("*"):
        if path.is_file():
            texts += [str(path), path.read_bytes().decode("latin-1")]
    return "\n".join(texts)


def places_taken(study: Study) -> bool:
    """Whether each item counts the places that raters really have on it."""
    return all(
        item.taken == item.assignments.filter(rater__excluded_at=None).exclude(state="returned").count()
        for item in study.items.all()
    )


def test_after_erasure_the_identity_is_nowhere_and_the_counts_add_up(client: Client) -> None:
    study = make_checked_study(12, **SHARES)
    make_exercise(study, Item.Role.PRACTICE, [0])
    client.post(f"/join/{study.invitation}/", {"consent": "on", "name": NAME})
    rater = study.raters.get()
    assert rater.user is not None
    account = rater.user.username
    Rater.objects.filter(pk=rater.pk).update(must_prepare=False)
    rater.refresh_from_db()
    rate_all(rater)
    for level in (1, 2):
        other = make_rater(study)
        for item in study.items.all()[:6]:
            if item.taken < item.wanted:
                make_answer(item, other, level=level)
    client.post(f"/my-data/{study.token}/word/", {"text": "The blue ones are hard."})
    exclude_rater(rater=rater, reason="for a day", by=study.owner)
    include_rater(rater=rater, by=study.owner)
    snapshot = dispatch.find_report(study=study, comparisons=[], user=study.owner).snapshot
    assert snapshot is not None
    export_study(study=study)
    before = everything_stored()
    assert NAME in before
    assert account in before
    assert NAME in json.dumps(snapshot.results)
    n_answered = Assignment.with_checks.filter(rater=rater, state="answered").count()
    n_own = Assignment.objects.filter(rater=rater, state="answered").count()
    n_ratings = len(study_data(study).dimensions[0].ratings)

    page = client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})

    assert "This site no longer stores anything about you" in page.content.decode()
    after = everything_stored()
    assert NAME not in after
    assert account not in after
    assert client.get("/my-data/").status_code == 302  # signed out
    assert Erasure.objects.get().n_cards == n_answered
    assert len(study_data(study).dimensions[0].ratings) == n_ratings - n_own
    assert places_taken(study)
    export_study(study=study)
    assert NAME not in everything_stored()


def test_withdrawing_takes_the_answers_out_of_results_and_frees_the_places(client: Client) -> None:
    study = make_study(n_items=3, k=1)
    rater = make_rater(study, name=NAME)
    rate_all(rater)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user

    client.post(f"/my-data/{study.token}/withdraw/")

    rater.refresh_from_db()
    assert rater.withdrawn_at is not None
    assert not study_data(study).dimensions
    assert set(study.items.values_list("taken", flat=True)) == {0}
    assert Response.objects.count() == 3  # kept until they are erased
    assert "Your answers are in no result." in client.get("/my-data/").content.decode()
    assert NAME not in str(list(Activity.objects.values_list("details", flat=True)))


def test_the_report_counts_who_withdrew_and_names_nobody() -> None:
    study = make_study(n_items=3, k=3)
    for name in (NAME, "anna", "berta"):
        rate_all(make_rater(study, name=name))
    my_data.withdraw(rater=study.raters.get(name=NAME), now=timezone.now())
    exclude_rater(rater=study.raters.get(name="anna"), reason="too fast", by=None)

    data = study_data(study)

    assert [one.name for one in data.excluded_raters] == ["anna"]
    assert data.n_withdrawn == 1
    my_data.erase(rater=study.raters.get(name=NAME), now=timezone.now())
    assert study_data(study).n_withdrawn == 1
    snapshot = dispatch.find_report(study=study, comparisons=[], user=study.owner).snapshot
    assert snapshot is not None
    assert NAME not in json.dumps(snapshot.results)
    assert snapshot.results["n_withdrawn"] == 1


def test_a_withdrawn_rater_is_not_counted_again_by_a_researcher() -> None:
    study = make_study(n_items=2)
    rate_all(rater := make_rater(study))
    my_data.withdraw(rater=rater, now=timezone.now())
    rater.refresh_from_db()

    include_rater(rater=rater, by=study.owner)

    rater.refresh_from_db()
    assert rater.excluded_at is not None


def test_erasing_asks_to_be_sure_first(client: Client) -> None:
    study = make_study(n_items=2)
    rater = make_rater(study)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user

    assert "This cannot be undone." in client.get(f"/my-data/{study.token}/erase/").content.decode()
    assert client.post(f"/my-data/{study.token}/erase/").status_code == 422
    assert Rater.objects.filter(pk=rater.pk).exists()


def test_an_account_with_other_work_outlives_the_erasure(client: Client) -> None:
    study, other = make_study(n_items=2), make_study(n_items=2)
    user = make_user("vera")
    make_rater(study, user)
    make_rater(other, user)
    client.force_login(user)

    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})

    assert not study.raters.exists()
    assert other.raters.exists()
    assert client.get("/my-data/").status_code == 200


def test_the_export_has_all_of_ones_own_and_nothing_that_reveals_a_check(client: Client) -> None:
    study = make_checked_study(12, **SHARES)
    RaterPlan.objects.update(reward=450, currency="GBP")
    rater, other = make_rater(study, name=NAME), make_rater(study, name="otto")
    rate_all(rater)
    reserve(rater=other)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user

    text = client.get("/my-data/my-data.json").content.decode()

    (found,) = json.loads(text)["studies"]
    assert found["name"] == NAME
    assert len(found["answers"]) == Response.objects.filter(assignment__rater=rater).count()
    assert "otto" not in text
    assert not [word for word in ("gold", "repeat", "mirror", "purpose") if word in text]
    assert "4.50 GBP" in client.get("/my-data/").content.decode()


def test_a_word_reaches_the_researchers(client: Client) -> None:
    study = make_study(n_items=2)
    rater = make_rater(study, name=NAME)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    client.post(f"/my-data/{study.token}/word/", {"text": "Card 3 looks <b>broken</b>."})
    researcher = Client()
    researcher.force_login(study.owner)

    page = researcher.get(f"/study/{study.token}/raters/").content.decode()

    assert "Card 3 looks &lt;b&gt;broken&lt;/b&gt;." in page


def test_no_model_that_names_a_rater_is_missing_from_erasure() -> None:
    """A new table with a foreign key to raters must go with them, or be listed here with the reason."""
    pointing = {
        relation.related_model._meta.model_name: relation.on_delete.__name__
        for relation in apps.get_model("annotations", "Rater")._meta.related_objects
        if relation.on_delete is not None
    }
    assert set(pointing.values()) == {"CASCADE"}, pointing
