"""A report names where each score and critique came from, and leads with what came from outside the study."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotations import dispatch
from annotations.models import Study
from annotations.services.audits import work
from annotations.services.critic_reports import find_critic_report
from generation.models import Critique, ImportRun, MetricScore
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def make_import(owner: Any, name: str, **fields: Any) -> ImportRun:
    fields = {"state": "done", "ended_at": timezone.now()} | fields
    return ImportRun.objects.create(kind="scores", owner=owner, file_name=name, **fields)


@pytest.fixture
def study() -> Study:
    """Scores by the owner's import, a member's run, a command, somebody from outside, and of unknown origin."""
    study = make_study(n_items=2, owner=make_user("olga", researcher=True), title="Whose scores")
    for rater in (make_rater(study), make_rater(study)):
        for i, item in enumerate(study.items.all()):
            make_answer(item, rater, level=i)
    member, outsider = make_member(study, make_user("mona")), make_user("otto", researcher=True)
    origins: dict[str, dict[str, Any]] = {
        "clip": {"added_by": study.owner, "import_run": make_import(study.owner, "clip.csv")},
        "tifa": {"added_by": member, "provenance": {"run": 7}},
        "dsg": {"import_run": make_import(None, "/data/dsg.csv", is_by_command=True)},
        "EvilMetric": {"added_by": outsider, "import_run": make_import(outsider, "x.csv")},
        "old": {},
    }
    for metric, origin in origins.items():
        for item in study.items.all():
            MetricScore.objects.create(image=item.images.get(), metric=metric, version="1", value=item.pk, **origin)
    return study


def signed_in(study: Study) -> Client:
    client = Client()
    client.force_login(study.owner)
    return client


def test_page_file_and_latex_name_the_origin_of_every_score(study: Study) -> None:
    client = signed_in(study)
    page = client.get(f"/study/{study.token}/results/").content.decode()
    clip, evil, dsg = (ImportRun.objects.get(file_name=name).pk for name in ("clip.csv", "x.csv", "/data/dsg.csv"))
    today = f"{timezone.now():%Y-%m-%d}"
    said = [
        f"2 scores of clip 1: imported by olga from clip.csv on {today} (import {clip}).",
        f"2 scores of tifa 1: made by a run of the generator by mona on {today} (run 7).",
        f"2 scores of dsg 1: imported on the server from /data/dsg.csv on {today} (import {dsg}).",
        f"2 scores of EvilMetric 1: imported by otto from x.csv on {today} (import {evil}).",
        f"2 scores of old 1: added on {today}.",
    ]
    for ending in ("html", "tex"):
        text = client.get(f"/study/{study.token}/results/{study.snapshots.get().pk}/report.{ending}").content.decode()
        for sentence in said:
            assert sentence in text, ending
    for sentence in said:
        assert sentence in page
    outside = "2 scores of EvilMetric 1 were added by otto, who does not run this study."
    assert page.index(outside) < page.index("<h2")
    assert "mona, who does not" not in page


def test_the_table_has_a_row_for_every_origin(study: Study) -> None:
    dispatch.find_report(study=study, comparisons=[], user=study.owner)

    answer = signed_in(study).get(f"/study/{study.token}/results/{study.snapshots.get().pk}/sources.csv")

    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert {name: (row["way"], row["added_by"], row["is_outsider"]) for name, row in rows.items()} == {
        "clip 1": ("import", "olga", "false"),
        "tifa 1": ("run", "mona", "false"),
        "dsg 1": ("command", "", "false"),
        "EvilMetric 1": ("import", "otto", "true"),
        "old 1": ("", "", "false"),
    }


def test_the_report_on_critics_names_where_critiques_came_from() -> None:
    study = make_audited_study(n_images=1)
    plan = make_open_plan(study, auditors_per_image=1)
    audit = work.reserve(auditor=make_auditor(study), plan=plan)
    assert audit
    do_audit(audit)
    outsider = make_user("otto", researcher=True)
    Critique.objects.update(added_by=outsider, import_run=make_import(outsider, "said.csv"))

    document = find_critic_report(study=study, partly="half")
    page = signed_in(study).get(f"/study/{study.token}/critic/").content.decode()

    assert document is not None
    assert [(one.what, one.added_by, one.is_outsider) for one in document.sources] == [("critique", "otto", True)]
    assert "imported by otto from said.csv" in page
    assert "who does not run this study" in page


def test_queries_for_sources_do_not_grow(study: Study, django_assert_max_num_queries: Any) -> None:
    dispatch.find_report(study=study, comparisons=[], user=study.owner)
    client = signed_in(study)
    with django_assert_max_num_queries(19):
        client.get(f"/study/{study.token}/results/")
