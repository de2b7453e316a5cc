"""Files of imports: how long they are kept, and what stays."""

import io
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generation import tasks
from generation.models import ImportRun, Prompt
from generation.services.imports import import_runs, upload_retention
from generation.services.imports.importers import importers
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TABLE = b"prompt\na fox\n,\n"
WEEK = timedelta(days=7)


def make_ended(*, ago: timedelta, dry_run: bool = False, content: bytes = TABLE) -> ImportRun:
    """An import that was carried out and ended so long ago."""
    run = import_runs.create_run(
        importer=importers()["prompts"],
        uploads={"table": ContentFile(content, name="a.csv")},
        options={"prompt_set": "p"},
        owner=make_user(researcher=True),
        dry_run=dry_run,
    )
    tasks.run_import(run.pk)
    return end_before(run, ago)


def end_before(run: ImportRun, ago: timedelta) -> ImportRun:
    ImportRun.objects.filter(pk=run.pk).update(ended_at=timezone.now() - ago)
    run.refresh_from_db()
    return run


def stored() -> set[str]:
    return {f"imports/{name}" for name in default_storage.listdir("imports")[1]}


def files_of(*runs: ImportRun) -> set[str]:
    return {name for run in runs for name in (run.upload.name, run.rejects.name) if name}


def test_trials_and_refused_files_go_after_a_week_and_what_was_imported_stays() -> None:
    long_ago, lately = WEEK + timedelta(minutes=1), WEEK - timedelta(minutes=1)
    trial, fresh_trial = make_ended(ago=long_ago, dry_run=True), make_ended(ago=lately, dry_run=True)
    refused = make_ended(ago=long_ago, content=b"colour\nred\n")
    done = make_ended(ago=timedelta(days=1000))
    assert (refused.state, done.state) == (ImportRun.State.FAILED, ImportRun.State.DONE)
    assert files_of(trial, fresh_trial, refused, done) == stored()
    kept = files_of(fresh_trial, done)

    assert tasks.remove_unused_uploads() > 0
    assert stored() == kept
    trial.refresh_from_db()
    assert (trial.upload.name, trial.rejects.name, trial.n_created, trial.file_name) == ("", "", 1, "a.csv")
    assert Prompt.objects.count() == 1
    assert tasks.remove_unused_uploads() == 0


def test_a_file_that_a_later_import_shares_stays() -> None:
    trial = make_ended(ago=WEEK + WEEK, dry_run=True)
    again = import_runs.repeat_run(run=trial, dry_run=False)
    tasks.remove_unused_uploads()
    tasks.run_import(again.pk)
    again.refresh_from_db()
    assert again.state == ImportRun.State.DONE


def test_further_files_of_an_import_go_with_it() -> None:
    run = import_runs.create_run(
        importer=importers()["ratings"],
        uploads={
            "table": ContentFile(b"item,rater,dimension,value\ni1,ann,match,4\n", name="r.csv"),
            "items": ContentFile(b"item,prompt,method\ni1,a fox,m\n", name="i.csv"),
        },
        options={"study": "s", "scale": "1-5"},
        owner=make_user(researcher=True),
        dry_run=True,
    )
    tasks.run_import(run.pk)
    end_before(run, WEEK + WEEK)
    tasks.remove_unused_uploads()
    assert stored() == set()
    run.refresh_from_db()
    assert run.options["files"]["items"] == {"name": "i.csv", "stored": ""}


@pytest.mark.parametrize("state", [ImportRun.State.WAITING, ImportRun.State.RUNNING])
def test_files_of_an_import_under_way_stay(state: str) -> None:
    run = make_ended(ago=WEEK)
    ImportRun.objects.update(state=state, ended_at=None, created_at=timezone.now() - 10 * WEEK)
    assert upload_retention.remove_older(than=timezone.now()).n_files == 0
    assert stored() == files_of(run)


def test_a_file_without_a_row_goes_after_a_day() -> None:
    """As a failure between the file and its row leaves it."""
    young, old = (default_storage.save("imports/table", ContentFile(b"x")) for _ in range(2))
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(Path(default_storage.path(old)), (two_days_ago, two_days_ago))
    tasks.remove_unused_uploads()
    assert stored() == {young}


def test_the_command_removes_what_was_imported_long_ago(capsys: pytest.CaptureFixture[str]) -> None:
    done, fresh = make_ended(ago=timedelta(days=100)), make_ended(ago=timedelta(days=1))
    out = io.StringIO()
    call_command("remove_uploads", days=30, dry_run=True, stdout=out)
    assert out.getvalue() == "Imports whose files would be removed: 1.\n"
    assert stored() == files_of(done, fresh)
    call_command("remove_uploads", days=30, stdout=out)
    assert "Files removed: 2 (" in out.getvalue()
    assert stored() == files_of(fresh)
    assert Prompt.objects.count() == 1
    with pytest.raises(CommandError):
        call_command("remove_uploads", days=-1)


def test_the_page_says_that_the_file_is_gone_and_offers_no_repetition(client: Client) -> None:
    run = make_ended(ago=WEEK + WEEK, dry_run=True)
    assert run.owner is not None
    client.force_login(run.owner)
    page = reverse("import-run", args=[run.pk])
    assert "Import the valid rows" in client.get(page).content.decode()
    tasks.remove_unused_uploads()
    content = client.get(page).content.decode()
    assert "No longer kept on this site" in content
    assert "Import the valid rows" not in content
    assert "All refused rows" not in content
    client.post(reverse("import-again", args=[run.pk]))
    assert ImportRun.objects.count() == 1
