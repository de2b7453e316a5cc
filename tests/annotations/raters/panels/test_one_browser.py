"""Two people from a panel who use one browser, or one person with two accounts there."""

import pytest
from django.test import Client

from annotations.models import PanelVisit, Rater
from tests.annotations.raters.test_checks import rate_all
from tests.annotations.raters.test_panels import PID, arrive, join, make_panel_study

pytestmark = pytest.mark.django_db
OTHER, OTHER_SESSION = "b" * 24, "c" * 24


@pytest.mark.parametrize("has_finished", [False, True])
def test_the_second_is_a_rater_of_their_own_and_does_not_get_the_code_of_the_first(
    client: Client, has_finished: bool
) -> None:
    study = make_panel_study(k=5)
    first = join(client, study)
    if has_finished:
        rate_all(first)
        assert "DONE1111" in client.get(f"/rate/{study.token}/").content.decode()

    second = join(client, study, OTHER, OTHER_SESSION)

    assert second != first
    assert second.user != first.user
    assert "DONE1111" not in client.get(f"/rate/{study.token}/").content.decode()
    assert not second.assignments.filter(state="answered").exists()
    # The first goes on with their own link, in the same browser.
    assert arrive(client, study).headers["Location"] == f"/rate/{study.token}/"
    assert Rater.objects.get(visit__participant=PID).user_id == int(client.session["_auth_user_id"])
    assert PanelVisit.objects.filter(rater=None).count() == 0
