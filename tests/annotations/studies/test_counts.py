"""A study's figures: what is counted, and that counting a large study reads indexes alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Assignment, Item
from annotations.queries.studies import complete_items, overview, raters_with_progress
from annotations.services.exclusions import exclude_rater
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def test_an_overview_counts_answers_of_raters_who_count_and_places_that_are_filled() -> None:
    study = make_study(n_items=3, k=2)
    ann, bob, cleo, dan = (make_rater(study, name=name) for name in ("ann", "bob", "cleo", "dan"))
    first, second, third = study.items.order_by("position")
    for item, rater in ((first, ann), (first, bob), (second, ann), (second, dan), (third, cleo)):
        make_answer(item, rater, level=1)
    now = timezone.now()
    Assignment.objects.filter(rater=ann, item=first).update(answered_at=now - timedelta(hours=5))
    Assignment.objects.filter(rater=bob).update(answered_at=now - timedelta(days=3))
    Item.objects.filter(pk__in=[first.pk, second.pk]).update(taken=2)
    Assignment.objects.filter(rater=dan).update(
        state=Assignment.State.LEASED, answered_at=None, lease_until=now + timedelta(minutes=5)
    )
    exclude_rater(rater=cleo, reason="answers at random", by=make_user())
    found = overview(study, now)
    assert (found.n_items, found.n_wanted, found.n_answered, found.n_raters) == (3, 6, 3, 3)
    assert (found.last_hour, found.last_day, found.n_active) == (1, 2, 1)
    assert found.n_complete == complete_items(study).count() == 1
    assert found.last_answer_at == study.assignments.order_by("-answered_at").exclude(answered_at=None)[0].answered_at
    by_rater = [(one.name, one.n_answered) for one in raters_with_progress(study)]
    assert by_rater == [("ann", 2), ("bob", 1), ("cleo", 1), ("dan", 0)]


@pytest.mark.sqlite  # PostgreSQL chooses its plan by the numbers of rows
def test_counting_a_study_reads_indexes_alone() -> None:
    study = make_study(n_items=2)
    make_answer(study.items.all()[0], make_rater(study), level=1)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        overview(study, timezone.now())
        list(raters_with_progress(study))
    with connection.cursor() as cursor:
        plans = []
        for query in asked.captured_queries:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            plans += [row[-1] for row in cursor.fetchall()]
    of_answers = [plan for plan in plans if "rater_id=?" in plan and "state=?" in plan]
    assert len(of_answers) == 6
    assert all("COVERING INDEX assignment_counts" in plan for plan in of_answers)
    assert any("COVERING INDEX item_counts" in plan for plan in plans)
