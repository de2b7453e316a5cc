"""Pages of a large study: what they count, what they keep, and what they leave to the latest results."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.kinds.viewing import parse_viewing
from annotations.models import Assignment, ReportSnapshot, Response, Study
from annotations.queries.live.kept import LONGEST_SECONDS, is_large, kept, seconds_to_keep
from annotations.queries.live.viewing import viewing_on_page
from annotations.queries.raters.viewing import viewing_of
from annotations.queries.studies import raters_with_progress
from annotations.services.reports import report_now
from annotations.views.live.page import live
from annotations.views.studies.exports import index as exports
from annotations.views.studies.overview import overview
from annotations.views.studies.raters import index as raters
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def study() -> Study:
    """Three answers of one rater, one of them to a repeat."""
    study = make_study(n_items=3, k=2)
    rater = make_rater(study, name="ann")
    for item in study.items.order_by("position"):
        make_answer(item, rater, level=1)
    Assignment.objects.filter(item__position=2).update(purpose=Assignment.Purpose.REPEAT)
    return study


def page(view: Callable[..., Any], study: Study, *, query: str = "", part: bool = False, **limits: int) -> str:
    request = RequestFactory().get(f"/{query}", headers={"HX-Request": "true"} if part else {})
    request.user = study.owner
    response = view(request, token=study.token, **limits)
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_study_is_large_beyond_the_limit(study: Study) -> None:
    assert is_large(study, large=2)
    assert not is_large(study, large=3)
    Response.objects.filter(assignment__item__position=0).update(is_current=False)
    assert not is_large(study, large=2)


def test_dear_figures_alone_are_kept(study: Study) -> None:
    counts = iter(range(9))

    def count() -> int:
        return next(counts)

    assert [kept("x", study, count, is_dear=lambda n: n > 1) for _ in range(3)] == [(0, None), (1, None), (2, None)]
    figures, counted_at = kept("x", study, count, is_dear=lambda n: n > 1)
    assert figures == 2
    assert counted_at is not None
    assert timezone.now() - counted_at < timedelta(minutes=1)
    assert kept("y", study, count, is_dear=lambda n: n > 1)[0] == 3


def test_what_takes_long_to_count_is_kept_longer() -> None:
    assert seconds_to_keep(0.01, least=15) == 15
    assert seconds_to_keep(3, least=15) == 60
    assert seconds_to_keep(900, least=15) == LONGEST_SECONDS


def test_the_overview_of_a_large_study_says_when_it_was_counted(study: Study) -> None:
    assert "2 of 6 cards" in page(overview, study, large=1)
    make_answer(study.items.get(position=0), make_rater(study), level=1)
    text = page(overview, study, large=1)
    assert "2 of 6 cards" in text
    assert "Counted at" in text
    cache.clear()
    text = page(overview, study)
    assert "3 of 6 cards" in text
    assert "Counted at" not in text


def test_the_live_page_of_a_large_study_comes_before_its_counts(study: Study) -> None:
    with CaptureQueriesContext(connection) as asked:
        text = page(live, study, large=2)
    assert "are being counted" in text
    assert 'hx-trigger="load"' in text
    assert "2 of 6 cards" not in text
    assert not any("GROUP BY" in query["sql"] for query in asked.captured_queries)
    assert "2 of 6 cards" in page(live, study, part=True, large=2)
    assert "2 of 6 cards" in page(live, study, large=2)
    cache.clear()
    assert "2 of 6 cards" in page(live, study, query="?count", large=2)
    cache.clear()
    assert "2 of 6 cards" in page(live, study, large=3)


def rows(text: str) -> dict[str, tuple[str, bool]]:
    """By table: what is shown as its number of rows, and whether it can be downloaded."""
    found = re.findall(r'<th scope="row">([a-z-]+)<span.*?<td class="num">(.*?)</td>(.*?)</tr>', text, re.DOTALL)
    return {name: (re.sub(r"<[^>]+>", "", n), "<a " in rest) for name, n, rest in found}


def test_exports_of_a_large_study_are_offered_without_being_counted(study: Study) -> None:
    small, large = (rows(page(exports, study, large=limit)) for limit in (3, 2))
    assert small["answers"] == ("2", True)
    assert small["checks"] == ("1", True)
    assert large["answers"] == large["answers-all-revisions"] == large["consensus"] == ("not counted", True)
    assert large["checks"] == ("not counted", True)
    assert {name for name, (_n, offered) in large.items() if offered} == {
        name for name, (_n, offered) in small.items() if offered
    }
    Assignment.with_checks.update(purpose=Assignment.Purpose.RATING)
    assert rows(page(exports, study, large=2))["checks"] == ("0", False)


def test_how_many_cards_were_seen_is_said_as_of_the_latest_results(study: Study) -> None:
    Response.objects.update(viewing=parse_viewing("300x300;1;1;1;5000;0;k"))
    everybody = list(raters_with_progress(study))
    counted = viewing_of(study, [rater.pk for rater in everybody])
    assert viewing_on_page(study, everybody, most_cards=2).by_rater == counted
    assert viewing_on_page(study, everybody, most_cards=1).by_rater == {}
    assert "once the results have been calculated" in page(raters, study, most_cards=1)
    report_now(study=study, comparisons=[])
    seen = viewing_on_page(study, everybody, most_cards=1)
    assert seen.by_rater == counted != {}
    assert seen.reported_at == ReportSnapshot.objects.get().ended_at
    assert "from the results of" in page(raters, study, most_cards=1)
    assert "300 px" in page(raters, study, most_cards=1)
    text = page(raters, study)
    assert "300 px" in text
    assert "from the results of" not in text
