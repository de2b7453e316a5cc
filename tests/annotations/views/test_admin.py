"""The administration opens, and no study can be deleted or made in it past its own pages."""

import pytest
from django.contrib import admin
from django.test import Client

from annotations.models import Rater, ReportSnapshot, Study
from tests.factories import make_image, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db

OURS = sorted(
    model._meta.label_lower for model in admin.site._registry if model._meta.app_label in ("annotations", "generation")
)


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(make_user(is_superuser=True, is_staff=True))
    return client


@pytest.mark.parametrize("label", OURS)
def test_every_list_opens_with_rows_in_it(superuser: Client, label: str) -> None:
    make_rater(make_study(n_items=1))
    make_image()

    response = superuser.get(f"/admin/{label.replace('.', '/')}/?q=a")

    assert response.status_code == 200


def test_a_study_can_be_looked_at_and_not_deleted_or_added(superuser: Client) -> None:
    study = make_study(n_items=1)

    assert study.title in superuser.get(f"/admin/annotations/study/{study.pk}/change/").content.decode()
    assert superuser.post(f"/admin/annotations/study/{study.pk}/delete/", {"post": "yes"}).status_code == 403
    assert superuser.get("/admin/annotations/study/add/").status_code == 403
    assert Study.objects.exists()


@pytest.mark.parametrize("model", [Study, Rater, ReportSnapshot])
def test_what_counts_answers_offers_no_deletion(superuser: Client, model: type) -> None:
    make_rater(make_study(n_items=1))

    text = superuser.get(f"/admin/annotations/{model.__name__.lower()}/").content.decode()

    assert "delete_selected" not in text


def test_the_administration_is_closed_to_researchers(client: Client) -> None:
    client.force_login(make_user(researcher=True))

    assert client.get("/admin/annotations/study/").status_code == 302
