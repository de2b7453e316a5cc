"""Metric scores: placed by key, sum or file name; one value for an image, metric and version."""

from pathlib import Path

import pytest

from exchange.rejects import RejectLog
from generation.models import Image, MetricScore
from generation.queries.importers import Source
from generation.services.imports.images import import_images
from generation.services.imports.items import import_items
from generation.services.imports.scores import import_scores
from tests.factories import tiny_png
from tests.generation.conftest import Bundle, Table

pytestmark = pytest.mark.django_db


@pytest.fixture
def items(table: Table) -> None:
    rows = [{"item": key, "prompt": "a fox", "method": "m"} for key in ("i1", "i2")]
    import_items(table(rows, "items.csv"), prompt_set="p", log=RejectLog())


def test_the_dsg_metrics_come_whole_and_once(dsg_tifa160: Path, log: RejectLog) -> None:
    import_items(Source("items.csv", dsg_tifa160 / "items.csv"), prompt_set="DSG", log=log)
    for expected in ((15_200, 0), (0, 15_200)):
        counts = import_scores(Source("metrics.csv", dsg_tifa160 / "metrics.csv"), log=log)
        assert (counts.n_created, counts.n_unchanged, log.total) == (*expected, 0)
    assert MetricScore.objects.values("metric").distinct().count() == 19
    assert MetricScore.objects.get(image__key="mini-dalle|tifa160_101", metric="dsg/mplug").value == 0.875


def test_an_image_is_named_by_key_by_sum_or_by_its_files_name(bundle: Bundle, table: Table, log: RejectLog) -> None:
    files: dict[str, bytes | str] = {f"{i}.png": tiny_png(i) for i in range(3)}
    files["manifest.csv"] = "image,prompt,key\n0.png,a fox,first\n1.png,a fox,\n2.png,a fox,\n"
    import_images(bundle(files), prompt_set="p", log=log)
    sums = dict(Image.objects.values_list("provenance__source__file", "sha256"))
    rows = [{"image": name, "metric": "m", "value": 1} for name in ("first", sums["1.png"].upper(), "2.png", "3.png")]
    counts = import_scores(table(rows), log=log)
    assert counts.n_created == 3
    assert MetricScore.objects.values("image").distinct().count() == 3
    assert [(reject.row, reject.value) for reject in log.first] == [(5, "3.png")]


@pytest.mark.usefixtures("items")
def test_a_second_value_is_refused_with_both_named(table: Table, log: RejectLog) -> None:
    rows = [
        {"item": "i1", "metric": "clip", "version": "", "value": "0.5"},
        {"item": "i1", "metric": "clip", "version": "", "value": "0.6"},
        {"item": "i1", "metric": "clip", "version": "", "value": "0.50"},
        {"item": "i1", "metric": "clip", "version": "v2", "value": "0.6"},
        {"item": "i1", "metric": "clip", "version": "v3", "value": "nan"},
        {"item": "i1", "metric": "", "version": "v3", "value": "1"},
    ]
    source = table(rows)
    dry_log = RejectLog()
    dry = import_scores(source, dry_run=True, log=dry_log)
    counts = import_scores(source, log=log)
    assert (dry, dry_log.first) == (counts, log.first)
    assert (counts.n_created, counts.n_unchanged) == (2, 1)
    second = next(reject for reject in log.first if reject.row == 3)
    assert second.problem.startswith("row 2 has 0.5 for")
    later = import_scores(table([rows[1]], "later.csv"), log=log)
    assert (later.n_created, later.n_unchanged) == (0, 0)
    assert log.first[-1].problem.startswith("stored is 0.5 for")
    assert MetricScore.objects.get(version="").value == 0.5


@pytest.mark.usefixtures("items")
def test_a_key_in_two_sets_needs_the_sets_name(table: Table, log: RejectLog) -> None:
    rows = [{"item": "i1", "prompt": "a hen", "method": "m"}]
    import_items(table(rows, "q.csv"), prompt_set="q", log=log)
    scores = table([{"item": "i1", "metric": "clip", "value": "1"}])
    assert import_scores(scores, log=log).n_created == 0
    assert "2 images of this site have this name" in log.first[0].problem
    assert import_scores(scores, prompt_set="q", log=log).n_created == 1
    assert MetricScore.objects.get().image.prompt.text == "a hen"
