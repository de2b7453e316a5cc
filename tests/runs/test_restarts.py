"""The broker or the database ends in the middle of a run, without warning, and comes back: the images are the same."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from generation import dispatch, tasks
from generation.models import Image, Run, Step
from tests import servers
from tests.conftest import unavailable
from tests.runs.test_killed_worker import MATRIX, made, start
from tests.servers import ROOT, Server

pytestmark = pytest.mark.worker
PATIENCE_S = 180


def wait_until(what: Callable[[], bool], *, meanwhile: Callable[[], object] = lambda: None) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it took too long"
        meanwhile()
        time.sleep(0.2)


@pytest.mark.django_db(transaction=True)
def test_the_broker_restarts_and_forgets_all_messages(
    celery_worker_process: Callable[..., Server], tmp_path: Path
) -> None:
    undisturbed = start()
    dispatch.work_here(run=undisturbed)
    redis = servers.start_redis(tmp_path / "redis")
    try:
        celery_worker_process(redis.url, queues="cpu,gpu", EVALSITE_LEASE_SECONDS="3")
        run = start()
        wait_until(lambda: run.steps.filter(kind=Step.Kind.DRAW, state=Step.State.DONE).exists())

        redis.crash()
        time.sleep(1)
        redis.start_again(lambda: servers.answers(int(redis.url.split(":")[2].split("/")[0])))

        def has_ended() -> bool:
            run.refresh_from_db()
            return run.state != Run.State.RUNNING

        # What the clock does in a running site: the messages are gone, the rows are not.
        wait_until(has_ended, meanwhile=tasks.resume_runs)
    finally:
        redis.stop()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert made(run) == made(undisturbed)
    assert max(Counter(run.steps.exclude(image=None).values_list("image", flat=True)).values()) == 1
    assert Image.objects.filter(steps__run=run).distinct().count() == 10


class Site:
    """A site of its own, on a PostgreSQL of its own, spoken to by its commands."""

    def __init__(self, database: Server, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVALSITE_", "PYTEST_"))}
        self.folder = folder
        kept.pop("CELERY_BROKER_URL", None)
        self.environment = kept | {
            "DJANGO_SETTINGS_MODULE": "evalsite.settings",
            "DATABASE_URL": database.url,
            "EVALSITE_DATA_DIR": str(folder),
            "EVALSITE_LEASE_SECONDS": "3",
        }

    def manage(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def database() -> Iterator[Server]:
    try:
        server = servers.start_postgres()
    except servers.Unavailable as reason:
        unavailable(reason)
    yield server
    server.stop()


def test_the_database_restarts_in_the_middle(database: Server, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    site = Site(database, folder)
    # The tables of the models: tests/databases/test_postgres_tables.py runs the migrations and compares.
    site.manage("migrate", "--run-syncdb", "--verbosity", "0", DJANGO_SETTINGS_MODULE="tests.databases.site_settings")
    (tmp_path / "prompts.csv").write_text("prompt\nA fox stirs a red pot.\nA hare holds a lamp.\n")
    site.manage("import_prompts", str(tmp_path / "prompts.csv"), "--set", "to try")
    (tmp_path / "matrix.json").write_text(json.dumps(MATRIX.as_json()))
    with ExitStack() as stack:
        clock = ["--beat", "--schedule", str(tmp_path / "beat")]
        worker = servers.start_celery_worker(site.environment, folder=tmp_path, queues="cpu,gpu", options=clock)
        stack.callback(worker.stop)
        site.manage("generate", "start", "--prompt-set", "to try", "--matrix", str(tmp_path / "matrix.json"))

        def count(state: str) -> int:
            with psycopg.connect(database.url) as connection:
                row = connection.execute("SELECT count(*) FROM generation_step WHERE state = %s", [state]).fetchone()
            return int(row[0]) if row else 0

        def has_ended() -> bool:
            with psycopg.connect(database.url) as connection:
                row = connection.execute("SELECT ended_at FROM generation_run").fetchone()
            return bool(row and row[0])

        wait_until(lambda: count("done") >= 3)
        n_before = count("done")
        database.crash()
        time.sleep(1)
        n_said = database.says().count("ready to accept connections")
        database.start_again(lambda: database.says().count("ready to accept connections") > n_said)
        n_all = 24
        assert n_before < n_all, "the run must be under way, or this shows nothing"

        wait_until(lambda: count("done") == n_all)
        wait_until(has_ended)
        assert ", done:" in site.manage("generate", "show", "1")
    # Each image is what its record says, so the fault left no trace in it.
    assert "10 of 10 images are bit-equal." in site.manage("reproduce", "--run", "1")
