"""Quotas by prompt category: how many raters the items of a stratum get."""

import pytest
from django.test import Client

from annotations.models import Study
from annotations.services.raters.strata import strata
from generation.models import Prompt
from tests.annotations.raters.test_checks import rate_all
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def make_study_of_categories() -> Study:
    study = make_study(n_items=6, k=2, n_methods=1)
    prompts = list(study.items.order_by("position").values_list("prompt", flat=True))
    Prompt.objects.filter(pk__in=prompts[:2]).update(category="people")
    Prompt.objects.filter(pk__in=prompts[2:]).update(category="things")
    return study


def test_the_items_of_a_category_get_their_own_number_of_raters(client: Client) -> None:
    study = make_study_of_categories()
    client.force_login(study.owner)
    assert strata(study) == [("people", 2, 2), ("things", 4, 2)]

    client.post(f"/study/{study.token}/raters/plan/quota/", {"category": "people", "wanted": 3})

    assert strata(study) == [("people", 2, 3), ("things", 4, 2)]
    assert "people" in client.get(f"/study/{study.token}/raters/plan/").content.decode()


def test_places_that_raters_have_are_kept(client: Client) -> None:
    study = make_study_of_categories()
    for _ in range(2):
        rate_all(make_rater(study))
    client.force_login(study.owner)

    client.post(f"/study/{study.token}/raters/plan/quota/", {"category": "people", "wanted": 1})

    assert strata(study)[0] == ("people", 2, 2)


@pytest.mark.parametrize("wanted", ["0", "1001", "lots", "", "-3", "9" * 30])
def test_another_number_is_refused_with_the_range(client: Client, wanted: str) -> None:
    study = make_study_of_categories()
    client.force_login(study.owner)

    page = client.post(
        f"/study/{study.token}/raters/plan/quota/", {"category": "people", "wanted": wanted}, follow=True
    )

    assert "Give a number of raters from 1 to 1000." in page.content.decode()
    assert strata(study)[0] == ("people", 2, 2)
