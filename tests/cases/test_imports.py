"""Imports of files as people have them, by command and by web page: the same outcome, and a dry run says it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from annotations.models import Rater, Response, Study
from generation import tasks
from generation.models import Image, ImportRun, PromptSet
from tests.factories import make_user

pytestmark = pytest.mark.django_db
FILES = Path(__file__).resolve().parents[1] / "data" / "files"
DONE, FAILED = ImportRun.State.DONE, ImportRun.State.FAILED


@dataclass(frozen=True)
class Case:
    """files   by role, the main one first
    first   (new, unchanged, refused) rows; again: the same when it is repeated
    refused  (row, field) of the first refusal
    """

    kind: str
    files: dict[str, str]
    options: dict[str, str]
    state: ImportRun.State = DONE
    first: tuple[int, int, int] = (0, 0, 0)
    again: tuple[int, int, int] | None = None
    refused: tuple[int | None, str] | None = None
    message: str = ""
    made: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(self.files.values())


def bundle(name: str, n: int) -> Case:
    return Case("images", {"bundle": name}, {"prompt_set": "A"}, first=(n, 0, 0), again=(0, n, 0), made={"images": n})


WORDS = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")


def ratings(name: str, n: int, **options: str) -> Case:
    """n answers about the 24 items of formats/items.csv."""
    return Case(
        "ratings",
        {"table": f"formats/{name}", "items": "formats/items.csv"},
        {"study": "T", "scale": "1-5", **options},
        first=(24 + n, 0, 0),
        again=(0, 24 + n, 0),
        made={"images": 24, "ratings": n, "raters": 3, "studies": 1},
    )


CASES = [
    *(bundle(f"bundle_{name}.zip", 3) for name in ("resunit", "xres", "nottiff")),
    bundle("bundle_sixty_one_bad_exif.zip", 60),
    bundle("black_images.zip", 4),
    Case(
        "ratings",
        {"table": "timestamp_dotnet_min.csv", "items": "timestamp_items.csv"},
        {"study": "T", "scale": "1-5"},
        first=(5, 0, 1),
        again=(0, 5, 1),
        refused=(2, "answered_at"),
        made={"ratings": 1, "raters": 1},
    ),
    Case(
        "ratings",
        {"table": "formats/othernames.csv", "items": "formats/items.csv"},
        {"study": "T", "scale": "1-5"},
        first=(96, 0, 0),
        again=(0, 96, 0),
        made={"ratings": 72, "raters": 3, "studies": 1},
    ),
    Case(
        "ratings",
        {"table": "formats/empty.csv", "items": "formats/items.csv"},
        {"study": "T", "scale": "1-5"},
        first=(88, 0, 0),
        again=(0, 88, 0),
        message="8 rows have no value.",
        made={"ratings": 64},
    ),
    *(
        ratings(name, n)
        for name, n in (
            ("book.xlsx", 72),
            ("long.csv.gz", 72),
            ("long_cols.json", 72),
            ("with_index.csv", 72),
            ("wide.csv", 72),
            ("multi_dim.csv", 144),
            ("labelstudio.json", 144),
            ("labelstudio_min.json", 144),
            ("mturk.csv", 72),
            ("potato.jsonl", 72),
            ("qualtrics.csv", 24),
        )
    ),
    ratings("words.csv", 72, mapping=json.dumps({"labels": {word: n for n, word in enumerate(WORDS, 1)}})),
    ratings("cp1252.csv", 72, mapping='{"encoding": "windows-1252"}'),
    Case(
        "ratings",
        {"table": "formats/imagenhub_r1.tsv"},
        {"study": "T", "scale": "0,0.5,1"},
        first=(72, 0, 0),
        again=(0, 72, 0),
        made={"images": 24, "ratings": 48, "raters": 1, "studies": 1},
    ),
    Case(
        "ratings",
        {"table": "formats/rank_long.csv", "items": "formats/items.csv"},
        {"study": "new", "scale": "1-3"},
        state=FAILED,
        first=(0, 0, 1),
        refused=(None, "rank"),
        message="analyze --rankings",
        made={"images": 0, "studies": 0, "ratings": 0, "raters": 0},
    ),
    Case(
        "ratings",
        {"table": "formats/long.csv"},
        {"study": "new", "scale": "1-5"},
        state=FAILED,
        first=(0, 0, 72),
        refused=(2, "item"),
        message="all 72 rows of",
        made={"studies": 0, "ratings": 0, "raters": 0},
    ),
]


@pytest.fixture(autouse=True)
def _temporary_storage(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda **_: None)
    client.force_login(researcher)
    return client


def stored() -> dict[str, int]:
    return {
        "images": Image.objects.count(),
        "ratings": Response.objects.count(),
        "raters": Rater.objects.count(),
        "studies": Study.objects.count(),
        "prompt sets": PromptSet.objects.count(),
    }


def upload(page: Client, case: Case, *, dry_run: bool) -> ImportRun:
    files = {role: SimpleUploadedFile(name, (FILES / name).read_bytes()) for role, name in case.files.items()}
    given = files | case.options | ({"dry_run": "on"} if dry_run else {})
    response = page.post(reverse("import-new", args=[case.kind]), given)
    assert response.status_code == 302, response.context["form"].errors
    run = ImportRun.objects.latest("pk")
    tasks.run_import(run.pk)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("case", CASES, ids=str)
def test_through_the_web_page(case: Case, page: Client) -> None:
    trial = upload(page, case, dry_run=True)
    assert not any(stored().values())
    real = upload(page, case, dry_run=False)
    for run in (trial, real):
        assert (run.state, run.n_created, run.n_unchanged, run.n_rejected) == (case.state, *case.first), run.message
        assert case.message in run.message
    assert stored() | case.made == stored()
    if case.refused:
        [first, *_] = real.first_rejects
        assert (first["row"], first["field"]) == case.refused
        assert first["cure"]
        shown = page.get(reverse("import-run", args=[real.pk])).content.decode()
        assert escape(first["problem"]) in shown
    if case.again is not None:
        run = upload(page, case, dry_run=False)
        assert (run.n_created, run.n_unchanged, run.n_rejected) == case.again


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_by_command(case: Case, dry_run: bool, researcher: User, capsys: pytest.CaptureFixture[str]) -> None:
    main, *beside = case.files.items()
    arguments = [case.kind, str(FILES / main[1]), "--owner", researcher.username]
    for role, name in beside:
        arguments += ["--with", f"{role}={FILES / name}"]
    for name, value in case.options.items():
        arguments += ["--option", f"{name}={value}"]
    arguments += ["--dry-run"] if dry_run else []
    if case.state == FAILED:
        with pytest.raises(CommandError, match=case.message):
            call_command("import_file", *arguments)
    else:
        call_command("import_file", *arguments)
        new, unchanged, refused = case.first
        assert f"{new} rows new, {unchanged} unchanged, {refused} refused" in capsys.readouterr().out
    assert stored() | (dict.fromkeys(stored(), 0) if dry_run else case.made) == stored()


def test_a_folder_of_pictures_with_odd_metadata() -> None:
    call_command("import_images", str(FILES / "exif"), "--set", "B", verbosity=0)
    sizes = {
        Path(image.provenance["source"]["file"]).stem: (image.width, image.height) for image in Image.objects.all()
    }
    assert len(sizes) == 12
    for name, size in sizes.items():
        assert size == ((40, 24) if "not_tiff" in name else (24, 40)), name


def test_keys_of_equal_pictures_all_take_scores(tmp_path: Path) -> None:
    call_command("import_images", str(FILES / "black_images.zip"), "--set", "C", verbosity=0)
    assert set(Image.objects.values_list("key", flat=True)) == {"k0", "k1", "k2", "k3"}
    scores = tmp_path / "scores.csv"
    scores.write_text("item,metric,value\n" + "".join(f"k{n},clip,{n}\n" for n in range(4)))
    call_command("import_scores", str(scores), "--set", "C", verbosity=0)
    assert sorted(Image.objects.values_list("key", "scores__value")) == [(f"k{n}", n) for n in range(4)]


def test_a_new_study_needs_a_scale_at_once(page: Client, researcher: User) -> None:
    with pytest.raises(CommandError, match="--scale: Declare the scale"):
        call_command("import_ratings", str(FILES / "formats/long.csv"), study="new", owner=researcher.username)
    table = SimpleUploadedFile("long.csv", (FILES / "formats/long.csv").read_bytes())
    response = page.post(reverse("import-new", args=["ratings"]), {"study": "new", "table": table})
    assert "Declare the scale" in str(response.context["form"].errors["scale"])
    assert not ImportRun.objects.exists()
    assert not Study.objects.exists()
