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
from annotations.queries.reports import inputs_of
from annotations.queries.studies import raters_with_progress
from annotations.services.reports import ask_report, report_now
from annotations.views.live.page import live
from annotations.views.results import results
from annotations.views.studies.exports import index as exports
from annotations.views.studies.overview import overview
from annotations.views.studies.raters import index as raters
from tests.factories import make_answer, make_dimension, make_rater, make_study

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
    return str(reply(view, study, query=query, part=part, **limits).content.decode())


def reply(view: Callable[..., Any], study: Study, *, query: str = "", part: bool = False, **limits: int) -> Any:
    request = RequestFactory().get(f"/{query}", headers={"HX-Request": "true"} if part else {})
    request.user = study.owner
    response = view(request, token=study.token, **limits)
    assert response.status_code == 200
    return response


def test_a_study_is_large_beyond_the_limit(study: Study) -> None:
    assert is_large(study, large=2)
    assert not is_large(study, large=3)
    Response.objects.filter(assignment__item__position=0).update(is_current=False)
    assert not is_large(study, large=2)


def test_answers_to_all_questions_count_together(study: Study) -> None:
    second = make_dimension(study, position=1, name="second")
    for answer in Response.objects.filter(assignment__item__position__lt=2):
        Response.objects.create(assignment=answer.assignment, dimension=second, level=1, answered_at=timezone.now())
    assert is_large(study, large=4)
    assert not is_large(study, large=5)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has its own statistics")
def test_whether_a_small_study_is_large_never_takes_a_look_at_another_s_answers(study: Study) -> None:
    huge = make_study(n_items=40, k=1)
    rater = make_rater(huge)
    for item in huge.items.all():
        make_answer(item, rater, level=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as asked:
        is_large(study, large=2)
    of_answers = [query["sql"] for query in asked.captured_queries if "annotations_response" in query["sql"]]
    assert len(of_answers) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {of_answers[0]}")
        plan = " ".join(row[3] for row in cursor.fetchall() if "annotations_response" in row[3])
    assert plan.startswith("SEARCH")
    assert "response_current (dimension_id=?)" in plan


def test_results_of_a_large_study_come_before_its_counts(study: Study) -> None:
    with CaptureQueriesContext(connection) as asked:
        text = page(results, study, large=2)
    assert "are being counted" in text
    assert "No answers yet" not in text
    assert 'hx-trigger="load"' in text
    assert not ReportSnapshot.objects.exists()
    assert not any("COUNT(DISTINCT" in query["sql"] for query in asked.captured_queries)
    reloads = reply(results, study, query="?count&shown=", part=True, large=2)
    assert reloads.headers["HX-Refresh"] == "true"
    newest = ReportSnapshot.objects.get()
    text = page(results, study, large=2)
    assert "Checking for answers" in text
    assert "2 answers" in text
    assert f"shown={newest.pk}" in text
    assert page(results, study, query=f"?count&shown={newest.pk}", part=True, large=2).strip() == ""
    make_answer(study.items.get(position=0), make_rater(study), level=2)
    assert "Checking for answers" in page(results, study, large=2)
    reloads = reply(results, study, query=f"?count&shown={newest.pk}", part=True, large=2)
    assert reloads.headers["HX-Refresh"] == "true"
    text = page(results, study, query="?count", large=2)
    assert "Checking for answers" not in text
    assert "3 answers" in text
    assert "3 answers" in page(results, study, large=9)


def test_results_that_are_calculated_or_cannot_be_are_said_where_it_asks_for_newer_ones(study: Study) -> None:
    report_now(study=study, comparisons=[])
    done = ReportSnapshot.objects.get()
    make_answer(study.items.get(position=0), make_rater(study), level=2)
    inputs = inputs_of(study, [])
    other, _new = ask_report(study=study, inputs=inputs, comparisons=[])
    text = page(results, study, large=2)
    assert "Results are being updated" in text
    assert "Checking for answers" not in text
    ReportSnapshot.objects.filter(pk=other.pk).update(state=ReportSnapshot.State.FAILED, message="out of luck")
    assert "Checking for answers" in page(results, study, large=2)
    text = page(results, study, query=f"?count&shown={done.pk}", part=True, large=2)
    assert "out of luck" in text
    assert "previous results are shown below" in text


def test_only_costly_figures_are_kept(study: Study) -> None:
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


def test_the_number_of_cards_seen_is_that_of_the_latest_results(study: Study) -> None:
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
