"""Many raters at once in a study with further raters: the cap holds, and no disputed item is missed."""

import pytest
from django.db.models import Count, F, Q

from annotations.models import Assignment
from annotations.queries.raters.disputed import has_dispute
from tests.annotations.test_rating_at_once import at_once, work
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db(transaction=True)
N_ITEMS = 12
CAP = 4


def test_every_disputed_item_gets_further_raters_and_none_more_than_the_cap() -> None:
    study = make_study(n_items=N_ITEMS, k=2, most_raters_per_item=CAP, batch_size=3)
    raters = [make_rater(study) for _ in range(8)]
    field = f"d{study.dimensions.get().pk}-0"
    at_once([lambda rater=rater: work(rater, study, field) for rater in raters])  # type: ignore[misc]
    # Raters who came while others still held cards found nothing; items that have opened since are theirs.
    for rater in raters:
        work(rater, study, field)

    assert not Assignment.objects.filter(state=Assignment.State.LEASED).exists()
    is_answered = Q(assignments__state=Assignment.State.ANSWERED)
    items = study.items.annotate(
        n=Count("assignments", filter=is_answered),
        n_first=Count("assignments", filter=is_answered & Q(assignments__is_further=False)),
    )
    assert {item.n_first for item in items} == {2}
    assert all(item.n == item.taken == item.wanted == 2 + item.n_further <= CAP for item in items)
    assert items.filter(n_further__gt=0).exists(), "somebody must have differed, or this shows nothing"
    assert not any(has_dispute(study, item, most=CAP) for item in items.filter(wanted__lt=CAP))
    assert not items.filter(taken__lt=F("wanted")).exists()
