"""Gold items, attention checks and repeats: given out by the seed, hidden from raters, counted in no result."""

import json
import re
from collections import Counter
from collections.abc import Callable
from difflib import unified_diff
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from annotations.kinds.base import Answer
from annotations.models import Assignment, Dimension, Item, Rater, RaterPlan, Response, Study
from annotations.queries.raters.repeats import within_oneself
from annotations.queries.rating import progress
from annotations.queries.results import study_data
from annotations.services.exports import TABLES
from annotations.services.rating import pause, reserve, skip, submit
from annotations.services.taking_part.mismatches import make_mismatches
from annotations.views.cards import images_as_shown
from tests.annotations.raters.test_before import leave_out_prompts, make_exercise
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
Purpose = Assignment.Purpose


def make_checked_study(
    n_items: int = 40, *, gap: int = 3, item_kind: str = Study.ItemKind.IMAGE, **shares: int
) -> Study:
    study = make_study(n_items=n_items + 4, k=2, item_kind=item_kind, batch_size=5, seed=11)
    RaterPlan.objects.create(study=study, repeat_gap=gap, **shares)
    for _ in range(4):
        make_exercise(study, Item.Role.GOLD, [0])
    leave_out_prompts(study, 8)
    make_mismatches(study=study, dimension=study.dimensions.get(), n=4)
    return study


def answer_card(assignment: Assignment, level: int = 1) -> None:
    answers = [
        Answer(dimension.pk, image, level)
        for dimension in assignment.study.dimensions.all()
        for image in (images_as_shown(assignment) if dimension.about == Dimension.About.IMAGE else [None])
    ]
    submit(assignment=assignment, answers=answers, answered_at=timezone.now(), active_ms=2000)


def rate_all(rater: Rater) -> list[Assignment]:
    """Answer every card in the rater's order; the cards."""
    held = Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence")
    while reserve(rater=rater) or held.exists():
        for card in held.all():
            answer_card(card)
    return list(Assignment.with_checks.filter(rater=rater).order_by("sequence"))


def rater_with(study: Study, *purposes: str) -> Rater:
    """A rater whose first cards hold one of these: where checks come depends on the rater's number."""
    for _ in range(50):
        rater = make_rater(study)
        reserve(rater=rater)
        if Assignment.with_checks.filter(rater=rater, state="leased", purpose__in=purposes).exists():
            return rater
        pause(rater=rater)
    raise AssertionError(f"none of 50 raters began with {purposes}")


SHARES = {"gold_share": 10, "check_share": 5, "repeat_share": 10}


def test_checks_come_in_their_shares_and_the_rest_is_rated() -> None:
    study = make_checked_study(60, **SHARES)
    rater = make_rater(study)
    total = progress(rater).total

    cards = rate_all(rater)

    counts = Counter(card.purpose for card in cards)
    assert counts[Purpose.RATING] == 60
    assert counts[Purpose.GOLD] == 4  # all there are
    assert 2 <= counts[Purpose.CHECK] <= 4
    assert counts[Purpose.REPEAT] >= 6
    assert [card.sequence for card in cards] == list(range(len(cards)))
    assert progress(rater).total == progress(rater).answered == len(cards)
    assert total == len(cards)
    assert cards[-1].purpose == Purpose.RATING


def test_a_repeat_shows_an_answered_card_again_after_the_gap_and_each_once() -> None:
    study = make_checked_study(40, gap=6, repeat_share=20)
    cards = rate_all(make_rater(study))
    first = {card.item_id: card.sequence for card in cards if card.purpose == Purpose.RATING}
    repeats = [card for card in cards if card.purpose == Purpose.REPEAT]

    assert len(repeats) >= 7
    assert len({card.item_id for card in repeats}) == len(repeats)
    assert all(card.sequence - first[card.item_id] > 6 for card in repeats)


def test_a_mirrored_repeat_swaps_the_sides_and_a_plain_one_keeps_them() -> None:
    study = make_checked_study(40, item_kind=Study.ItemKind.PAIR, repeat_share=10, mirror_share=10)
    cards = rate_all(make_rater(study))
    shown = {card.item_id: card.shown_order for card in cards if card.purpose == Purpose.RATING}
    by_purpose: dict[str, list[Assignment]] = {"repeat": [], "mirror": []}
    for card in cards:
        by_purpose.get(card.purpose, []).append(card)

    assert by_purpose["mirror"]
    assert all(card.shown_order == shown[card.item_id][::-1] for card in by_purpose["mirror"])
    assert by_purpose["repeat"]
    assert all(card.shown_order == shown[card.item_id] for card in by_purpose["repeat"])


def test_no_result_count_or_file_holds_a_check() -> None:
    plain = make_study(n_items=20, k=2)
    study = make_checked_study(20, gold_share=10, check_share=10, repeat_share=20)
    for one in (plain, study):
        rate_all(make_rater(one, name="anna"))

    data = study_data(study)
    assert len(data.dimensions[0].ratings) == len(study_data(plain).dimensions[0].ratings) == 20
    assert len(list(TABLES["answers"].rows(study))) == 20
    assert len(list(TABLES["answers-all-revisions"].rows(study))) == 20
    assert Response.objects.filter(assignment__study=study).count() > 25
    assert sum(study.items.values_list("taken", flat=True)) == 20
    checks = list(TABLES["checks"].rows(study))
    assert len(checks) == Response.objects.filter(assignment__study=study).count() - 20


def test_checks_that_are_given_back_take_no_place_and_come_again() -> None:
    study = make_checked_study(20, gold_share=30)
    rater = rater_with(study, Purpose.GOLD)
    held = Assignment.with_checks.filter(rater=rater, state="leased")
    hidden = [card for card in held if card.purpose != Purpose.RATING]
    n_held = len(held)

    assert pause(rater=rater) == n_held

    assert set(study.items.values_list("taken", flat=True)) == {0}
    reserve(rater=rater)
    again = Assignment.with_checks.filter(rater=rater, state="leased")
    assert {card.pk for card in hidden} <= {card.pk for card in again}


def test_a_skipped_card_goes_to_others_and_never_comes_back() -> None:
    study = make_study(n_items=3, k=1)
    rater = make_rater(study)
    reserve(rater=rater)
    card = Assignment.objects.filter(rater=rater).order_by("sequence")[0]

    assert skip(assignment=card, now=timezone.now())

    rate_all(rater)
    card.refresh_from_db()
    assert card.state == Assignment.State.RETURNED
    assert rater.assignments.filter(state="answered").count() == 2
    other = make_rater(study)
    assert [one.item_id for one in rate_all(other)] == [card.item_id]


# --- what an observer sees -------------------------------------------------------------------------------------------
def traffic(client: Client, study: Study, rater: Rater) -> list[dict[str, Any]]:
    """Everything that the browser sends and gets while a rater works, card by card in their order."""
    seen = []
    while True:
        page = client.get(f"/rate/{study.token}/")
        if b'data-token="' not in page.content:
            return seen
        token = re.search(rb'data-token="([^"]+)"', page.content)[1].decode()
        card = Assignment.with_checks.get(token=token)
        ahead = client.get(f"/rate/{study.token}/upcoming/", {"after": token, "n": 3})
        picture = client.get(f"/rate/image/{token}/0/")
        name = f"d{study.dimensions.get().pk}" + ("" if study.item_kind == Study.ItemKind.PAIR else "-0")
        reply = client.post(
            f"/rate/{study.token}/answer/{token}/",
            {name: 1, "n": 1},
            headers={"x-requested-with": "fetch", "accept": "application/json"},
        )
        back = client.get(f"/rate/{study.token}/card/{token}/")
        seen.append(
            {
                "card": card,
                "page": page,
                "ahead": ahead,
                "picture": picture,
                "reply": reply,
                "back": back,
            }
        )


def without_content(html: str, study: Study) -> str:
    """The page with everything replaced that differs between two ordinary cards too."""
    for prompt in Item.with_checks.filter(study=study).values_list("prompt__text", flat=True):
        html = html.replace(prompt, "PROMPT")
    html = re.sub(r'csrfmiddlewaretoken" value="[^"]+"|data-csrf="[^"]+"', "CSRF", html)
    html = re.sub(r"(?<=[/\"=])[A-Za-z0-9][\w-]{21}(?=[/\"?&])", "TOKEN", html)
    html = re.sub(r'name="shown_at" value="[^"]+"', "SHOWN", html)
    return re.sub(r'value="\d+" max|\b\d+ of \d+\b', "PROGRESS", html)


@pytest.mark.parametrize("kind", [Study.ItemKind.IMAGE, Study.ItemKind.PAIR])
def test_nothing_that_a_browser_sees_distinguishes_a_check_from_another_card(
    client: Client, kind: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    # A share of 12% is at least two cards of 24 for every rater, one of 5% may be none.
    shares = SHARES | {"check_share": 12} | ({"mirror_share": 15} if kind == Study.ItemKind.PAIR else {})
    study = make_checked_study(24, item_kind=kind, **shares)
    rater = make_rater(study, came_by_invitation=True)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    seen = traffic(client, study, rater)
    purposes = Counter(one["card"].purpose for one in seen)
    assert purposes[Purpose.RATING] == 24
    assert set(purposes) == {"rating", "gold", "check", "repeat"} | (
        {"mirror"} if kind == Study.ItemKind.PAIR else set()
    )

    looks: dict[str, set[str]] = {}
    for one in seen[:-8]:  # the last cards have fewer behind them, whatever they are
        pages = [without_content(one[name].content.decode(), study) for name in ("page", "back")]
        headers = [
            json.dumps(sorted((k, re.sub(r"\d+", "N", v)) for k, v in one[name].headers.items() if k != "X-Request-ID"))
            for name in ("page", "ahead", "picture", "reply", "back")
        ]
        keys = sorted(one["reply"].json()) + sorted(one["ahead"].json())
        looks.setdefault(one["card"].purpose, set()).add("\n".join([*pages, *headers, *keys]))
    assert len(looks[Purpose.RATING]) == 1, "two ordinary cards differ by more than their content"
    assert set(looks) == set(purposes)
    for purpose, look in looks.items():
        differing = look - looks[Purpose.RATING]
        ordinary = next(iter(looks[Purpose.RATING]))
        assert not differing, (purpose, *unified_diff(ordinary.splitlines(), differing.pop().splitlines(), n=0))
    # Addresses are as random as others, and progress goes up by one with every card, towards the same total.
    assert all(re.fullmatch(r"[A-Za-z0-9][\w-]{21}", one["card"].token) for one in seen)
    steps = [re.search(rb'value="(\d+)" max="(\d+)"', one["page"].content) for one in seen]
    assert [int(step[1]) for step in steps if step] == list(range(len(seen)))
    assert len({step[2] for step in steps if step}) == 1
    # Cards arrive in the same numbers before a check as before another card.
    arriving = {purpose: [] for purpose in purposes}
    for before, one in pairwise(seen[:-8]):
        arriving[one["card"].purpose].append(len(before["reply"].json()["cards"]))
    counts = {purpose: set(numbers) for purpose, numbers in arriving.items() if numbers}
    assert all(numbers <= counts[Purpose.RATING] for numbers in counts.values())


def test_saving_a_check_costs_as_many_queries_as_saving_another_card(client: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    study = make_checked_study(24, **SHARES)
    rater = rater_with(study, Purpose.GOLD, Purpose.CHECK)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    name = f"d{study.dimensions.get().pk}-0"
    costs: dict[str, set[int]] = {}
    client.get(f"/rate/{study.token}/")
    for card in Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence"):
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.post(
                f"/rate/{study.token}/answer/{card.token}/", {name: 1, "n": 0}, headers={"accept": "application/json"}
            )
        costs.setdefault(card.purpose, set()).add(len(caught))
    assert len(costs) > 1
    assert len(set.union(*costs.values())) == 1, costs


def test_feedback_on_gold_comes_only_where_the_study_says_so(client: Client) -> None:
    study = make_checked_study(20, gold_share=30)
    rater = rater_with(study, Purpose.GOLD)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    name = f"d{study.dimensions.get().pk}-0"
    client.get(f"/rate/{study.token}/")
    golds = list(Assignment.with_checks.filter(rater=rater, purpose=Purpose.GOLD))
    script = {"accept": "application/json", "x-requested-with": "fetch"}
    address = f"/rate/{study.token}/answer/{golds[0].token}/"

    assert "feedback" not in client.post(address, {name: 4}, headers=script).json()
    RaterPlan.objects.update(shows_feedback=True)
    assert "Because of the hat." in client.post(address, {name: 4}, headers=script).json()["feedback"]
    assert "feedback" not in client.post(address, {name: 0}, headers=script).json()


@pytest.mark.parametrize("cap", ["most_per_day", "most_per_session"])
def test_a_cap_ends_the_cards_for_now_and_says_so(client: Client, cap: str) -> None:
    study = make_study(n_items=20)
    RaterPlan.objects.create(study=study, **{cap: 3})
    rater = make_rater(study)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user

    cards = rate_all(rater)

    assert len(cards) == 3
    assert "That is enough for now" in client.get(f"/rate/{study.token}/").content.decode()
    tomorrow = timezone.now() + timezone.timedelta(days=1)
    assert reserve(rater=rater, now=tomorrow) == 3


def test_mismatched_checks_show_an_image_of_another_prompt_and_accept_low_levels() -> None:
    study = make_study(n_items=10, items_per_rater=5)
    made = make_mismatches(study=study, dimension=study.dimensions.get(), n=3)

    for item in made:
        (image,) = item.images.all()
        assert image.prompt_id != item.prompt_id
        assert item.known_answers.get().accepted == list(range(len(study.dimensions.get().levels) // 2))
    assert study.items.count() == 10


def test_sides_stay_balanced_with_checks_between() -> None:
    study = make_checked_study(40, item_kind=Study.ItemKind.PAIR, **SHARES)
    rate_all(rater := make_rater(study))
    turned = np.array([card.shown_order == "1,0" for card in rater.assignments.all()])

    assert abs(int(turned.sum()) - int((~turned).sum())) <= 1


def test_repeats_show_how_far_raters_agree_with_themselves(client: Client) -> None:
    study = make_checked_study(30, item_kind=Study.ItemKind.PAIR, repeat_share=10, mirror_share=15)
    study.items.update(wanted=9)
    for chosen in (0, 0, 1):  # the first two prefer an image, the third a side
        rater = make_rater(study)
        held = Assignment.with_checks.filter(rater=rater, state="leased").order_by("sequence")
        while reserve(rater=rater) or held.exists():
            for card in held.all():
                is_turned = card.shown_order == "1,0"
                answer_card(card, level=int(is_turned) if chosen == 0 else 0)

    (found,) = within_oneself(study)

    mirrored = Assignment.with_checks.filter(rater=rater, purpose=Purpose.MIRROR).count()
    assert mirrored > 2
    # Only the mirrored repeats of the rater who always chooses the left side differ.
    assert found.found.same.value == pytest.approx(1 - mirrored / found.n)
    client.force_login(study.owner)
    assert "Agreement of raters with themselves" in client.get(f"/study/{study.token}/raters/quality/").content.decode()
