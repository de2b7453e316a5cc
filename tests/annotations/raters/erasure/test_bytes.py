"""After an erasure the name and the panel's numbers are in no byte of SQLite's files."""

import random
import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotations.models import RaterMessage, Response
from annotations.services import sqlite_writes
from annotations.services.raters import my_data
from tests.annotations.raters.test_checks import rate_all
from tests.annotations.raters.test_panels import PID, SESSION, arrive, join, make_panel_study
from tests.factories import make_rater, make_study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]
NAME, WORD = "Yttriumbobolink", "Quizzaciously hard blue ones."


def bytes_on_disk() -> bytes:
    """The database file with its log, as they are; what only the kernel has is in them, too."""
    name = str(connection.settings_dict["NAME"])
    return b"".join(Path(f"{name}{end}").read_bytes() for end in ("", "-wal") if Path(f"{name}{end}").exists())


def test_an_erased_rater_is_in_no_byte_of_the_files() -> None:
    study = make_study(n_items=12, k=3)
    rater = make_rater(study, name=NAME)
    rate_all(rater)
    for _ in range(40):
        my_data.leave_word(rater=rater, text=WORD * random.Random(1).randrange(1, 9))
    for number in range(200):  # others who write between, so that pages split and rows move
        make_rater(study, name=f"{number:03d} {'x' * 40}")
    sqlite_writes.empty_log()
    assert NAME.encode() in bytes_on_disk()
    assert WORD.encode() in bytes_on_disk()

    my_data.erase(rater=rater, now=timezone.now())

    left = bytes_on_disk()
    assert NAME.encode() not in left
    assert WORD.encode() not in left
    assert not RaterMessage.objects.exists()
    assert not Response.objects.exists()


def test_of_people_from_a_panel_no_number_is_left_in_the_files(client: Client) -> None:
    study = make_panel_study()
    rater = join(client, study)
    rate_all(rater)
    declines = Client()
    arrive(declines, study, "9" * 24, "8" * 24)
    sqlite_writes.empty_log()
    for trace in (PID, SESSION, rater.name, "9" * 24, "8" * 24):
        assert trace.encode() in bytes_on_disk()

    client.post(f"/my-data/{study.token}/erase/", {"sure": "1"})
    declines.get(f"/join/{study.invitation}/declined/")

    for trace in (PID, SESSION, rater.name, "9" * 24, "8" * 24):
        assert trace.encode() not in bytes_on_disk()


def test_who_reads_meanwhile_keeps_the_log_and_the_next_call_empties_it() -> None:
    study = make_study(n_items=2)
    rater = make_rater(study, name=NAME)
    reader = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM annotations_rater").fetchone()

    my_data.erase(rater=rater, now=timezone.now())

    assert not sqlite_writes.empty_log(patience_s=0.1)
    reader.execute("COMMIT")
    assert sqlite_writes.empty_log()
    assert NAME.encode() not in bytes_on_disk()
    reader.close()
