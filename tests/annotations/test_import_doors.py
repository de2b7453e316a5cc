"""The same file gives the same warnings, counts and figures by command, page, API and `analyze`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from annotations.models import Study
from annotations.queries.results import study_data
from annotations.reports.study.files.study import read_study
from annotations.reports.study.scales import Scales
from exchange.rejects import RejectLog
from generation import tasks
from generation.models import Image, ImportRun
from tests.factories import make_token, make_user

pytestmark = pytest.mark.django_db
Files = dict[str, str]
WITH_HOLES = (
    "item,prompt_id,prompt,method\na,p1,A fox,m\nb,,A fox,n\nc,,A cat,m\nd,p2,A dog,m\ne,p3,A hen,\nf,p4,A bee,n\n"
)
RATINGS = "item,rater,value\n" + "".join(
    f"{item},{rater},{n % 5 + 1}\n" for n, item in enumerate("abcdef") for rater in "xy"
)
NONE_GOOD = "item,rater,value\na,x,9\nb,x,8\n"
BROKEN = 'item,rater,value\na,x,3\n"b,x,8\n'


def by_command(files: Files, folder: Path) -> ImportRun:
    make_user("ruth", researcher=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    said = ""
    try:
        call_command(
            *("import_ratings", str(folder / "ratings.csv")),
            items=str(folder / "items.csv"),
            study="S",
            owner="ruth",
            scale=["1-5"],
            verbosity=0,
        )
    except CommandError as error:
        said = str(error)
    run = ImportRun.objects.get()
    assert said == (run.message if run.state == ImportRun.State.FAILED else "")
    return run


def by_page(files: Files, folder: Path) -> ImportRun:
    client = Client()
    client.force_login(make_user("ruth", researcher=True))
    client.post(reverse("import-new", args=["ratings"]), _sent(files))
    run = ImportRun.objects.get()
    tasks.run_import(run.pk)
    run.refresh_from_db()
    page = client.get(reverse("import-run", args=[run.pk])).content.decode()
    assert f"<dd>{run.n_created}</dd>" in page
    return run


def by_api(files: Files, folder: Path) -> ImportRun:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {make_token(make_user('ruth', researcher=True))}")
    sent = client.post("/api/v1/imports/", {"kind": "ratings"} | _sent(files))
    assert sent.status_code == 202, sent.json()
    tasks.run_import(sent.json()["id"])
    told, run = client.get(sent.json()["url"]).json(), ImportRun.objects.get()
    assert (told["n_created"], told["message"], told["warnings"]) == (run.n_created, run.message, run.warnings)
    return run


def _sent(files: Files) -> dict[str, object]:
    given = {"table": "ratings.csv", "items": "items.csv"}
    uploads = {role: SimpleUploadedFile(name, files[name].encode()) for role, name in given.items()}
    return {"study": "S", "scale": "1-5", **uploads}


Door = Callable[[Files, Path], ImportRun]
DOORS = pytest.mark.parametrize("door", [by_command, by_page, by_api])


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda **_: None)


@DOORS
def test_holes_in_the_items_are_named_as_analyze_names_them(door: Door, tmp_path: Path) -> None:
    files = {"items.csv": WITH_HOLES, "ratings.csv": RATINGS}
    run = door(files, tmp_path)
    assert run.state == ImportRun.State.DONE, run.message

    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = RejectLog()
    with log:
        data = read_study(
            tmp_path / "ratings.csv",
            metrics=None,
            items=tmp_path / "items.csv",
            scales=Scales.parse(["1-5"]),
            on_bad_value="error",
            log=log,
        )
    # A command names a file by its whole path.
    assert [warning.rpartition("/")[2] for warning in run.warnings] == log.warnings
    assert log.warnings == [
        "items.csv: 2 items have no prompt_id, and the prompt itself is used; the first is in row 3.",
        "items.csv: 1 item has no method and cannot be compared; the first is in row 6.",
    ]
    on_site = study_data(Study.objects.get())
    assert (list(on_site.prompts), list(on_site.methods)) == (list(data.prompts), list(data.methods))
    assert (on_site.prompt.tolist(), on_site.method.tolist()) == (data.prompt.tolist(), data.method.tolist())


@DOORS
def test_an_import_that_fails_says_what_it_kept_and_counts_nothing_else(door: Door, tmp_path: Path) -> None:
    run = door({"items.csv": WITH_HOLES, "ratings.csv": NONE_GOOD}, tmp_path)
    assert (run.state, run.n_created, run.n_rejected) == (ImportRun.State.FAILED, 6, 2)
    assert run.message.startswith("Nothing of ")
    assert run.message.endswith("Kept: prompts 5, images without a file 6.")
    assert (Image.objects.count(), Study.objects.count()) == (6, 0)


@DOORS
def test_an_import_that_breaks_off_says_what_it_kept(door: Door, tmp_path: Path) -> None:
    run = door({"items.csv": WITH_HOLES, "ratings.csv": BROKEN}, tmp_path)
    assert (run.state, run.n_created) == (ImportRun.State.FAILED, 6)
    assert "row 3: a double quote opens" in run.message
    assert run.message.endswith("Kept: prompts 5, images without a file 6.")


@DOORS
def test_an_import_of_which_nothing_is_kept_counts_nothing(door: Door, tmp_path: Path) -> None:
    run = door({"items.csv": "item,prompt,method\n,A fox,m\nb,,m\n", "ratings.csv": RATINGS}, tmp_path)
    assert (run.state, run.n_created) == (ImportRun.State.FAILED, 0)
    assert run.message.startswith("Nothing was imported: all 2 rows of ")
    assert "Kept" not in run.message
    assert not Image.objects.exists()
