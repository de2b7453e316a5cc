"""The command that the exports page prints gives the figures of the results page, to the last digit."""

import csv
import html
import io
import json
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from annotations.models import Dimension, Rater, Study
from annotations.queries.reports import document_of
from annotations.questions import ACCEPTANCE, ALIGNMENT, PREFERENCE, Preset
from annotations.reports.study.tables import TABLES
from annotations.reports.votes.tables import PREFERENCE_TABLES
from annotations.services.exclusions import exclude_rater
from exchange.export import csv_chunks
from generation.models import Image, MetricScore
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db

OF_THE_SITE = {
    *("title", "key", "asked", "n_late", "disputed", "exclusion_rule", "warnings", "sources", "design"),
    "with_excluded",  # the files have no answers of excluded raters
}
"""What the document of the site has beyond figures, and what analysis of files adds."""

HALVES = Preset(
    "halves", "", "", "halves", "How good, in halves?", (("0", "bad"), ("0.5", "fair"), ("1.25", "good"), ("3", "best"))
)
SLIDER = Preset("slider", "", "", "slider", "How much?", tuple((str(n), f"{n} of 100") for n in range(0, 101, 4)))
CATEGORIES = Preset(
    "fault",
    "",
    "",
    "fault",
    "What is wrong first?",
    (("3", "hands"), ("1", "text, or letters"), ("2", "=nothing")),
    kind=Dimension.Kind.NOMINAL,
)
KINDS = [
    pytest.param((ALIGNMENT,), Study.ItemKind.IMAGE, id="ordinal"),
    pytest.param((ACCEPTANCE,), Study.ItemKind.IMAGE, id="yes or no"),
    pytest.param((HALVES,), Study.ItemKind.IMAGE, id="unequal steps"),
    pytest.param((SLIDER,), Study.ItemKind.IMAGE, id="slider"),
    pytest.param((CATEGORIES,), Study.ItemKind.IMAGE, id="nominal"),
    pytest.param((PREFERENCE,), Study.ItemKind.PAIR, id="preference"),
    pytest.param((ALIGNMENT,), Study.ItemKind.PAIR, id="ordinal about a pair's images"),
    pytest.param((SLIDER, CATEGORIES, ALIGNMENT), Study.ItemKind.IMAGE, id="several, not in order of their names"),
    pytest.param((PREFERENCE, ALIGNMENT), Study.ItemKind.PAIR, id="preference and ordinal"),
]


def rated_study(presets: tuple[Preset, ...], kind: str) -> Study:
    """With all that figures depend on: gaps, times, unable, imported, simulated and excluded raters, facets, scores."""
    study = make_study(n_items=42 if kind == Study.ItemKind.IMAGE else 21, k=6, item_kind=kind, presets=presets)
    items = list(study.items.order_by("position"))
    for r in range(5):
        rater = make_rater(study, name=f"räter {r}", kind=[Rater.Kind.PERSON, *Rater.Kind.values][r % 4])
        for i, item in enumerate(items):
            if (i + r) % 7 == 0:
                continue
            assignment = make_answer(item, rater, active_ms=900 + 313 * i + 77 * r)
            order = ["0,1", "1,0"][(i + r) % 2]
            study.assignments.filter(pk=assignment.pk).update(sequence=1000 + 5 * i % 97, shown_order=order)
            for k, response in enumerate(assignment.responses.order_by("pk")):
                question = response.dimension
                response.level = (i * (r + 2) + (i + k) // 3 + r % 2 + k) % len(question.levels)
                response.is_unable = question.allows_unable and (i + r + k) % 11 == 3
                response.level = None if response.is_unable else response.level
                response.save()
    for i, image in enumerate(Image.objects.filter(items__study=study).order_by("pk")):
        MetricScore.objects.create(image=image, metric="clip", value=(i * 37 % 11) / 7)
        if i % 3:
            MetricScore.objects.create(image=image, metric="=reward", value=-(i % 5) / 3)
        image.prompt.metadata = {"kind": "ab"[i % 2], "model": "xy"[i // 2 % 2], "gold": "1", "prompt": "pq"[i % 2]}
        image.prompt.category = "cd"[i // 3 % 2]
        image.prompt.save()
    bot = make_rater(study, name="bot")
    for item in items[:4]:
        make_answer(item, bot, level=0)
    exclude_rater(rater=bot, reason="answers in no time", by=study.owner)
    return study


def printed_command(page: str) -> list[str]:
    text, *_of_preferences = re.findall(r"<code>(\S+ manage\.py analyze .*?)</code>", page)
    return shlex.split(html.unescape(text))[2:]


@pytest.mark.parametrize(("presets", "kind"), KINDS)
def test_the_printed_command_gives_the_sites_figures(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, presets: tuple[Preset, ...], kind: str
) -> None:
    study = rated_study(presets, kind)
    client.force_login(study.owner)
    client.get(f"/study/{study.token}/results/")
    snapshot = study.snapshots.get()
    shown: dict[str, Any] = snapshot.results or {}
    document = document_of(snapshot)
    archive = client.get(f"/study/{study.token}/export/study.zip").getvalue()  # type: ignore[attr-defined]
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    monkeypatch.chdir(tmp_path)

    command = printed_command(client.get(f"/study/{study.token}/export/").content.decode())
    call_command(*command, quick=True, stdout=io.StringIO())

    report = json.loads((tmp_path / "report/report.json").read_text())
    answered, from_ratings = ([one.pop("preferences") for one in found["dimensions"]] for found in (shown, report))
    assert not any(from_ratings)
    if any(answered):
        # What is said of methods comes from votes.csv, by a command of its own: see test_preferences.py.
        assert shown["made"].pop("inputs_hash") != report["made"].pop("inputs_hash")
    assert report["warnings"] == [] or all("have no" in warning for warning in report["warnings"])
    for name in shown.keys() - OF_THE_SITE - {"made"}:
        assert report[name] == shown[name], name
    for name in shown["made"].keys() - {"at"}:
        assert report["made"][name] == shown["made"][name], name
    for name in TABLES.keys() - OF_THE_SITE - PREFERENCE_TABLES.keys():
        columns, rows = TABLES[name]
        ours = "".join(csv_chunks(columns, rows(document)))
        assert (tmp_path / f"report/{name}.csv").read_bytes().decode() == ours, name
    if any(preset.kind == Dimension.Kind.NOMINAL for preset in presets):
        with (tmp_path / "report/agreement.csv").open() as file:
            of_nominal = {
                row["statistic"] for row in csv.DictReader(file) if row["dimension"] in ("fault", "preference")
            }
        assert not [name for name in of_nominal if "ordinal" in name or "icc" in name or "ac2" in name]
