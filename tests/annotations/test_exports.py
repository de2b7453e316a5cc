"""Exports: every row as it was given, harmless in a spreadsheet, and enough to get the same figures elsewhere."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.kinds.viewing import VIEWING
from annotations.models import Assignment, Auditor, LateAnswer, Membership, MissedError, Response, Study, Verdict
from annotations.models.studies import new_token
from annotations.queries.result_units import linked_methods
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.services import exports
from exchange.formulas import restore
from generation.models import Claim, Critique, Method, MetricScore
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def address(study: Study, rest: str = "") -> str:
    return f"/study/{study.token}/export/{rest}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def rows_of(client: Client, study: Study, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(client.get(address(study, name))).decode(), newline="")))


@pytest.fixture
def study() -> Study:
    """Two cards of one rater, the first of them changed once."""
    study = make_study(n_items=2, title="Look closely")
    rater = make_rater(study, name="=cmd()")
    first, second = study.items.order_by("position")
    assignment = make_answer(first, rater, level=1, at=NOON, active_ms=1500)
    old = assignment.responses.get()
    Response.objects.filter(pk=old.pk).update(is_current=False)
    Response.objects.create(
        assignment=assignment,
        dimension=old.dimension,
        image=old.image,
        revision=2,
        level=3,
        answered_at=NOON + timedelta(minutes=1),
    )
    make_answer(second, rater, level=None, at=NOON)
    Assignment.objects.filter(pk=assignment.pk).update(flag="two, “heads”\nand more")
    return study


def test_answers_that_count(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    image = study.items.order_by("position")[0].images.get()

    response = client.get(address(study, "answers.csv"))

    assert response.headers["Content-Disposition"] == 'attachment; filename="look-closely-answers.csv"'
    changed, unable = rows_of(client, study, "answers.csv")
    assert list(changed) == exports.TABLES["answers"].names
    assert changed == {
        "item": "item-0",
        "image": f"image {image.pk}",
        "image_sha256": image.sha256,
        "prompt_key": "",
        "prompt": image.prompt.text,
        **dict.fromkeys(("category", "sub_category", "seed", "reference_sha256"), ""),
        "method": image.method.name,
        "round": "0",
        "rater": "'=cmd()",
        "rater_kind": "person",
        "dimension": "alignment",
        "value": "4",
        "label": "a few minor discrepancies",
        "answer": "",
        "is_unable": "false",
        "preferred_method": "",
        "revision": "2",
        "is_current": "true",
        "shown_at": "",
        "answered_at": "2026-05-01T12:01:00+00:00",
        "received_at": Response.objects.get(revision=2).received_at.isoformat(),
        "active_ms": "",
        "sequence": "0",
        "shown_position": "",
        "flag": "two, “heads”\nand more",
        "language": "",
        "is_further": "false",
        "probability": "1.0",
        "look": "1",
        **dict.fromkeys((column.name for column in VIEWING), ""),
    }
    assert (unable["value"], unable["label"], unable["is_unable"]) == ("", "", "true")
    assert restore(changed["rater"]) == "=cmd()"


def test_all_revisions(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    rows = rows_of(client, study, "answers-all-revisions.csv")
    assert [(row["item"], row["value"], row["revision"], row["is_current"]) for row in rows] == [
        ("item-0", "2", "1", "false"),
        ("item-0", "4", "2", "true"),
        ("item-1", "", "1", "true"),
    ]
    assert rows[0]["active_ms"] == "1500"
    assert rows[0]["shown_at"] == "2026-05-01T11:59:52+00:00"


def test_the_formats_say_the_same(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    lines = [json.loads(line) for line in body(client.get(address(study, "answers.jsonl"))).splitlines()]
    parquet = pq.read_table(io.BytesIO(body(client.get(address(study, "answers.parquet"))))).to_pylist()
    table = rows_of(client, study, "answers.csv")
    for line, row, cells in zip(lines, parquet, table, strict=True):
        assert line["rater"] == row["rater"] == "=cmd()"
        assert line["value"] == row["value"] == (cells["value"] or None)
        assert line["is_unable"] is row["is_unable"]
        assert datetime.fromisoformat(line["answered_at"]) == row["answered_at"]
        for name, cell in cells.items():  # what is missing is null, and an empty cell
            assert (line[name] is None) == (row[name] is None) == (restore(cell) == ""), name


def test_a_preference_names_the_side_and_the_method(client: Client) -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=4, presets=(PREFERENCE, ALIGNMENT))
    ((baseline, refined),) = linked_methods(study)
    rater = make_rater(study)
    left, right, both_bad = 0, 1, 3
    given = [("0,1", left), ("1,0", left), ("1,0", right), ("1,0", both_bad)]
    for item, (order, level) in zip(study.items.order_by("position"), given, strict=True):
        study.assignments.filter(pk=make_answer(item, rater, level=level).pk).update(shown_order=order)
    client.force_login(study.owner)

    rows = rows_of(client, study, "answers.csv")

    preferences = [row for row in rows if row["dimension"] == "preference"]
    assert [(row["label"], row["preferred_method"]) for row in preferences] == [
        ("left", baseline),
        ("left", refined),
        ("right", baseline),
        ("both bad", ""),
    ]
    alignment = [row for row in rows if row["dimension"] == "alignment" and row["item"] == "item-1"]
    assert {row["method"]: row["shown_position"] for row in alignment} == {baseline: "2", refined: "1"}
    assert {row["preferred_method"] for row in alignment} == {""}


def test_late_answers_are_their_own_table(client: Client, study: Study) -> None:
    dimension, item = study.dimensions.get(), study.items.order_by("position")[1]
    image = item.images.get()
    assignment = make_answer(item, make_rater(study, name="late one"))
    LateAnswer.objects.create(
        assignment=assignment,
        answers={
            "answered_at": NOON.isoformat(),
            "active_ms": 900,
            "answers": [{"dimension": dimension.pk, "image": image.pk, "level": 4, "language": "de"}],
        },
    )
    client.force_login(study.owner)

    (row,) = rows_of(client, study, "late-answers.csv")

    assert (row["item"], row["image"], row["rater"], row["value"], row["active_ms"]) == (
        "item-1",
        f"image {image.pk}",
        "late one",
        "5",
        "900",
    )
    assert (row["answered_at"], row["language"]) == ("2026-05-01T12:00:00+00:00", "de")


def test_verdicts_and_missed_errors(client: Client, study: Study) -> None:
    image = study.items.order_by("position")[0].images.get()
    auditor = Auditor.objects.create(study=study, name="nora")
    critique = Critique.objects.create(image=image, critic="vlm", digest="d")
    claim = Claim.objects.create(critique=critique, rank=1, text="the cup floats", confidence=0.75)
    for revision, value in ((1, "right"), (2, "wrong")):
        Verdict.objects.create(
            study=study,
            claim=claim,
            auditor=auditor,
            value=value,
            revision=revision,
            is_current=revision == 2,
            answered_at=NOON,
        )
    MissedError.objects.create(
        study=study, image=image, auditor=auditor, text="third hand", x=0.25, y=0.5, answered_at=NOON
    )
    client.force_login(study.owner)

    verdicts = rows_of(client, study, "verdicts.csv")
    (missed,) = rows_of(client, study, "missed-errors.csv")

    assert [(row["claim"], row["verdict"], row["is_current"]) for row in verdicts] == [
        ("the cup floats", "right", "false"),
        ("the cup floats", "wrong", "true"),
    ]
    assert verdicts[0]["claim_confidence"] == "0.75"
    assert (missed["error"], missed["x"], missed["width"], missed["auditor"]) == ("third hand", "0.25", "", "nora")


def test_the_page_counts_and_the_dictionary_explains(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    text = client.get(address(study)).content.decode()
    assert "answers-all-revisions/" not in text
    assert address(study, "answers.csv") in text
    assert address(study, "late-answers.csv") not in text  # there is none
    dictionary = client.get(address(study, "data-dictionary.md")).content.decode()
    for table in exports.TABLES.values():
        for column in table.columns:
            assert f"| {column.name} |" in dictionary
    assert "1 does not match at all" in dictionary


def test_the_page_leads_to_the_api(client: Client, study: Study) -> None:
    client.force_login(study.owner)
    page = client.get(address(study)).content.decode()

    assert '<a href="/api/v1/schema/">' in page
    assert f"http://testserver/api/v1/studies/{study.token}/results/" in page
    assert client.get(f"/api/v1/studies/{study.token}/results/").status_code == 200


PAGES = ["", "answers.csv", "answers.parquet", "data-dictionary.md", "study.zip"]


@pytest.mark.parametrize("page", PAGES)
def test_only_researchers_of_the_study(client: Client, study: Study, page: str) -> None:
    rater = study.raters.get()
    assert rater.user is not None
    for user, status in (
        (study.owner, 200),
        (make_member(study), 200),
        (make_user(researcher=True), 403),
        (make_member(study, role=Membership.Role.AUDITOR), 403),
        (rater.user, 403),
    ):
        client.force_login(user)
        assert client.get(address(study, page)).status_code == status
    client.logout()
    assert client.get(address(study, page)).status_code == 302


@pytest.mark.parametrize("page", ["secrets.csv", "answers.exe"])
def test_what_is_not_a_table(client: Client, study: Study, page: str) -> None:
    client.force_login(study.owner)
    assert client.get(address(study, page)).status_code == 404


@pytest.mark.parametrize("n", [3, 30])
def test_queries_do_not_grow_with_the_study(
    client: Client, n: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    study = make_study(n_items=n, k=n)
    for _ in range(3):
        rater = make_rater(study)
        for item in study.items.all():
            make_answer(item, rater)
    client.force_login(study.owner)
    with django_assert_num_queries(21):
        client.get(address(study))
    with django_assert_num_queries(9):
        body(client.get(address(study, "answers-all-revisions.csv")))


# --- everything ------------------------------------------------------------------------------------------------------
FILES = {
    "README.md",
    "study.json",
    *(f"{name}.csv" for name in exports.TABLES),
    *(f"analyze/{name}.csv" for name in ("ratings", "items", "metrics", "questions", "comparisons")),
}


def test_the_zip_is_kept_and_replaced(study: Study) -> None:
    name = exports.export_study(study=study)
    assert exports.export_study(study=study) == name
    with default_storage.open(name) as file, zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == FILES
        assert json.loads(archive.read("study.json"))["title"] == "Look closely"
        text = archive.read("answers-all-revisions.csv").decode()
        assert len(list(csv.DictReader(io.StringIO(text, newline="")))) == 3


def test_the_exported_files_give_the_same_figures(client: Client, tmp_path: Path) -> None:
    study = make_study(n_items=12, k=3)
    for r in range(3):
        rater = make_rater(study, name=f"rater {r}")
        for i, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=(i * (r + 2)) % 5)
    for i, item in enumerate(study.items.order_by("position")):
        MetricScore.objects.create(image=item.images.get(), metric="clip", value=0.1 * i)
    client.force_login(study.owner)
    client.get(f"/study/{study.token}/results/")
    shown = study.snapshots.get().results

    call_command("export_study", study.token, out=tmp_path, stdout=io.StringIO())
    call_command(
        "analyze",
        ratings=tmp_path / "analyze/ratings.csv",
        items=tmp_path / "analyze/items.csv",
        metrics=tmp_path / "analyze/metrics.csv",
        scale=["1-5"],
        out=tmp_path / "report",
        quick=True,
        stdout=io.StringIO(),
    )

    assert shown is not None
    report = json.loads((tmp_path / "report/report.json").read_text())
    for part in ("agreement", "means", "board"):
        assert report["dimensions"][0][part] == shown["dimensions"][0][part]
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {*FILES, *(f"{name}.parquet" for name in exports.TABLES), "report.json"} <= written


def test_names_that_look_like_formulas_come_back(tmp_path: Path) -> None:
    study = make_study(n_items=8, k=2, title="=1+1")
    dimension = study.dimensions.get()
    dimension.levels = [{"value": str(value), "label": str(value)} for value in range(-2, 3)]
    dimension.save()
    methods = Method.objects.filter(images__items__study=study).distinct().order_by("pk")
    for method, name in zip(methods, ("base", "@v2"), strict=True):
        Method.objects.filter(pk=method.pk).update(name=name)
    items = list(study.items.order_by("position"))
    for i, item in enumerate(items):
        item.images.update(key=f"={i}")
    for name, step in (("+ann", 1), ("-ben", 2)):
        rater = make_rater(study, name=name)
        for i, item in enumerate(items):
            make_answer(item, rater, level=i * step % 5)

    folder = tmp_path / "analyze"
    call_command("export_study", study.token, out=tmp_path, stdout=io.StringIO())
    lines = (folder / "ratings.csv").read_text().splitlines()
    assert lines[1].startswith("'=0,'+ann,")
    assert ",alignment,-2," in lines[1]
    answers = (tmp_path / "answers.csv").read_text().splitlines()
    assert ",-2,-2," in answers[1] or ",-2,'-2," in answers[1]
    call_command(
        "analyze",
        *("--scale", "-2-2", "--compare", "base:@v2", "--resamples", "20", "--quick"),
        ratings=folder / "ratings.csv",
        items=folder / "items.csv",
        out=tmp_path / "report",
        stdout=io.StringIO(),
    )
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert sorted(report["methods"]) == ["@v2", "base"]
    assert [row["rater"] for row in report["dimensions"][0]["raters"]] == ["+ann", "-ben"]

    call_command(
        "import_ratings",
        folder / "ratings.csv",
        *("--scale", "-2-2"),
        items=folder / "items.csv",
        study="again",
        owner=study.owner.username,
        verbosity=0,
    )
    again = Study.objects.get(title="again")
    assert sorted(again.items.values_list("images__key", flat=True)) == [f"={i}" for i in range(8)]
    assert sorted(again.raters.values_list("name", flat=True)) == ["+ann", "-ben"]


def test_the_command_names_an_unknown_study() -> None:
    with pytest.raises(CommandError, match="no study 'nothing'"):
        call_command("export_study", "nothing", out=Path("nowhere"))


@pytest.mark.parametrize("token", ["-Qq3Ne-abcdefghijklmno", "-vhelp_abcdefghijklmno", "--out-abcdefghijklmnop"])
@pytest.mark.parametrize("order", ["{token} --out {out}", "--out {out} {token}", "--out={out} -v 0 {token}"])
def test_the_command_takes_tokens_of_before_that_look_like_options(token: str, order: str, tmp_path: Path) -> None:
    make_study(n_items=1, token=token)
    arguments = order.format(token=token, out=tmp_path).split()

    call_command("export_study", *arguments, stdout=io.StringIO())

    assert (tmp_path / "answers.csv").exists()


def test_no_new_token_looks_like_an_option() -> None:
    assert all(new_token()[0].isalnum() for _ in range(2_000))
