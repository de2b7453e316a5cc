"""Groups that raters name themselves: optional, limited where the study says so, and never shown when small."""

import pytest
from django.test import Client

from annotations.models import PanelVisit, RaterPlan
from annotations.queries.raters.groups import by_group
from tests.annotations.raters.test_panels import arrive, make_panel_study
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


def join(study, group: str) -> str:  # type: ignore[no-untyped-def]  # a study of the factories
    return Client().post(f"/join/{study.invitation}/", {"consent": "on", "group": group}).content.decode()


def test_the_group_is_asked_for_and_optional(client: Client) -> None:
    study = make_study()
    RaterPlan.objects.create(study=study, group_question="Do you paint?", group_choices="Painter\nNo painter")
    assert "Do you paint?" in client.get(f"/join/{study.invitation}/").content.decode()

    for group in ("Painter", "", "Painter"):
        join(study, group)
    join(study, "made up")

    assert list(study.raters.order_by("pk").values_list("group", flat=True)) == ["Painter", "", "Painter"]


def test_a_full_group_lets_nobody_else_in() -> None:
    study = make_study()
    RaterPlan.objects.create(study=study, group_question="Do you paint?", group_choices="Painter = 1\nNo painter")

    join(study, "Painter")
    page = join(study, "Painter")
    join(study, "No painter")

    assert "enough people in your group" in page
    assert sorted(study.raters.values_list("group", flat=True)) == ["No painter", "Painter"]


def test_a_full_group_screens_people_of_a_panel_out_with_the_code(client: Client) -> None:
    study = make_panel_study()
    RaterPlan.objects.create(study=study, group_question="Do you paint?", group_choices="Painter = 0")
    arrive(client, study)

    page = client.post(f"/join/{study.invitation}/", {"consent": "on", "group": "Painter"}).content.decode()

    assert "complete?cc=OUT22222" in page
    assert PanelVisit.objects.get().state == PanelVisit.State.SCREENED_OUT


def test_means_are_by_method_over_raters_and_small_groups_are_hidden(client: Client) -> None:
    study = make_study(n_items=4, k=9, n_methods=2)
    RaterPlan.objects.create(study=study, group_question="Do you paint?", group_choices="Painter\nOther")
    for n in range(7):
        rater = make_rater(study, group="Painter" if n < 5 else "Other")
        for item in study.items.all():
            make_answer(item, rater, level=n % 3)

    found = by_group(study)

    assert found is not None
    assert list(found.rows) == ["Painter"]
    assert found.n_hidden == 1
    first = found.rows["Painter"][0]
    # Levels 0, 1, 2, 0, 1 are the values 1, 2, 3, 1, 2: mean 1.8, s = 0.837, t(4) = 2.776, so ± 1.039.
    assert (first.n_raters, first.mean, first.low) == pytest.approx((5, 1.8, 0.7611), abs=1e-3)
    client.force_login(study.owner)
    page = client.get(f"/study/{study.token}/raters/quality/").content.decode()
    assert "1 group has fewer than five raters" in page
    assert by_group(make_study()) is None
