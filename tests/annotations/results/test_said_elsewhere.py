"""What other pages say about results: all raters excluded, and the answer on a study's overview."""

import html

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import ReportSnapshot, Study
from tests.annotations.views.test_results import rated_study
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def page(client: Client, study: Study, rest: str = "") -> str:
    client.force_login(study.owner)
    response = client.get(f"/study/{study.token}/{rest}")
    assert response.status_code == 200
    return " ".join(html.unescape(response.content.decode()).split())


@pytest.mark.parametrize("rest", ["results/", "explore/"])
def test_if_all_raters_are_excluded_it_is_not_said_that_nobody_has_answered(rest: str, client: Client) -> None:
    study = rated_study()
    study.raters.update(excluded_at=timezone.now(), excluded_reason="too fast")
    text = page(client, study, rest)
    assert "All answers are those of excluded raters" in text
    assert "No answers yet" not in text
    assert f'href="/study/{study.token}/raters/"' in text


@pytest.mark.parametrize("rest", ["results/", "explore/"])
def test_an_excluded_rater_without_answers_changes_nothing(rest: str, client: Client) -> None:
    study = make_study()
    make_rater(study, excluded_at=timezone.now(), excluded_reason="too fast")
    assert "No answers yet" in page(client, study, rest)


def test_the_overview_gives_the_answer_of_current_results(client: Client) -> None:
    study = rated_study()
    assert "What the answers say so far" not in page(client, study)
    assert ReportSnapshot.objects.count() == 0
    said = page(client, study, "results/")
    text = page(client, study)
    assert "What the answers say so far" in text
    sentence = text.split("What the answers say so far</h2>")[1].split('<p dir="auto">')[1].split("</p>")[0]
    assert sentence.endswith(".")
    assert sentence in said
    assert f'href="/study/{study.token}/results/"' in text


def test_an_answer_from_before_an_exclusion_is_not_given(client: Client) -> None:
    study = rated_study()
    page(client, study, "results/")
    rater = study.raters.all()[0]
    rater.excluded_at, rater.excluded_reason = timezone.now(), "too fast"
    rater.save()
    assert "What the answers say so far" not in page(client, study)


def test_the_overview_costs_the_same_queries_for_a_larger_study(client: Client) -> None:
    counts = []
    for n_items in (6, 40):
        study = rated_study(n_items)
        page(client, study, "results/")
        page(client, study)
        with CaptureQueriesContext(connection) as queries:
            page(client, study)
        counts.append(len(queries))
        assert not any('"results"' in query["sql"] for query in queries)  # the report itself is read once
    assert counts[0] == counts[1]
