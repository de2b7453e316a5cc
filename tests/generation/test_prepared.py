"""Prepared queries find what the same queries find, on every connection, and refuse what they would get wrong."""

from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Assignment, Item
from annotations.queries import rating as queries
from annotations.services.rating import reserve
from evalsite.accounts.sessions import SessionStore
from generation.queries.prepared import Prepared
from tests.factories import make_rater, make_study


@pytest.mark.django_db
def test_it_finds_what_the_query_finds_each_time_with_its_own_values() -> None:
    studies = [make_study(n_items=3), make_study(n_items=2, item_kind="pair")]
    by_study = Prepared(
        lambda study, key: Item.objects.select_related("prompt").filter(study=study, key=key), study=int, key=str
    )
    for study in studies * 2:
        for item in study.items.all():
            (found,) = by_study.rows(study=study.pk, key=item.key)
            assert found == item
            text = item.prompt.text
            with CaptureQueriesContext(connection) as made:
                assert found.prompt.text == text
            assert len(made) == 0
    assert by_study.rows(study=studies[0].pk, key="none") == []
    assert by_study.first(study=-1, key="' OR 1=1 --") is None


@pytest.mark.django_db
def test_a_value_that_the_query_does_not_use_as_it_is_is_refused() -> None:
    changed = Prepared(lambda study, key: Item.objects.filter(study=study, key__contains=key), study=int, key=str)
    with pytest.raises(ValueError, match="does not use these values as they are: key"):
        changed.rows(study=1, key="a")


@pytest.mark.django_db
def test_what_a_card_is_made_of_is_the_same() -> None:
    for kind in ("image", "pair", "prompt"):
        study = make_study(n_items=3, item_kind=kind, n_methods=3)
        rater = make_rater(study)
        reserve(rater=rater)
        cards = list(Assignment.objects.filter(rater=rater).order_by("sequence"))
        assert [queries.reserved(rater, after=card.sequence) for card in cards] == [[one] for one in cards[1:]] + [[]]
        assert queries.reserved(rater) == cards[:1]
        assert queries.reserved(rater, after=cards[0].sequence, limit=20) == cards[1:]
        assert queries.dimensions_of(study.pk) == list(study.dimensions.order_by("position"))
        items = [card.item_id for card in cards]
        for item in items:
            images = list(Item.objects.get(pk=item).images.order_by("item_images__slot"))
            assert queries.image_ids(item) == [image.pk for image in images]
            assert queries.image_sizes([item])[item] == [(image.width, image.height) for image in images]
        together = queries.image_sizes(items)
        assert {item: queries.image_sizes([item])[item] for item in items} == together
        found = queries.assignment_of(cards[0].token, rater.user or study.owner)
        assert found == cards[0]
        assert queries.assignment_of(cards[0].token, study.owner) is None


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_its_own() -> None:
    """Threads that run one query at once with different values never see each other's."""
    studies = [make_study(n_items=n) for n in (1, 2, 3, 4)]
    of_study = Prepared(lambda study: Item.objects.filter(study=study).values_list("study", flat=True), study=int)
    wrong: list[object] = []

    def ask(study: int, n: int) -> None:
        try:
            wrong.extend(rows for _ in range(50) if (rows := of_study.rows(study=study)) != [study] * n)
        finally:
            connection.close()

    threads = [Thread(target=ask, args=(study.pk, n)) for n, study in enumerate(studies, start=1) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.django_db
def test_an_expired_session_is_none() -> None:
    store = SessionStore()
    store["a"] = 1
    store.set_expiry(3600)
    store.create()
    assert SessionStore(store.session_key).load() == {"a": 1, "_session_expiry": 3600}
    store.set_expiry(-1)
    store.save()
    late = SessionStore(store.session_key)
    assert late.load() == {}
    assert late.session_key is None
    assert SessionStore("notakeyofanysession").load() == {}
