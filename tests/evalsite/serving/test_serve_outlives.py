"""`manage.py serve` outlives each of its processes and every unreadable file, while a rater rates."""

import http.client
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Rater, Response
from evalsite import celery_app
from generation import dispatch
from generation.models import ImportRun, Prompt, Run, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import Drawing
from generation.services.imports import import_runs
from generation.services.imports.importers import importers
from tests import servers
from tests.conftest import site_environment
from tests.factories import make_prompt, make_prompt_set, make_rater, make_study, make_user
from tests.serving import Serve, children, is_ready, sending_to_serve

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]

LEASE_S = 6
BACK_WITHIN_S = 10  # on an idle machine; as much longer as its processors are asked for more than once
LONGEST_WAIT_S = 30  # of a rater whose server starts anew, on a machine that other tests share
N_ROWS = 15_000
N_MESSAGES = 200
MATRIX = Matrix(
    methods=(methods.BASELINE,),
    seeds=(1, 2, 3, 4),
    engines={"image": EngineSpec("sd3", {"model": "tiny"})},
    metrics={},
    drawing=Drawing(n_steps=5, width=32, height=32),
)
# What a process's command line holds, and under which name a worker answers to Celery's ping.
ROLES = {"web": "gunicorn", "worker": "cpu", "importer": "imports", "clock": "beat", "generator": "gpu"}
QUEUES = ("cpu", "imports", "gpu")
NODES = {"worker": "cpu", "importer": "importer", "generator": "generator"}


class RaterAtWork(threading.Thread):
    """Somebody who answers card after card over HTTP, and sends again what was not acknowledged."""

    def __init__(self, rater: Rater, port: int) -> None:
        super().__init__(daemon=True)
        assert rater.user is not None
        client = Client()
        client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
        token = "c" * 32
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._headers = {"Cookie": f"sessionid={session}; csrftoken={token}", "X-CSRFToken": token}
        self._study, self._port = rater.study, port
        self._field = f"d{rater.study.dimensions.get().pk}-0"
        self._ended = threading.Event()
        self.n_acknowledged = 0
        self.longest_wait_s = 0.0

    def run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(0.1):
            try:
                self._answer_a_card()
            except (OSError, http.client.HTTPException):
                continue  # its connection died with the server: it asks again, as the page does
            self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - last)
            last = time.monotonic()

    def stop(self) -> None:
        self._ended.set()
        self.join(60)

    def _answer_a_card(self) -> None:
        page = self._ask("GET", reverse("rate", args=[self._study.token]))
        found = re.search(r'data-token="([^"]+)"', page)
        assert found, "the study must have cards enough"
        url = reverse("rate-answer", args=[self._study.token, found.group(1)])
        self._ask("POST", url, urlencode({self._field: "3"}))
        self.n_acknowledged += 1

    def _ask(self, method: str, url: str, body: str | None = None) -> str:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"} if body else {}
            connection.request(method, url, body, self._headers | form)
            response = connection.getresponse()
            content = response.read().decode()
            if response.status != 200:
                raise http.client.HTTPException(f"{method} {url}: {response.status}")
            return content


@pytest.fixture
def broker() -> Iterator[Path]:
    with sending_to_serve() as folder:
        yield folder


def child(server: servers.Server, role: str) -> int | None:
    """The process id of serve's child in a role."""
    for pid in children(server.process.pid):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:
            continue
        if ROLES[role] in words:
            return pid
    return None


def is_back(server: servers.Server, role: str, port: int, before: int) -> bool:
    pid = child(server, role)
    if pid in (None, before):
        return False
    if role == "web":
        return servers.answers(port)
    if role == "clock":  # it has noticed what has been overdue since the death of the one before
        return not ImportRun.objects.filter(file_name="overdue", ended_at=None).exists()
    node = f"{NODES[role]}@{socket.gethostname()}"
    return bool(celery_app.control.ping(destination=[node], timeout=1, limit=1))


def kill(server: servers.Server, role: str, port: int) -> float:
    """Kill a child as the kernel does when memory runs out; how long it took to be back."""
    before = child(server, role)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    if role == "clock":
        overdue = {"lease_until": timezone.now() - timedelta(seconds=1), "n_tries": import_runs.MOST_TRIES}
        ImportRun.objects.create(kind="prompts", file_name="overdue", state=ImportRun.State.RUNNING, **overdue)
    began = time.monotonic()
    servers.wait_until(lambda: is_back(server, role, port, before), server, timeout_s=180)
    return time.monotonic() - began


def set_aside_in(broker: Path) -> set[str]:
    """Messages that some worker could not read; other tests of this process share the folder."""
    return {path.name for path in (broker / "unreadable").glob("*.msg")}


def drop_rubbish(broker: Path) -> int:
    """Files that no reader can read, into every queue and every table; how many."""
    whole = b'{"body": "W1tdLCB7fSwge31d", "properties": {"delivery_tag": "1"}, "headers": {}}'
    rubbish = {"empty": b"", "truncated": whole[:30], "garbage": bytes(range(256))}
    for queue in QUEUES:
        for name, content in rubbish.items():
            (broker / "messages" / f"{name}.{queue}.msg").write_bytes(content)
    tables = list((broker / "control").glob("*.exchange"))
    for number, table in enumerate(tables):
        table.write_bytes(list(rubbish.values())[number % 3])
    return len(QUEUES) * len(rubbish)


def is_read(broker: Path, queue: str) -> bool:
    return not list((broker / "messages").glob(f"*.{queue}.msg"))


def start_import() -> ImportRun:
    table = b"prompt\n" + b"".join(b"a fox with %d pots\n" % n for n in range(N_ROWS))
    return dispatch.start_import(
        importer=importers()["prompts"],
        uploads={"table": ContentFile(table, name="many.csv")},
        options={"prompt_set": "many"},
        owner=make_user(),
        dry_run=False,
    )


def start_run() -> Run:
    prompt_set = make_prompt_set()
    prompts = [make_prompt(f"A fox with {n} pots.", prompt_set=prompt_set).pk for n in range(4)]
    return dispatch.start_run(name="run", owner=None, prompt_set=prompt_set, prompts=prompts, matrix=MATRIX)


def test_whatever_dies_raters_go_on_and_work_continues(
    serve: Serve, broker: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    rater = make_rater(make_study(n_items=1500, k=1))
    server = serve("--port", str(servers.free_port()), EVALSITE_LEASE_SECONDS=str(LEASE_S))
    servers.wait_until(lambda: is_ready(server), server, timeout_s=180)
    port = int(server.says().partition("==> Ready: http://127.0.0.1:")[2].partition("/")[0])
    at_work = RaterAtWork(rater, port)
    at_work.start()
    took_s = {}

    job = start_import()
    servers.wait_until(lambda: ImportRun.objects.get(pk=job.pk).n_rows > 0, server, timeout_s=180)
    took_s["importer"] = kill(server, "importer", port)

    run = start_run()
    servers.wait_until(lambda: run.steps.filter(state=Step.State.RUNNING).exists(), server, timeout_s=180)
    took_s["generator"] = kill(server, "generator", port)
    took_s["clock"] = kill(server, "clock", port)
    took_s["web"] = kill(server, "web", port)

    set_aside_before = set_aside_in(broker)
    n_dropped = drop_rubbish(broker)
    second = servers.start_celery_worker(site_environment(CELERY_BROKER_URL=""), folder=tmp_path)
    try:
        for _ in range(N_MESSAGES):
            celery_app.send_task("annotations.tasks.resume_reports")
        for queue in QUEUES:
            servers.wait_until(partial(is_read, broker, queue), server, timeout_s=180)
    finally:
        second.stop()
    took_s["worker"] = kill(server, "worker", port)

    servers.wait_until(lambda: ImportRun.objects.get(pk=job.pk).has_ended, server, timeout_s=180)
    servers.wait_until(lambda: Run.objects.get(pk=run.pk).has_ended, server, timeout_s=180)
    at_work.stop()
    record_property("back after, in seconds", took_s)
    record_property("longest wait of a rater, in seconds", at_work.longest_wait_s)

    job.refresh_from_db()
    run.refresh_from_db()
    assert (job.state, job.n_created) == (ImportRun.State.DONE, N_ROWS), job.message
    assert job.n_tries > 1, "its worker must be killed in the middle, or this shows nothing"
    assert Prompt.objects.filter(prompt_set__name="many").count() == N_ROWS
    assert run.state == Run.State.DONE, list(run.steps.values_list("message", flat=True))
    assert at_work.n_acknowledged > 0
    assert Response.objects.count() >= at_work.n_acknowledged
    assert at_work.longest_wait_s < LONGEST_WAIT_S
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    assert max(took_s.values()) < BACK_WITHIN_S * max(1, load), (took_s, load)
    said = server.says()
    assert said.count("ended by itself (killed by SIGKILL). Starting it again.") == len(took_s)
    assert len(set_aside_in(broker) - set_aside_before) == n_dropped
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
