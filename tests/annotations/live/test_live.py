"""The live page: one sentence of state, agreement as it grows, progress by part, what needs a look."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Assignment, Study
from annotations.queries.live.agreement import growth
from annotations.queries.live.progress import needs_a_look, strata
from annotations.queries.results import study_data
from annotations.questions import BEST_WORST, RANKING, Preset
from annotations.stats.agreement.alpha import krippendorff_alpha
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def rated(n_items: int = 12, k: int = 2) -> Study:
    study = make_study(n_items=n_items, k=3)
    raters = [make_rater(study) for _ in range(k)]
    for i, item in enumerate(study.items.order_by("position")):
        for j, rater in enumerate(raters):
            make_answer(item, rater, level=(i + (i * j) % 2) % 5)
    return study


def live(client: Client, study: Study, **headers: str) -> str:
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/live/", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_one_sentence_says_how_far_the_study_is_and_how_raters_agree(client: Client) -> None:
    text = live(client, rated())
    assert "24 of 36 cards" in text
    assert "ordinal alpha 0." in text
    assert "at this pace, done on" in text
    assert 'hx-trigger="every 20s"' in text


def test_a_poll_brings_the_changing_part_alone(client: Client) -> None:
    text = live(client, rated(), **{"HX-Request": "true"})
    assert text.lstrip().startswith('<div id="live"')
    assert "<html" not in text


def test_the_last_point_is_the_alpha_of_the_report() -> None:
    study = rated()
    found = growth(study, study.dimensions.get()).last
    expected = krippendorff_alpha(study_data(study).dimensions[0].ratings, "ordinal").value
    assert found is not None
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.n == 24


def test_a_preference_is_about_images_and_not_about_sides() -> None:
    study = make_study(n_items=10, k=2, item_kind=Study.ItemKind.PAIR)
    first, second = make_rater(study), make_rater(study)
    for i, item in enumerate(study.items.order_by("position")):
        make_answer(item, first, level=i % 2)
        turned = make_answer(item, second, level=1 - i % 2)
        Assignment.objects.filter(pk=turned.pk).update(shown_order="1,0")
    Assignment.objects.filter(rater=first).update(shown_order="0,1")
    found = growth(study, study.dimensions.get()).last
    assert found is not None
    assert found.value == 1.0


def test_too_few_answers_give_no_agreement(client: Client) -> None:
    study = rated(n_items=2)
    assert growth(study, study.dimensions.get()).points == ()
    assert "Too few answers yet." in live(client, study)


@pytest.mark.parametrize("preset", [RANKING, BEST_WORST])
def test_rankings_and_best_and_worst_have_no_agreement_however_many_answers(client: Client, preset: Preset) -> None:
    study = make_study(n_items=12, n_methods=3, item_kind=Study.ItemKind.PROMPT, presets=(preset,))
    rater = make_rater(study)
    for item in study.items.all():
        make_answer(item, rater)
    text = live(client, study)
    assert "Agreement on rankings and on best–worst choices is not shown live. See the results." in text
    assert "Too few answers" not in text


def test_agreement_that_cannot_be_estimated_is_not_said_to_lack_answers(client: Client) -> None:
    text = live(client, rated(k=1))
    assert "Agreement cannot be estimated yet" in text
    assert "Too few answers" not in text


def test_progress_is_counted_by_method_and_category() -> None:
    study = make_study(n_items=4, k=2)
    items = list(study.items.order_by("position"))
    rater = make_rater(study)
    for item in items[:2]:
        make_answer(item, rater)
    for item in items:
        item.prompt.category = "colour" if item.position < 2 else "counting"
        item.prompt.save()
    found = {(one.kind, one.name): (one.answered, one.wanted) for one in strata(study)}
    assert found["category", "colour"] == (2, 4)
    assert found["category", "counting"] == (0, 4)
    assert sum(answered for (kind, _), (answered, _w) in found.items() if kind == "method") == 2


def look(study: Study) -> list[str]:
    parts = strata(study)
    return needs_a_look(study, parts, answered=1, wanted=9, active=0, now=timezone.now())


def test_what_needs_a_look_is_named() -> None:
    study = rated(n_items=4)
    assert look(study) == ["Nobody has answered in the last 24 hours."]
    Assignment.objects.filter(item__position=0).update(flag="cut off")
    rater = make_rater(study)
    Assignment.objects.create(
        study=study,
        item=study.items.get(position=1),
        rater=rater,
        sequence=0,
        state=Assignment.State.LEASED,
        lease_until=timezone.now() - timedelta(hours=1),
    )
    assert look(study) == [
        "Nobody has answered in the last 24 hours.",
        "1 reserved card is overdue: the next rater who asks gets it.",
        "2 cards have comments.",
    ]


def test_a_question_that_many_cannot_answer_needs_a_look() -> None:
    study = make_study(n_items=10, k=3)
    for rater in (make_rater(study), make_rater(study)):
        for item in study.items.all():
            make_answer(item, rater, level=None if item.position % 2 else 1)
    assert any("50% could not answer" in line for line in look(study))


def test_looking_again_costs_few_queries(client: Client) -> None:
    study = rated()
    live(client, study)
    with CaptureQueriesContext(connection) as queries:
        live(client, study)
    assert len(queries) < 14
