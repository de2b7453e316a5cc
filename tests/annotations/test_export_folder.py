"""The folder of all files: each table as it comes alone, read from the database once."""

import io
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Rater, Response, Study
from annotations.services import exports
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    """Two raters who count, one of whom changed an answer, and an excluded one."""
    study = make_study(n_items=4, k=3)
    for name in ("ann", "ben", "cem"):
        rater = make_rater(study, name=name)
        for i, item in enumerate(study.items.order_by("position")):
            assignment = make_answer(item, rater, level=i if name == "ann" else None if i == 0 else 1)
    old = assignment.responses.get()
    Response.objects.filter(pk=old.pk).update(is_current=False)
    Response.objects.create(
        assignment=assignment, dimension=old.dimension, image=old.image, revision=2, level=3, answered_at=timezone.now()
    )
    Rater.objects.filter(name="ben").update(excluded_at=timezone.now(), excluded_reason="guessed")
    return study


def test_each_table_is_the_one_that_comes_alone(study: Study, tmp_path: Path) -> None:
    call_command("export_study", study.token, out=tmp_path / "all", stdout=io.StringIO())
    for name, table in exports.TABLES.items():
        alone = "".join(table.csv(study))
        assert (tmp_path / f"all/{name}.csv").read_bytes().decode() == alone, name
        table.parquet(study, tmp_path / "alone.parquet")
        assert pq.read_table(tmp_path / f"all/{name}.parquet").equals(pq.read_table(tmp_path / "alone.parquet")), name
    n_rows = {name: pq.read_metadata(tmp_path / f"all/{name}.parquet").num_rows for name in exports.TABLES}
    assert (n_rows["answers"], n_rows["answers-all-revisions"]) == (8, 13)
    assert not list((tmp_path / "all").rglob("*.part"))


def test_answers_are_read_once_for_their_four_files(study: Study, tmp_path: Path) -> None:
    with CaptureQueriesContext(connection) as asked:
        exports.write_folder(study=study, folder=tmp_path)
    reads = Counter(query["sql"] for query in asked if "annotations_response" in query["sql"])
    # The rows of all answers, and of those to checks.
    assert len([sql for sql in reads if "received_at" in sql]) == 2
    assert max(reads.values()) == 1, reads.most_common(1)
