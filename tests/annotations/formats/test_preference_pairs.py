"""Chosen and rejected images: from votes, rankings and ratings, with the confidence worked out by hand."""

import io
import json
from typing import Any

import pytest
from django.utils import timezone

from annotations.models import Assignment, Dimension, Item, Response, Study
from annotations.questions import ACCEPTANCE, BEST_WORST, PREFERENCE, RANKING
from annotations.services.formats.registry import FORMATS
from exchange.writing.pairs import Tally, confidence
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


def lines(study: Study) -> list[dict[str, Any]]:
    target = io.BytesIO()
    FORMATS["preference-pairs"].write(study, target)
    return [json.loads(line) for line in target.getvalue().splitlines()]


def name(item: Item, slot: int = 0) -> str:
    return f"image {item.item_images.get(slot=slot).image_id}"


def test_votes_are_turned_back_and_ties_count_half() -> None:
    study = make_study(item_kind="pair", n_items=1, k=4, presets=(PREFERENCE,))
    item = study.items.get()
    for order, level in (("0,1", 0), ("1,0", 1), ("0,1", 1), ("0,1", 2)):  # two for slot 0, one for slot 1, one tie
        assignment = make_answer(item, make_rater(study), level=level)
        Assignment.objects.filter(pk=assignment.pk).update(shown_order=order)
    (line,) = lines(study)
    assert (line["chosen"], line["rejected"]) == (name(item, 0), name(item, 1))
    assert (line["n_raters"], line["n_chosen"], line["n_rejected"], line["n_ties"]) == (4, 2, 1, 1)
    assert line["confidence"] == pytest.approx((2 + 0.5 + 1) / (4 + 2), abs=1e-6)
    assert line["evidence"] == "votes"


def test_an_even_pair_is_left_out() -> None:
    study = make_study(item_kind="pair", n_items=1, presets=(PREFERENCE,))
    for level in (0, 1):
        make_answer(study.items.get(), make_rater(study), level=level)
    assert lines(study) == []


def test_ratings_are_compared_within_a_rater_and_a_prompt() -> None:
    study = make_study(n_items=4)  # two prompts, two methods each
    first, second, third, fourth = study.items.order_by("position")
    strict, lenient, passer_by = (make_rater(study) for _ in range(3))
    make_answer(first, strict, level=0)
    make_answer(second, strict, level=2)
    make_answer(first, lenient, level=3)
    make_answer(second, lenient, level=4)
    make_answer(third, strict, level=4)  # the other prompt
    make_answer(fourth, passer_by, level=0)  # nobody else's rating of this pair is theirs
    (line,) = lines(study)
    assert (line["chosen"], line["rejected"]) == (name(second), name(first))
    assert (line["n_chosen"], line["n_raters"]) == (2, 2)
    assert line["mean_difference"] == pytest.approx((2 + 1) / 2)
    assert line["confidence"] == pytest.approx(3 / 4)


def test_choices_without_an_order_prefer_nothing() -> None:
    study = make_study(n_items=2, presets=(ACCEPTANCE,))
    Dimension.objects.update(kind="nominal")
    rater = make_rater(study)
    for at, item in enumerate(study.items.all()):
        make_answer(item, rater, level=at)
    assert lines(study) == []


def answer_card(item: Item, levels: list[int]) -> None:
    assignment = make_answer(item, make_rater(item.study), level=0)
    for slot, level in enumerate(levels):
        image = item.item_images.get(slot=slot).image_id
        Response.objects.update_or_create(
            assignment=assignment,
            image_id=image,
            dimension=item.study.dimensions.get(),
            defaults={"level": level, "answered_at": timezone.now()},
        )
    assignment.responses.filter(image=None).delete()


def test_a_ranking_gives_every_two_of_its_images() -> None:
    study = make_study(item_kind="prompt", n_items=1, n_methods=3, presets=(RANKING,))
    item = study.items.get()
    answer_card(item, [1, 0, 1])  # the second is best, the others share a place
    found = {(line["chosen"], line["rejected"]) for line in lines(study)}
    assert found == {(name(item, 1), name(item, 0)), (name(item, 1), name(item, 2))}


def test_best_and_worst_say_nothing_of_those_between() -> None:
    study = make_study(item_kind="prompt", n_items=1, n_methods=4, presets=(BEST_WORST,))
    item = study.items.get()
    answer_card(item, [0, 1, 1, 2])
    best, one, other, worst = (name(item, slot) for slot in range(4))
    found = {(line["chosen"], line["rejected"]) for line in lines(study)}
    assert found == {(best, one), (best, other), (best, worst), (one, worst), (other, worst)}


@pytest.mark.parametrize(("counts", "expected"), [((1, 0, 0), 2 / 3), ((9, 1, 0), 10 / 12), ((0, 0, 2), 0.5)])
def test_one_vote_is_not_certainty(counts: tuple[int, int, int], expected: float) -> None:
    assert confidence(Tally(*counts)) == pytest.approx(expected)
