"""Snapshots that earlier versions made: the page, every file and the raters' page still read them."""

from typing import Any

import pytest
from django.test import Client

from annotations.models import ReportSnapshot, Study
from annotations.queries.reports import last_finished, what_stands_out
from annotations.services.reports import DEFAULT_SEED
from tests.factories import make_study
from tests.reports.documents.test_conversion import changed, kept

pytestmark = pytest.mark.django_db


def keep(study: Study, results: dict[str, Any]) -> ReportSnapshot:
    """A finished snapshot as an earlier version left it."""
    return ReportSnapshot.objects.create(
        study=study, state=ReportSnapshot.State.DONE, inputs_hash="of then", code_version="0.1.0", results=results
    )


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def researcher(client: Client, study: Study) -> Client:
    client.force_login(study.owner)
    return client


@pytest.mark.parametrize("name", ["study-of-images", "study-of-pairs"])
def test_every_file_of_an_old_snapshot_opens(researcher: Client, study: Study, name: str) -> None:
    snapshot = keep(study, kept(name))
    place = f"/study/{study.token}/results/{snapshot.pk}/"

    html = researcher.get(f"{place}report.html").content.decode()
    assert snapshot.results is not None
    assert snapshot.results["title"] in html
    assert html.count("<svg") > 8
    assert researcher.get(f"{place}report.tex").content.decode().count("tabular") > 4
    for at, dimension in enumerate(snapshot.results["dimensions"]):
        response: Any = researcher.get(f"{place}agreement.csv?dimension={dimension['name']}")
        rows = b"".join(response.streaming_content).decode().splitlines()
        assert len(rows) == len(snapshot.results["dimensions"][at]["agreement"]) + 1
    served = researcher.get(f"{place}report.json").json()["dimensions"]
    assert list(changed(snapshot.results["dimensions"], served)) == []


def test_raters_of_an_old_snapshot_keep_what_stands_out(study: Study) -> None:
    found = kept("study-of-images")
    keep(study, found)
    assert last_finished(study, DEFAULT_SEED) is not None
    said = {row["rater"]: row["why"] for row in found["dimensions"][0]["raters"]}
    assert {rater: sentences[0] for rater, sentences in what_stands_out(study).items()} == said


def test_a_snapshot_that_cannot_be_read_is_not_there(researcher: Client, study: Study) -> None:
    found = kept("study-of-images")
    del found["dimensions"][0]["agreement"]
    snapshot = keep(study, found)
    assert researcher.get(f"/study/{study.token}/results/{snapshot.pk}/report.html").status_code == 404
    assert researcher.get(f"/study/{study.token}/results/").status_code == 200
