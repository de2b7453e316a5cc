"""A check that shows what is rated as well: a rater gets it or those items, and every item still gets its raters."""

from collections import Counter
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Assignment, Item, ItemImage, Rater, RaterPlan, Study
from annotations.queries.raters.checks import Hidden
from annotations.queries.rating import may_come_free, n_given_out, progress
from annotations.services.rating import reserve
from annotations.services.taking_part.exercises import use_as_exercise
from annotations.services.taking_part.mismatches import make_mismatches
from tests.annotations.raters.test_before import leave_out_prompts
from tests.annotations.raters.test_checks import answer_card, rate_all
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
NOW = timezone.now()
CASES = {
    "images": {"n_items": 44, "items_per_rater": 14, "k": 2},
    "images, half of them each": {"n_items": 24, "items_per_rater": 12, "k": 3},
    "many images, few each": {"n_items": 120, "items_per_rater": 20, "k": 2, "n_checks": 12},
    "pairs": {"n_items": 30, "items_per_rater": 12, "k": 3, "item_kind": Study.ItemKind.PAIR},
    "pairs, more checks than anybody gets": {
        "n_items": 40,
        "items_per_rater": 10,
        "k": 2,
        "item_kind": Study.ItemKind.PAIR,
        "n_checks": 12,
    },
}


def make_shared_study(*, n_checks: int = 5, **fields: Any) -> Study:
    """A study that rates all images there are, with checks made of them."""
    study = make_study(batch_size=5, seed=4, **fields)
    RaterPlan.objects.create(study=study, repeat_gap=3, check_share=15, repeat_share=8)
    assert len(make_mismatches(study=study, dimension=study.dimensions.get(), n=n_checks)) == n_checks
    return Study.objects.get(pk=study.pk)


def images_of(cards: list[Assignment], *purposes: str) -> set[int]:
    items = [card.item_id for card in cards if card.purpose in purposes]
    return set(ItemImage.objects.filter(item__in=items).values_list("image", flat=True))


def work_a_batch(rater: Rater) -> bool:
    """Reserve and answer; whether there was anything."""
    held = Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence")
    if not reserve(rater=rater) and not held.exists():
        return False
    for card in held.all():
        answer_card(card)
    return True


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_nobody_meets_an_image_of_a_check_twice_and_every_item_gets_its_raters(case: str, at_once: int) -> None:
    study = make_shared_study(**CASES[case])  # type: ignore[arg-type]  # as the names say
    planned = -(-study.items.count() * study.raters_per_item // study.items_per_rater)  # type: ignore[operator]  # set
    working, everybody = list[Rater](), list[Rater]()
    while working or study.items.exclude(taken=study.raters_per_item).exists():
        while len(working) < at_once and len(everybody) < 3 * planned:
            working.append(make_rater(study))
            everybody.append(working[-1])
        working = [rater for rater in working if work_a_batch(rater)]
        assert working or len(everybody) < 3 * planned, "nobody can take what is left"

    answered = Counter(Assignment.objects.filter(study=study, state="answered").values_list("item", flat=True))
    assert set(answered.values()) == {study.raters_per_item}
    assert len(answered) == study.items.count()
    n_checks = 0
    for rater in everybody:
        cards = list(Assignment.with_checks.filter(rater=rater).order_by("sequence"))
        assert not images_of(cards, "check") & images_of(cards, "rating"), "an image came on a check and a rated card"
        n_checks += sum(card.purpose == "check" for card in cards)
    came = [rater for rater in everybody if rater.assignments.exists()]
    assert len(came) <= planned + study.raters_per_item
    assert n_checks >= len(came)


def test_who_got_the_check_does_not_wait_for_items_that_they_never_get() -> None:
    study = make_shared_study(n_items=30, items_per_rater=14, k=1)
    rater, other = make_rater(study), make_rater(study)
    cards = rate_all(rater)
    hidden = Hidden.read(study, n_given_out(study))
    closed = hidden.closed_by(card.item_id for card in cards if card.purpose == "check")
    assert closed
    assert progress(rater).total == progress(rater).answered == len(cards)

    def hold(*, is_closed: bool) -> None:
        Assignment.objects.filter(rater=other).delete()
        items = study.items.filter(pk__in=closed) if is_closed else study.items.exclude(pk__in=closed)
        item = items.exclude(assignments__rater=rater)[0]
        Assignment.objects.create(study=study, item=item, rater=other, sequence=0, state="leased", lease_until=NOW)

    hold(is_closed=True)
    assert not may_come_free(rater)
    hold(is_closed=False)
    assert may_come_free(rater)


def test_where_raters_rate_everything_checks_show_only_what_the_study_leaves_out(client: Client) -> None:
    study = make_study(n_items=12)
    client.force_login(study.owner)
    address = f"/study/{study.token}/raters/exercises/mismatches/"
    fields = {"dimension": study.dimensions.get().pk, "n": 5}

    refused = client.post(address, fields)

    assert refused.status_code == 422
    said = "Leave more prompts out of the study (3 for this many), import images of further prompts by the same methods"
    assert said in refused.content.decode()
    assert "set “Items per rater, at most” to 6 or fewer" in refused.content.decode()
    assert not Item.with_checks.filter(study=study, role=Item.Role.CHECK).exists()

    leave_out_prompts(study, 2)
    page = client.post(address, fields, follow=True).content.decode()
    assert "Made 4 attention checks." in page
    assert "(2 for this many)" in page
    assert "made of images that the study also rates" not in page
    leave_out_prompts(study, 3)
    assert "(2 for this many)" not in client.post(address, fields, follow=True).content.decode()
    assert not Hidden.read(study, 12).again


def test_checks_of_rated_items_are_made_where_half_is_left_to_others_and_the_page_says_what_raters_get(
    client: Client,
) -> None:
    study = make_shared_study(n_items=12, items_per_rater=6)
    client.force_login(study.owner)
    address = f"/study/{study.token}/raters/exercises/"

    page = client.get(address).content.decode()
    assert "made of images that the study also rates: 5." in page
    assert "Each rater gets either the check or the items that show the same images, never both." in page

    Study.objects.filter(pk=study.pk).update(items_per_rater=7)  # as by a change of the draft
    assert "Nobody gets them" in client.get(address).content.decode()
    study.refresh_from_db()
    rater = make_rater(study)
    total = progress(rater).total
    cards = rate_all(rater)
    assert {card.purpose for card in cards} <= {"rating", "repeat"}
    assert len(cards) == total


def test_an_item_that_raters_have_seen_becomes_gold_only_where_others_can_rate_it() -> None:
    study = make_study(n_items=12, k=2, batch_size=5)
    RaterPlan.objects.create(study=study, gold_share=20)
    rate_all(first := make_rater(study))
    item = study.items.order_by("position")[0]
    image, dimension = item.images.get(), study.dimensions.get()

    def make_gold() -> bool:
        item.refresh_from_db()
        known = {(dimension.pk, image.pk): [0]}
        return use_as_exercise(item=item, role=Item.Role.GOLD, images=[image.pk], accepted=known, reason="")

    with pytest.raises(ValidationError, match="Choose an item that nobody has seen yet"):
        make_gold()
    assert not Item.with_checks.filter(study=study).exclude(role=Item.Role.RATED).exists()

    Study.objects.filter(pk=study.pk).update(items_per_rater=6)
    assert make_gold() is False
    for rater in (first, *(make_rater(Study.objects.get(pk=study.pk)) for _ in range(6))):
        cards = rate_all(Rater.objects.get(pk=rater.pk))
        assert not images_of(cards, "gold") & images_of(cards, "rating")
    assert set(study.items.values_list("taken", flat=True)) == {2}


def test_a_gold_pair_is_given_although_its_images_are_in_other_pairs_of_the_prompt() -> None:
    study = make_study(n_items=12, item_kind=Study.ItemKind.PAIR, k=1, batch_size=5)
    RaterPlan.objects.create(study=study, gold_share=20)
    gold, kept = study.items.order_by("position")[:2]
    left, right = gold.images.order_by("item_images__slot")
    ItemImage.objects.filter(item=kept, slot=0).update(image=left)
    Item.objects.filter(pk=kept.pk).update(prompt=gold.prompt)
    known = {(study.dimensions.get().pk, None): [0]}
    assert use_as_exercise(
        item=gold, role=Item.Role.GOLD, images=[left.pk, right.pk], accepted=known, reason="The hat is missing."
    )

    assert not Hidden.read(study, 11).again
    assert {card.purpose for card in rate_all(make_rater(study))} == {"rating", "gold"}


def test_reserving_takes_as_many_queries_however_many_items_there_are() -> None:
    counts = []
    for n_items in (24, 240):
        rater = make_rater(make_shared_study(n_items=n_items, items_per_rater=12))
        with CaptureQueriesContext(connection) as caught:
            assert reserve(rater=rater) == 5
        counts.append(len(caught))
    assert len(set(counts)) == 1
    assert counts[0] <= 30
