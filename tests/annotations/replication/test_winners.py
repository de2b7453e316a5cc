"""Two studies of votes or rankings side by side: who wins in each, and whether it is the same."""

import html
import re
from collections.abc import Callable

import numpy as np
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from annotations.models import Assignment, Response, Study
from annotations.queries.replication.panels import compared
from annotations.questions import ALIGNMENT, RANKING
from annotations.reports.replication.winners import Leader, Winners
from annotations.services.explorer.studies import study_of_items
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


def copy_of(study: Study) -> Study:
    return study_of_items(study=study, item_ids=[item.pk for item in study.items.all()], owner=study.owner)


def vote(study: Study, choose: Callable[[int, int], int], *, n_raters: int = 4) -> None:
    """choose  (place of the item, rater) → the slot that wins"""
    for number in range(n_raters):
        rater = make_rater(study)
        for item in study.items.all():
            made = make_answer(item, rater, level=choose(int(item.key.removeprefix("item-")), number))
            Assignment.objects.filter(pk=made.pk).update(shown_order="0,1")


def pairs(n_items: int = 12) -> tuple[Study, Study]:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=n_items, k=8)
    return study, copy_of(study)


def sentence_of(first: Study, second: Study) -> str:
    found = compared(first, second)
    assert found is not None
    return found.sentence


def methods(study: Study) -> list[str]:
    return [place.image.method.name for place in study.items.all()[0].item_images.order_by("slot")]


def test_votes_lead_with_the_winner_of_each_study() -> None:
    first, second = pairs()
    vote(first, lambda item, rater: 0 if (item + rater) % 12 == 0 else 1)
    vote(second, lambda item, rater: 0 if (item + rater) % 8 == 0 else 1)
    assert sentence_of(first, second) == f"The winner is the same: {methods(first)[1]} wins in both studies."


def test_another_winner_is_named() -> None:
    first, second = pairs()
    vote(first, lambda item, rater: 0 if (item + rater) % 12 == 0 else 1)
    vote(second, lambda item, rater: 1 if (item + rater) % 12 == 0 else 0)
    before, after = methods(first)[1], methods(first)[0]
    assert sentence_of(first, second) == (
        f"The winner is not the same: in the first study {before} wins, and in the second {after} wins."
    )


def test_a_study_that_does_not_decide_says_so() -> None:
    first, second = pairs()
    vote(first, lambda item, rater: 0 if (item + rater) % 12 == 0 else 1)
    vote(second, lambda item, rater: 0 if (item + rater) % 2 == 0 or item == 1 else 1)
    text = sentence_of(first, second)
    assert text.startswith("The studies do not agree on a winner: in the first study ")
    assert text.endswith("is ahead without deciding it.")


def order(study: Study, levels: Callable[[int, int], list[int]], *, n_raters: int = 4) -> None:
    for number in range(n_raters):
        rater = make_rater(study)
        for place, item in enumerate(study.items.order_by("key")):
            made = make_answer(item, rater)
            for slot, level in zip(item.item_images.order_by("slot"), levels(place, number), strict=True):
                Response.objects.filter(assignment=made, image=slot.image).update(level=level)


def rankings() -> tuple[Study, Study]:
    study = make_study(item_kind=Study.ItemKind.PROMPT, n_items=12, n_methods=3, k=8, presets=(RANKING,))
    return study, copy_of(study)


def mostly(place: int, rater: int) -> list[int]:
    return {0: [1, 0, 2], 1: [0, 2, 1], 2: [2, 1, 0]}.get((place * 5 + rater) % 9, [0, 1, 2])


def test_rankings_lead_with_the_winner_and_correlate_mean_ranks(client: Client) -> None:
    first, second = rankings()
    order(first, mostly)
    order(second, lambda place, rater: mostly(place + 1, rater))
    found = compared(first, second)
    assert found is not None
    assert found.sentence == f"The winner is the same: {methods(first)[0]} wins in both studies."
    assert found.correlation > 0.5
    assert np.isnan(found.shift)
    client.force_login(first.owner)
    text = client.get(f"/study/{first.token}/side-by-side/?other={second.token}").content.decode()
    text = " ".join(html.unescape(text).split())
    assert f'<p class="lede">{found.sentence}</p>' in text
    assert "rank correlation of the images’ mean ranks" in text
    assert "Does the winner hold?" in text
    assert "third line" not in text
    assert text.index(found.sentence) < text.index("Agreement between the panels is")


def test_images_that_tie_have_the_mean_of_their_ranks_in_the_correlation() -> None:
    """Ranks 1.5, 1.5, 3 and 2, 2, 2: the mean of a card's three images is always 2."""
    first, second = rankings()
    order(first, lambda place, rater: [0, 0, 1] if (place + rater) % 2 else [0, 0, 0])
    order(second, lambda place, rater: [1, 0, 0])
    found = compared(first, second)
    assert found is not None
    assert np.mean(found.points, axis=0).tolist() == [2.0, 2.0]
    assert sorted({one for one, _other in found.points}) == [1.75, 2.5]
    assert sorted({other for _one, other in found.points}) == [1.5, 3.0]


def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = pairs()
    vote(first, lambda item, rater: 0 if (item + rater) % 12 == 0 else 1)
    vote(second, lambda item, rater: 0 if (item + rater) % 8 == 0 else 1)
    call_command("compare_studies", first.token, second.token)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == sentence_of(first, second)
    assert lines[1].startswith("First study: ")
    assert lines[3].startswith("Agreement between the panels is")


def test_a_ratio_to_a_reliability_near_0_is_not_given(client: Client) -> None:
    first, second = pairs(30)
    rng = np.random.default_rng(5)
    for study in (first, second):
        vote(study, lambda _item, _rater: int(rng.integers(0, 2)))
    found = compared(first, second)
    assert found is not None
    assert np.isnan(found.normalised)
    assert re.search(r"agreement within the (first|second) study is [−0-9.]+, ", found.agreement_sentence)
    client.force_login(first.owner)
    text = client.get(f"/study/{first.token}/side-by-side/?other={second.token}").content.decode()
    assert found.no_ratio in text
    assert "30 pairs of images judged in both" in text
    assert "rank correlation" not in text


def test_agreement_is_said_in_a_sentence_that_can_be_read() -> None:
    first = make_study(n_items=24, k=4, presets=(ALIGNMENT,))
    second = copy_of(first)
    rng = np.random.default_rng(1)
    for study in (first, second):
        for _ in range(4):
            rater = make_rater(study)
            for item in study.items.all():
                level = int(item.key.removeprefix("item-")) % 5 + int(rng.integers(-1, 2))
                make_answer(item, rater, level=min(max(level, 0), 4))
    assert re.fullmatch(
        r"Agreement between the panels is 0\.\d\d \(95% interval 0\.\d\d–\d\.\d\d\) on 24 images, \d\.\d\d times what "
        r"agreement within each panel would lead you to expect\.",
        sentence_of(first, second),
    )


def leader(*methods: str, decided: bool = False) -> Leader:
    return Leader(methods, decided, "", frozenset({"a", "b"}))


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (leader("a", decided=True), leader("a", decided=True), "The winner is the same: a wins in both studies."),
        (leader("a"), leader("a"), "a is ahead in both studies, but neither decides that it wins."),
        (
            leader("a", decided=True),
            leader("a"),
            "a wins in the first study and is ahead in the second, which does not decide.",
        ),
        (
            leader("a"),
            leader("a", decided=True),
            "a wins in the second study and is ahead in the first, which does not decide.",
        ),
        (
            leader("a"),
            leader("b"),
            (
                "The studies do not agree on a winner: in the first study a is ahead without deciding it, and in the "
                "second b is ahead without deciding it."
            ),
        ),
        (
            leader("a", "b"),
            leader("b", "a"),
            "The two studies have the same result: a and b are level in first place in both.",
        ),
        (
            leader("a", decided=True),
            leader(),
            (
                "Whether the winner is the same is not known: in the first study a wins, and the second study does not "
                "show which method is best."
            ),
        ),
        (leader(), leader(), "Neither study shows which method is best."),
    ],
)
def test_every_combination_has_a_sentence(first: Leader, second: Leader, sentence: str) -> None:
    assert Winners(first, second).sentence == sentence


def test_other_methods_are_mentioned() -> None:
    other = Leader(("c",), True, "", frozenset({"b", "c"}))
    assert Winners(leader("a", decided=True), other).sentence.endswith(" The studies do not compare the same methods.")
