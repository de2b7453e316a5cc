"""The import commands: files and folders in, counts and refused rows out."""

import lzma
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from generation.models import Image, Prompt
from generation.services.imports.importers import importers
from tests.factories import tiny_png

pytestmark = pytest.mark.django_db


def test_a_folder_means_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "functional_2.jsonl").write_text('{"topic": "a", "prompt": "x"}\n{"topic": "a", "prompt": "y"}\n')
    (tmp_path / "multi_subject_1.jsonl").write_text('{"topic": "b", "prompt": "z"}\n')
    (tmp_path / "notes.txt").write_text("not a table")
    call_command("import_prompts", str(tmp_path), prompt_set="p")
    assert set(Prompt.objects.values_list("category", "text")) == {
        ("functional", "x"),
        ("functional", "y"),
        ("multi_subject", "z"),
    }
    assert "functional_2.jsonl: 2 rows new, 0 unchanged, 0 refused" in capsys.readouterr().out


@pytest.mark.postgres
def test_after_many_rows_postgresql_plans_by_what_the_tables_hold(tmp_path: Path) -> None:
    def rows_counted() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Prompt._meta.db_table])
            return float(cursor.fetchone()[0])

    path = tmp_path / "prompts.csv"
    before = rows_counted()
    path.write_text("prompt\n" + "".join(f"{n} foxes\n" for n in range(999)))
    call_command("import_prompts", str(path), "--set", "few", verbosity=0)
    assert rows_counted() == before
    path.write_text("prompt\n" + "".join(f"{n} foxes\n" for n in range(1000)))
    call_command("import_prompts", str(path), "--set", "many", verbosity=0)
    assert rows_counted() >= 1999


def test_a_folder_of_images_is_one_bundle(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(tiny_png(1))
    (tmp_path / "manifest.csv").write_text("image,prompt\na.png,a fox\n")
    call_command("import_images", str(tmp_path), "--set", "p", "--method", "mine", verbosity=0)
    assert Image.objects.get().method.name == "mine"


def test_refused_rows_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("prompt\n" + " \nx\n" + "".join('"\t"\n' for _ in range(30)))
    call_command("import_prompts", str(path), "--set", "p", "--rejects", str(tmp_path / "rejects.csv"))
    captured = capsys.readouterr()
    assert 'row 4, prompt "\\t": the cell is empty. fill it in' in captured.err.lower()
    assert "more rejects; all of them are in" in captured.err
    assert len((tmp_path / "rejects.csv").read_text().splitlines()) == 32


def test_a_trial_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("prompt\nx\n")
    call_command("import_prompts", str(path), "--set", "p", "--dry-run")
    assert "Trial run. It would add: prompts 1." in capsys.readouterr().out
    assert not Prompt.objects.exists()


def test_a_folder_gives_tables_of_less_usual_endings(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"prompt": "a fox"}\n')
    (tmp_path / "b.tab").write_text("prompt\tcategory\na boat\tsea\n")
    (tmp_path / "c.csv.xz").write_bytes(lzma.compress(b"prompt\na tree\n"))
    call_command("import_prompts", str(tmp_path), "--set", "p")
    assert set(Prompt.objects.values_list("text", flat=True)) == {"a fox", "a boat", "a tree"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import_prompts", "nowhere.csv", "--set", "p"], "There is no file or folder nowhere.csv"),
        (["import_prompts", "t.csv"], "--prompt-set: This field is required"),
        (
            ["import_prompts", "t.csv", "--set", "p", "--owner", "nobody"],
            "there is no account with the user name 'nobody'",
        ),
        (["import_prompts", ".", "--set", "p"], "has no table in it"),
        (["import_prompts", "binary.csv", "--set", "p"], "this is a PNG image, not a table"),
        (["import_file", "scores", "t.csv", "--with", "items=t.csv"], "this kind of import takes no file"),
        (["import_file", "scores", "t.csv", "--option", "prompt_set"], "write NAME=VALUE"),
        (["import_file", "scores", "t.csv", "--option", "set=p"], "There is no such option"),
        (["import_file", "ratings", "t.csv", "--option", "study=s"], "--owner: Name the account"),
    ],
)
def test_what_is_wrong_is_said_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.csv").write_text("prompt\nx\n")
    (tmp_path / "binary.csv").write_bytes(tiny_png(1))
    monkeypatch.chdir(tmp_path / "empty" if "." in arguments else tmp_path)
    with pytest.raises(CommandError, match=words):
        call_command(*arguments)
    assert not Prompt.objects.exists()


def test_every_app_that_is_installed_is_asked_for_its_importers() -> None:
    assert list(importers()) == ["prompts", "images", "items", "ratings", "scores", "critiques"]
