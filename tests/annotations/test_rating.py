"""Giving items to raters and taking their answers, one call at a time."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.models import Assignment, Item, LateAnswer, Rater, RaterPlan, Response, Study
from annotations.queries import rating as queries
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.services.rating import Answer, NotOpen, Outcome, pause, reserve, submit
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def answers(assignment: Assignment, level: int | None) -> list[Answer]:
    """The same level for every image of the item, to the study's first dimension."""
    dimension = assignment.study.dimensions.first()
    assert dimension is not None
    return [Answer(dimension.pk, image.pk, level) for image in assignment.item.images.all()]


def first_card(rater: Rater) -> Assignment:
    [assignment] = queries.reserved(rater)
    return assignment


def answer_all(rater: Rater) -> int:
    """Answer until nothing is left for this rater; how many."""
    n = 0
    while reserve(rater=rater):
        while cards := queries.reserved(rater):
            submit(assignment=cards[0], answers=answers(cards[0], 2), answered_at=timezone.now())
            n += 1
    return n


class TestReserve:
    def test_a_batch_is_reserved_for_the_lease(self) -> None:
        study = make_study(n_items=12, batch_size=5, lease_minutes=30)
        rater, now = make_rater(study), timezone.now()

        assert reserve(rater=rater, now=now) == 5

        cards = Assignment.objects.filter(rater=rater)
        assert {card.lease_until for card in cards} == {now + timedelta(minutes=30)}
        assert sorted(card.sequence for card in cards) == [0, 1, 2, 3, 4]
        # The first five of the global order, in an order of the rater's own.
        assert sorted(card.item.position for card in cards) == [0, 1, 2, 3, 4]
        assert Item.objects.filter(study=study, taken=1).count() == 5

    def test_the_need_is_greatest_where_nobody_has_been(self) -> None:
        study = make_study(n_items=6, batch_size=4)
        reserve(rater=make_rater(study))
        second = make_rater(study)

        reserve(rater=second)
        reserve(rater=second)

        positions = [a.item.position for a in Assignment.objects.filter(rater=second).order_by("pk")]
        assert sorted(positions[:2]) == [4, 5]
        assert sorted(positions[2:]) == [0, 1, 2, 3]

    def test_nobody_gets_an_item_twice_and_no_item_more_than_k(self) -> None:
        study = make_study(n_items=7, k=2, batch_size=3)
        raters = [make_rater(study) for _ in range(3)]

        assert [answer_all(rater) for rater in raters] == [7, 7, 0]
        assert list(study.items.values_list("taken", flat=True)) == [2] * 7

    def test_the_database_itself_refuses_one_too_many(self) -> None:
        study = make_study(n_items=1, k=1)
        reserve(rater=make_rater(study))

        with pytest.raises(IntegrityError), transaction.atomic():
            Item.objects.filter(study=study).update(taken=2)

    def test_a_quota_ends_a_rater_s_work(self) -> None:
        study = make_study(n_items=9, batch_size=4, items_per_rater=6)

        assert answer_all(make_rater(study)) == 6

    def test_fixed_order_is_the_global_order(self) -> None:
        study = make_study(n_items=8, batch_size=8, order=Study.Order.FIXED)
        rater = make_rater(study)
        reserve(rater=rater)

        assert [card.item.position for card in queries.reserved(rater, limit=8)] == list(range(8))

    def test_a_study_that_is_not_open_gives_nothing(self) -> None:
        study = make_study(state=Study.State.CLOSED)

        with pytest.raises(NotOpen):
            reserve(rater=make_rater(study))

    def test_the_search_goes_on_behind_the_cursor_and_comes_round(self) -> None:
        study = make_study(n_items=10, k=2, batch_size=2)
        first, second = make_rater(study), make_rater(study)
        assert answer_all(first) == 10
        reserve(rater=second)  # positions 0 and 1
        pause(rater=second)
        third = make_rater(study)
        reserve(rater=third)
        reserve(rater=third)  # 0 to 3
        assert sorted(a.item.position for a in third.assignments.all()) == [0, 1, 2, 3]
        pause(rater=third)

        assert answer_all(second) == 10


class TestAbandoned:
    def test_an_overdue_item_goes_to_others(self) -> None:
        study = make_study(n_items=3, k=1)
        walker, worker, now = make_rater(study), make_rater(study), timezone.now()
        reserve(rater=walker, now=now)
        assert reserve(rater=worker, now=now) == 0
        assert queries.may_come_free(worker)

        assert reserve(rater=worker, now=now + timedelta(minutes=31)) == 3

        assert set(walker.assignments.values_list("state", flat=True)) == {"returned"}
        assert list(study.items.values_list("taken", flat=True)) == [1, 1, 1]

    def test_what_came_back_is_the_rater_s_again_if_nobody_took_it(self) -> None:
        study = make_study(n_items=3, k=1)
        rater = make_rater(study)
        reserve(rater=rater)
        before = set(rater.assignments.values_list("pk", flat=True))
        assert pause(rater=rater) == 3
        assert queries.reserved(rater) == []

        assert reserve(rater=rater) == 3

        assert {a.pk for a in queries.reserved(rater, limit=9)} == before

    def test_two_overdue_reservations_of_one_item_both_come_back(self) -> None:
        study = make_study(n_items=1, k=3)
        now = timezone.now()
        for _ in range(2):
            reserve(rater=make_rater(study), now=now)

        reserve(rater=make_rater(study), now=now + timedelta(hours=1))

        assert study.items.get().taken == 1
        assert study.assignments.filter(state=Assignment.State.RETURNED).count() == 2

    def test_an_answer_in_time_after_the_return_still_counts(self) -> None:
        study = make_study(n_items=1, k=1)
        rater = make_rater(study)
        reserve(rater=rater)
        card = first_card(rater)
        pause(rater=rater)

        assert submit(assignment=card, answers=answers(card, 4), answered_at=timezone.now()) is Outcome.SAVED
        assert study.items.get().taken == 1

    def test_an_answer_that_came_too_late_is_kept_and_counted_nowhere(self) -> None:
        study = make_study(n_items=1, k=1)
        walker, worker = make_rater(study), make_rater(study)
        reserve(rater=walker)
        late = first_card(walker)
        pause(rater=walker)
        assert answer_all(worker) == 1

        languages = {study.dimensions.get().pk: "de"}
        outcomes = [
            submit(assignment=late, answers=answers(late, 4), answered_at=timezone.now(), languages=languages)
            for _ in range(2)
        ]

        assert outcomes == [Outcome.LATE, Outcome.LATE]
        [kept] = LateAnswer.objects.all()
        assert kept.assignment == late
        assert [(answer["level"], answer["language"]) for answer in kept.answers["answers"]] == [(4, "de")]
        assert Response.objects.count() == 1


class TestSubmit:
    def card(self, **fields: object) -> Assignment:
        study = make_study(**fields)  # type: ignore[arg-type]
        rater = make_rater(study)
        reserve(rater=rater)
        return first_card(rater)

    def test_an_answer_is_saved_with_its_times(self) -> None:
        card, now = self.card(), timezone.now()

        outcome = submit(
            assignment=card,
            answers=answers(card, 3),
            answered_at=now,
            shown_at=now - timedelta(seconds=9),
            active_ms=7500,
            flag="text in the image",
        )

        assert outcome is Outcome.SAVED
        response = Response.objects.get()
        assert (response.level, response.is_unable, response.revision, response.is_current) == (3, False, 1, True)
        assert (response.answered_at - timedelta(seconds=9), response.active_ms) == (response.shown_at, 7500)
        card.refresh_from_db()
        assert (card.state, card.lease_until, card.flag) == ("answered", None, "text in the image")

    def test_unable_to_answer_is_not_a_number(self) -> None:
        card = self.card()

        submit(assignment=card, answers=answers(card, None), answered_at=timezone.now())

        response = Response.objects.get()
        assert (response.level, response.is_unable) == (None, True)

    def test_the_same_again_changes_nothing(self) -> None:
        card, now = self.card(), timezone.now()

        outcomes = [submit(assignment=card, answers=answers(card, 3), answered_at=now) for _ in range(3)]

        assert outcomes == [Outcome.SAVED, Outcome.UNCHANGED, Outcome.UNCHANGED]
        assert Response.objects.count() == 1

    def test_a_changed_answer_is_the_next_revision_and_the_first_stays(self) -> None:
        card = self.card()

        for level in (3, 1, None):
            submit(assignment=card, answers=answers(card, level), answered_at=timezone.now())

        kept = Response.objects.order_by("revision").values_list("revision", "level", "is_current")
        assert list(kept) == [(1, 3, False), (2, 1, False), (3, None, True)]

    def test_only_what_changed_gets_a_revision(self) -> None:
        study = make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT, PREFERENCE))
        rater = make_rater(study)
        reserve(rater=rater)
        card = first_card(rater)
        alignment, preference = study.dimensions.all()
        left, right = card.item.images.all()
        given = [Answer(alignment.pk, left.pk, 1), Answer(alignment.pk, right.pk, 4), Answer(preference.pk, None, 1)]
        submit(assignment=card, answers=given, answered_at=timezone.now())

        changed = [given[0], Answer(alignment.pk, right.pk, 3), given[2]]
        assert submit(assignment=card, answers=changed, answered_at=timezone.now()) is Outcome.CHANGED

        assert Response.objects.count() == 4
        assert Response.objects.get(image=right, is_current=True).level == 3

    def test_all_answers_of_a_card_or_none(self) -> None:
        card = self.card()
        [answer] = answers(card, 3)

        with pytest.raises(IntegrityError), transaction.atomic():
            submit(assignment=card, answers=[answer, answer], answered_at=timezone.now())

        assert Response.objects.count() == 0
        card.refresh_from_db()
        assert card.state == Assignment.State.LEASED


class TestAhead:
    """What a page holds ready for when there is no network, and that it does not at the cost of others."""

    def test_a_page_holds_twenty_behind_the_one_in_view(self) -> None:
        rater = make_rater(make_study(n_items=60, k=1))

        assert [reserve(rater=rater, is_ahead=True) for _ in range(3)] == [21, 0, 0]

        answer_one(rater)
        assert [reserve(rater=rater, is_ahead=True) for _ in range(2)] == [10, 0]  # a batch, not one by one

    def test_few_places_are_left_to_others(self) -> None:
        study = make_study(n_items=45, k=1)
        first, second = make_rater(study), make_rater(study)
        assert reserve(rater=first, is_ahead=True) == 21

        assert [reserve(rater=second, is_ahead=True) for _ in range(2)] == [10, 0]

        answer_one(first)
        assert reserve(rater=first, is_ahead=True) == 0  # 14 places are free, and 30 are held
        assert [study.items.filter(taken=0).count(), reserve(rater=make_rater(study))] == [14, 10]

    def test_who_came_by_the_invitation_holds_it_after_two_answers(self) -> None:
        rater = make_rater(make_study(n_items=200), came_by_invitation=True)
        held = []
        for _ in range(7):
            reserve(rater=rater, is_ahead=True)
            held.append(rater.assignments.filter(state="leased").count())
            answer_one(rater)

        assert held == [2, 12, 21, 30, 29, 28, 27]

    def test_who_answers_and_leaves_takes_nothing_that_others_lack(self) -> None:
        """However many strangers do so: each finds cards, and in the end every item has exactly the ratings wanted."""
        study = make_study(n_items=150, k=1, lease_minutes=30)
        start = timezone.now()
        for _ in range(12):
            stranger = make_rater(study, came_by_invitation=True)
            for _ in range(2):
                assert reserve(rater=stranger, now=start, is_ahead=True) > 0
                answer_one(stranger)
            reserve(rater=stranger, now=start, is_ahead=True)
        held = Assignment.objects.filter(study=study, state="leased").count()
        assert held > 60
        stayer = make_rater(study)
        assert reserve(rater=stayer, now=start, is_ahead=True) > 0

        later = start + timedelta(minutes=31)  # what they held is given back
        while reserve(rater=stayer, now=later) or queries.reserved(stayer):
            answer_one(stayer)
        assert Assignment.objects.filter(study=study, state="answered").count() == 150
        assert set(study.items.values_list("taken", flat=True)) == {1}

    def test_what_is_repeated_has_been_answered(self) -> None:
        """Cards that are given out before anything is answered cannot be repeats: their share would be missed."""
        study = make_study(n_items=40, k=8)
        RaterPlan.objects.create(study=study, repeat_gap=3, repeat_share=20)
        Study.objects.filter(pk=study.pk).update(items_per_rater=30)
        counts = [0, 0]
        for is_ahead in [False, True] * 4:  # how many repeats one rater gets is up to chance
            rater = make_rater(Study.objects.get(pk=study.pk))
            while reserve(rater=rater, is_ahead=is_ahead) or queries.reserved(rater):
                for _ in range(1 if is_ahead else len(queries.reserved(rater, limit=10))):
                    answer_one(rater)
            counts[is_ahead] += Assignment.with_checks.filter(rater=rater, purpose="repeat").count()

        assert min(counts) > 12, counts
        assert counts[1] >= 0.7 * counts[0], counts

    def test_who_works_through_what_they_hold_keeps_it(self) -> None:
        """Ten cards at two minutes each, and half the lease is gone: what is held stays with who is at work."""
        rater, now = make_rater(make_study(n_items=60, lease_minutes=30)), timezone.now()
        reserve(rater=rater, now=now, is_ahead=True)

        reserve(rater=rater, now=now + timedelta(minutes=20), is_ahead=True)

        ends = set(Assignment.objects.filter(rater=rater).values_list("lease_until", flat=True))
        assert ends == {now + timedelta(minutes=50)}

    def test_no_more_than_a_quota_and_a_sitting(self) -> None:
        rater = make_rater(make_study(n_items=60, items_per_rater=7))
        assert [reserve(rater=rater, is_ahead=True) for _ in range(2)] == [7, 0]
        study = make_study(n_items=60)
        RaterPlan.objects.create(study=study, most_per_session=8)
        rater = make_rater(Study.objects.get(pk=study.pk))
        assert [reserve(rater=rater, is_ahead=True) for _ in range(2)] == [8, 0]


def answer_one(rater: Rater) -> None:
    card = first_card(rater)
    submit(assignment=card, answers=answers(card, 2), answered_at=timezone.now())
