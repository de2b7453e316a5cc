"""Where a rater sees each prompt several times, gold items and checks are not known by when their prompt comes again;
and cards that were given back come again, or do not, whatever they are for."""

from collections import Counter, defaultdict

import pytest
from django.utils import timezone
from scipy.stats import chi2_contingency, ks_2samp

from annotations.kinds.base import Answer
from annotations.models import Assignment, Item, Rater, RaterPlan, Study
from annotations.services.rating import Outcome, pause, reserve, submit
from annotations.services.taking_part.mismatches import make_mismatches
from annotations.views.cards import images_as_shown
from tests.annotations.raters.test_before import leave_out_prompts, make_exercise
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
Purpose = Assignment.Purpose


def make_round_study(
    n_items: int, *, n_gold: int, n_checks: int, k: int, n_methods: int = 2, cap: int | None = None, **shares: int
) -> Study:
    """A study in the order of the site's design: every prompt comes once before any comes again."""
    study = make_study(n_items=n_items + n_gold, n_methods=n_methods, k=k, batch_size=5, seed=5, items_per_rater=cap)
    items = list(study.items.order_by("position"))
    for first in (1000, 0):
        in_rounds = (item for start in range(n_methods) for item in items[start::n_methods])
        for position, item in enumerate(in_rounds, start=first):
            Item.objects.filter(pk=item.pk).update(position=position)
    for _ in range(n_gold):
        make_exercise(study, Item.Role.GOLD, [0])
    leave_out_prompts(study, n_checks)
    RaterPlan.objects.create(study=study, repeat_gap=3, **shares)
    if n_checks:
        assert len(make_mismatches(study=study, dimension=study.dimensions.get(), n=n_checks)) == n_checks
    return Study.objects.get(pk=study.pk)


def answer_quickly(rater: Rater) -> list[Assignment]:
    """The rater's cards, all answered; without their answers, on which nothing depends."""
    while reserve(rater=rater):
        held = Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED)
        held.update(state=Assignment.State.ANSWERED, answered_at=timezone.now(), lease_until=None)
    return list(Assignment.with_checks.filter(rater=rater).select_related("item").order_by("sequence"))


@pytest.mark.parametrize(("n_methods", "n_gold"), [(2, 2), (3, 0)])
def test_a_prompt_comes_again_as_often_and_as_soon_on_checks_as_on_rated_cards(n_methods: int, n_gold: int) -> None:
    n_checks = 2 * n_methods
    study = make_round_study(
        24, n_gold=n_gold, n_checks=n_checks, k=100, n_methods=n_methods, gold_share=8, check_share=14
    )
    distances = defaultdict[bool, list[int]](list)
    firsts = defaultdict[bool, list[int]](list)
    for _ in range(25):
        cards = answer_quickly(make_rater(study))
        by_prompt = defaultdict[int, list[Assignment]](list)
        for card in cards:
            by_prompt[card.item.prompt_id].append(card)
        assert {len(own) for own in by_prompt.values()} == {n_methods}
        for own in by_prompt.values():
            is_hidden = any(card.purpose != Purpose.RATING for card in own)
            distances[is_hidden].append(own[1].sequence - own[0].sequence)
            firsts[is_hidden].append(own[0].sequence)

    assert len(distances[True]) > 25
    # The last card of all is a rated one; nothing else is different.
    for found in (distances, firsts):
        assert ks_2samp(found[True], found[False]).pvalue > 1e-5


def test_where_raters_rate_most_items_a_prompt_comes_again_as_often_and_as_soon_on_gold_and_checks() -> None:
    study = make_round_study(30, n_gold=4, n_checks=16, k=100, cap=20, gold_share=12, check_share=14)
    n_cards = defaultdict[bool, list[int]](list)
    distances = defaultdict[bool, list[int]](list)
    for _ in range(40):
        cards = answer_quickly(make_rater(study))
        assert Counter(card.purpose for card in cards)[Purpose.RATING] == 20
        by_prompt = defaultdict[int, list[Assignment]](list)
        for card in cards:
            by_prompt[card.item.prompt_id].append(card)
        for own in by_prompt.values():
            is_hidden = any(card.purpose != Purpose.RATING for card in own)
            n_cards[is_hidden].append(len(own))
            if len(own) == 2:
                distances[is_hidden].append(own[1].sequence - own[0].sequence)

    twice = [[found.count(n) for n in (1, 2)] for found in (n_cards[True], n_cards[False])]
    assert chi2_contingency(twice).pvalue > 1e-5
    assert ks_2samp(distances[True], distances[False]).pvalue > 1e-5


def test_in_such_a_study_every_item_still_gets_its_raters_and_every_rater_every_item() -> None:
    study = make_round_study(12, n_gold=0, n_checks=2, k=3, check_share=10)
    raters = [make_rater(study) for _ in range(3)]
    while sum(reserve(rater=rater) for rater in raters):  # all of them are at work at once
        held = Assignment.with_checks.filter(state=Assignment.State.LEASED)
        held.update(state=Assignment.State.ANSWERED, answered_at=timezone.now(), lease_until=None)

    assert set(study.items.values_list("taken", flat=True)) == {3}
    orders = [list(rater.assignments.order_by("sequence").values_list("item", flat=True)) for rater in raters]
    assert [len(set(order)) for order in orders] == [12, 12, 12]
    assert len({tuple(order) for order in orders}) == 3


def give_back_and_lose(study: Study, *, others: int) -> list[Assignment]:
    """What a rater held and gave back, after others were given what there was."""
    rater = make_rater(study)
    reserve(rater=rater)
    held = list(Assignment.with_checks.filter(rater=rater).order_by("sequence"))
    pause(rater=rater)
    for _ in range(others):
        answer_quickly(make_rater(study))
    return held


def answer_all(card: Assignment) -> Outcome:
    answers = [Answer(card.study.dimensions.get().pk, image, 1) for image in images_as_shown(card)]
    return submit(assignment=card, answers=answers, answered_at=timezone.now())


def with_hidden(*, k: int, others: int) -> list[Assignment]:
    """The same of a rater among whose first cards there is a gold item and a rated one.

    Each try has a study of its own: in the one before, the others have taken everything.
    """
    for _ in range(40):
        study = make_round_study(12, n_gold=4, n_checks=0, k=k, gold_share=30)
        held = give_back_and_lose(study, others=others)
        if len({card.purpose for card in held}) > 1:
            return held
    raise AssertionError("no rater had a gold item among their first cards")


def test_what_was_given_back_comes_again_or_not_whatever_it_is_for() -> None:
    lost = with_hidden(k=1, others=1)
    kept = with_hidden(k=3, others=0)

    assert reserve(rater=lost[0].rater) == 0
    assert not Assignment.with_checks.filter(rater=lost[0].rater, state="leased").exists()
    assert reserve(rater=kept[0].rater) == len(kept)
    assert list(Assignment.with_checks.filter(rater=kept[0].rater).order_by("sequence")) == kept


def test_an_answer_to_what_was_given_back_is_late_or_not_whatever_it_is_for() -> None:
    lost = with_hidden(k=1, others=1)
    kept = with_hidden(k=3, others=0)

    assert {answer_all(card) for card in lost} == {Outcome.LATE}
    assert {answer_all(card) for card in kept} == {Outcome.SAVED}
