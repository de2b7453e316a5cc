"""Retention rules: what the periodic task erases, and what it keeps."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import timezone

from annotations.models import Erasure, Panel, PanelVisit, Rater, RaterPlan
from annotations.queries.results import study_data
from annotations.services.deletion import ask_deletion, delete_study
from annotations.services.raters.retention import KEPT_DAYS, remove_files_of_deleted_studies
from annotations.tasks import keep_retention_rules
from generation.models import Activity
from tests.annotations.raters.test_checks import rate_all
from tests.annotations.raters.test_my_data import everything_stored
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def test_identities_go_when_their_time_is_over_and_the_answers_stay() -> None:
    study, other = make_study(n_items=3), make_study(n_items=3)
    RaterPlan.objects.create(study=study, erase_after_days=30)
    old, fresh, elsewhere = (
        make_rater(study, name="Wilhelmina Quist"),
        make_rater(study, name="fresh"),
        make_rater(other, name="elsewhere"),
    )
    for rater in (old, fresh, elsewhere):
        rate_all(rater)
    long_ago = timezone.now() - timedelta(days=31)
    old.assignments.update(answered_at=long_ago)
    elsewhere.assignments.update(answered_at=long_ago)
    account = old.user_id
    panel = Panel.objects.create(study=study, participant_parameter="pid")
    PanelVisit.objects.create(panel=panel, participant="5f1a2b3c4d5e", rater=old, state="joined")

    assert keep_retention_rules() == 1

    old.refresh_from_db()
    assert old.user is None
    assert old.name.startswith("rater-")
    assert not User.objects.filter(pk=account).exists()
    stored = everything_stored()
    assert "Wilhelmina Quist" not in stored
    assert "5f1a2b3c4d5e" not in stored
    assert len(study_data(study).dimensions[0].ratings) == 6
    assert set(Rater.objects.exclude(pk=old.pk).values_list("name", flat=True)) == {"fresh", "elsewhere"}
    erasure = Erasure.objects.get()
    assert (erasure.kind, erasure.by_rule) == (Erasure.Kind.IDENTITY, True)
    assert Activity.objects.filter(details__part="retention", details__rows=1).exists()
    assert keep_retention_rules() == 0


def test_no_rule_no_erasure() -> None:
    study = make_study(n_items=1)
    RaterPlan.objects.create(study=study)
    rater = make_rater(study)
    Rater.objects.filter(pk=rater.pk).update(created_at=timezone.now() - timedelta(days=4000))

    assert keep_retention_rules() == 0


def test_the_file_of_a_deleted_study_goes_after_its_time_and_the_record_says_so() -> None:
    study = make_study(title="Hats")
    ask_deletion(study=study)
    name = delete_study(study=study, typed_title="Hats")
    now = timezone.now()

    assert remove_files_of_deleted_studies(now=now + timedelta(days=KEPT_DAYS - 1)) == 0
    assert default_storage.exists(name)
    assert remove_files_of_deleted_studies(now=now + timedelta(days=KEPT_DAYS + 1)) == 1
    assert not default_storage.exists(name)
    assert remove_files_of_deleted_studies(now=now + timedelta(days=KEPT_DAYS + 1)) == 0
    assert Activity.objects.latest("pk").details == {"part": "retention", "file": name}
