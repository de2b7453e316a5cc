"""Further raters for disputed items: who gets them, that nobody is asked too much, and that no figure counts them."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import Assignment, Rater, Study
from annotations.queries import rating as queries
from annotations.queries.exports import RESPONSES, response_rows
from annotations.queries.planning.present import registered_now
from annotations.queries.raters.consensus import CONSENSUS, consensus_rows
from annotations.queries.raters.disputed import rule_text
from annotations.queries.results import study_data
from annotations.queries.studies import current_responses
from annotations.questions import PREFERENCE
from annotations.services.exclusions import exclude_rater
from annotations.services.planning.registering import register
from annotations.services.raters.further import lot
from annotations.services.rating import Answer, Outcome, pause, reserve, submit
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def rate(rater: Rater, levels: Mapping[int, int | None]) -> list[int]:
    """Answer all that this rater is given, an item's level by its position; the positions in order."""
    given = []
    while reserve(rater=rater):
        while cards := queries.reserved(rater):
            answer(cards[0], levels[cards[0].item.position])
            given.append(cards[0].item.position)
    return sorted(given)


def answer(card: Assignment, level: int | None) -> Outcome:
    dimension = card.study.dimensions.get()
    image = card.item.images.get().pk if card.study.item_kind == Study.ItemKind.IMAGE else None
    given = [Answer(dimension.pk, image, level)]
    return submit(assignment=card, answers=given, answered_at=timezone.now())


def places(study: Study) -> list[tuple[int, int, float | None]]:
    """By position: places wanted, those of further raters, and the probability that the item got them."""
    return list(study.items.order_by("position").values_list("wanted", "n_further", "further_probability"))


class TestOpen:
    def test_a_settled_item_is_left_alone_and_an_open_one_gets_one_more_at_a_time(self) -> None:
        study = make_study(n_items=2, k=2, most_raters_per_item=3)
        first, second, third, fourth = (make_rater(study) for _ in range(4))

        assert rate(first, {0: 1, 1: 1}) == [0, 1]
        assert places(study) == [(2, 0, None), (2, 0, None)]  # nothing is decided before the first raters are done
        assert rate(second, {0: 1, 1: 3}) == [0, 1]
        # The median of 1, 1 and any third is 1; that of 1, 3 and a third is not known.
        assert places(study) == [(2, 0, None), (3, 1, 1.0)]
        assert rate(third, {1: 3}) == [1]
        assert rate(fourth, {}) == []

        further = Assignment.objects.get(rater=third)
        assert (further.is_further, further.probability) == (True, 1.0)
        assert not Assignment.objects.exclude(rater=third).filter(is_further=True).exists()

    def test_sides_are_turned_back_before_votes_are_counted(self) -> None:
        """Two raters who choose the same image, seen on unlike sides, agree."""
        study = make_study(n_items=1, k=2, item_kind=Study.ItemKind.PAIR, presets=(PREFERENCE,), most_raters_per_item=3)
        for order, level in (("0,1", 0), ("1,0", 1)):
            rater = make_rater(study)
            assert reserve(rater=rater) == 1
            Assignment.objects.filter(rater=rater).update(shown_order=order)
            answer(queries.reserved(rater)[0], level)
        assert places(study) == [(2, 0, None)]

    def test_a_changed_answer_is_looked_at_again(self) -> None:
        study = make_study(n_items=1, k=2, most_raters_per_item=3)
        first, second = make_rater(study), make_rater(study)
        rate(first, {0: 1})
        rate(second, {0: 1})
        assert answer(Assignment.objects.get(rater=second), 4) == Outcome.CHANGED
        assert places(study) == [(3, 1, 1.0)]
        assert answer(Assignment.objects.get(rater=second), 4) == Outcome.UNCHANGED
        assert places(study) == [(3, 1, 1.0)]

    def test_nobody_is_asked_beyond_the_cap(self) -> None:
        study = make_study(n_items=1, k=2, most_raters_per_item=4)
        for level, wanted in zip((0, 4, 0, 4, 2), (2, 3, 4, 4, 4), strict=True):
            rate(make_rater(study), {0: level})
            assert study.items.get().wanted == wanted
        assert study.items.get().taken == 4

    def test_those_who_could_not_answer_use_up_a_place(self) -> None:
        study = make_study(n_items=1, k=2, most_raters_per_item=3)
        for level in (None, None):
            rate(make_rater(study), {0: level})
        assert places(study) == [(3, 1, 1.0)]


class TestDiffer:
    def test_who_differ_get_all_further_raters_and_some_others_by_lot(self) -> None:
        rule: dict[str, Any] = {
            "disputed_rule": Study.Disputed.DIFFER,
            "disputed_distance": 2,
            "undisputed_percent": 30,
        }
        study = make_study(n_items=30, k=2, most_raters_per_item=4, seed=7, **rule)
        differ = {position: 3 if position < 10 else 1 for position in range(30)}
        rate(make_rater(study), dict.fromkeys(range(30), 1))
        rate(make_rater(study), differ)
        drawn = {item.position for item in study.items.all() if item.position >= 10 and lot(study, item) < 0.3}
        assert 1 < len(drawn) < 12
        expected = [(4, 2, 1.0) if p < 10 else (4, 2, 0.3) if p in drawn else (2, 0, None) for p in range(30)]
        assert places(study) == expected

        third = make_rater(study)
        assert rate(third, dict.fromkeys(range(30), 1)) == [*range(10), *sorted(drawn)]
        stored = Assignment.objects.filter(rater=third).values_list("item__position", "is_further", "probability")
        assert set(stored) == {(p, True, 1.0 if p < 10 else 0.3) for p in [*range(10), *drawn]}


class TestPlaces:
    def test_the_place_that_a_first_rater_left_is_a_first_place_again(self) -> None:
        study = make_study(n_items=1, k=2, most_raters_per_item=3)
        first, second, third, fourth = (make_rater(study) for _ in range(4))
        rate(first, {0: 0})
        rate(second, {0: 4})
        rate(third, {0: 0})
        exclude_rater(rater=first, reason="a robot", by=None)
        rate(fourth, {0: 0})
        kinds = dict(Assignment.objects.values_list("rater", "is_further"))
        assert kinds == {first.pk: False, second.pk: False, third.pk: True, fourth.pk: False}

    def test_who_returns_to_an_item_that_others_completed_is_a_further_rater(self) -> None:
        study = make_study(n_items=1, k=2, most_raters_per_item=3)
        late, first, second = (make_rater(study) for _ in range(3))
        assert reserve(rater=late) == 1
        pause(rater=late)
        rate(first, {0: 0})
        rate(second, {0: 4})
        rate(late, {0: 4})
        returned = Assignment.objects.get(rater=late)
        assert (returned.state, returned.is_further) == (Assignment.State.ANSWERED, True)

    def test_an_answer_costs_six_queries_more_and_none_without_the_rule(self) -> None:
        def n_queries(n_items: int, **rule: Any) -> int:
            study = make_study(n_items=n_items, k=1, **rule)
            rater = make_rater(study)
            reserve(rater=rater)
            card = Assignment.objects.select_related("study").filter(rater=rater).first()
            assert card is not None
            given = [Answer(study.dimensions.get().pk, card.item.images.get().pk, 1)]
            with CaptureQueriesContext(connection) as seen:
                submit(assignment=card, answers=given, answered_at=timezone.now())
            return len(seen)

        plain = n_queries(1)
        assert n_queries(1, most_raters_per_item=3) == n_queries(20, most_raters_per_item=3) == plain + 6


def test_figures_are_those_of_the_first_raters_and_exports_have_all() -> None:
    study = make_study(n_items=2, k=2, most_raters_per_item=5)
    for levels in ({0: 1, 1: 0}, {0: 1, 1: 4}, {0: 1, 1: 4}, {1: 0}, {1: 4}):
        rate(make_rater(study), levels)
    [asked] = study_data(study).dimensions
    assert len(asked.ratings) == 4
    assert current_responses(study.dimensions.all(), with_further=True).count() == 8
    names = [column.name for column in RESPONSES]
    rows = [dict(zip(names, row, strict=True)) for row in response_rows(study, all_revisions=False)]
    assert [row["is_further"] for row in rows].count(True) == 4
    assert {row["probability"] for row in rows} == {1.0}


def test_a_further_card_looks_like_any_other(client: Client) -> None:
    """The same page but for what every card has of its own, with nothing of the rule on it."""
    study = make_study(n_items=1, k=2, most_raters_per_item=3)
    for level in (0, 4):
        rate(make_rater(study), {0: level})
    further = make_rater(study)
    assert reserve(rater=further) == 1
    assert Assignment.objects.get(rater=further).is_further
    plain = make_study(n_items=1, k=2)
    first = make_rater(plain)
    pages = []
    for rater in (further, first):
        reserve(rater=rater)
        assert rater.user is not None
        client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(reverse("rate", args=[rater.study.token])).content.decode()
        card = Assignment.objects.select_related("item__prompt").get(rater=rater)
        dimension = rater.study.dimensions.get().pk
        own = (
            rater.study.token,
            card.token,
            card.item.prompt.text,
            rater.study.title,
            f"d{dimension}-0",
            f"d{dimension}",
        )
        for text in own:
            page = page.replace(text, "…")
        pages.append(page)
    for word in ("further", "disputed", "probability"):
        assert word not in pages[0].lower()
    assert lines_without_secrets(pages[0]) == lines_without_secrets(pages[1])


def lines_without_secrets(page: str) -> list[str]:
    """The page's lines but those that say who looks, and when."""
    own = ("csrf", "data-user=", "data-outbox=", 'name="shown_at"')
    return [line for line in page.splitlines() if not any(text in line for text in own)]


def test_the_plan_has_the_rule_and_further_answers_do_not_deviate_from_it() -> None:
    study = make_study(n_items=1, k=2, most_raters_per_item=4)
    registration = register(study=study, by=study.owner)
    assert "up to 4 raters per item while those still to come could change" in registration.content
    for level in (0, 4, 0, 4):
        rate(make_rater(study), {0: level})
    assert registered_now(study, registration).deviations == []
    Study.objects.filter(pk=study.pk).update(most_raters_per_item=6)
    study.refresh_from_db()
    [deviation] = registered_now(study, registration).deviations
    assert deviation.startswith("Further raters of disputed items: registered “up to 4 raters")


def test_each_rule_in_words() -> None:
    differ = {"disputed_rule": Study.Disputed.DIFFER, "most_raters_per_item": 5, "raters_per_item": 2}
    assert rule_text(Study()) == ""
    assert rule_text(Study(**differ)) == "5 raters per item where the first 2 differ by 1 level or more"
    text = rule_text(Study(**differ, disputed_distance=2, undisputed_percent=10))
    assert (
        text
        == "5 raters per item where the first 2 differ by 2 levels or more, and with probability 10% where they do not"
    )


def test_the_consensus_is_exported_with_what_may_still_change() -> None:
    study = make_study(n_items=3, k=2, most_raters_per_item=4)
    for levels in ({0: 1, 1: 0, 2: None}, {0: 1, 1: 4, 2: 3}):
        rate(make_rater(study), levels)
    rate(make_rater(study), {0: 1, 1: 4, 2: 3})
    values = study.dimensions.get().values
    names = [column.name for column in CONSENSUS]
    rows = [dict(zip(names, row, strict=True)) for row in consensus_rows(study)]
    found = [(row["value"], row["n_first"], row["n_further"], row["n_unable"], row["may_change"]) for row in rows]
    # Two of level 1 with two to come could still end halfway between 1 and 4; three of them with one cannot.
    # 0, 4 and 4 with one to come end between 2 and 4; 3 and 3 with one who could not answer, and one to come, at 3.
    assert found == [
        (values[1], 2, 1, 0, False),
        (values[4], 2, 1, 0, True),
        (values[3], 2, 1, 1, False),
    ]
    assert {row["kind"] for row in rows} == {"median"}
    assert list(consensus_rows(study, units_at_once=2)) == list(consensus_rows(study))
