"""How fast annotators are served: next + submit over HTTP, many accounts at once, the server as `make run` starts it.

    python -m tests.benchmarks.annotator_loop [--items 1000,10000,100000,1000000] [--seconds 15] [--raters 16]

Each account answers as the rating page does: one POST saves an answer durably and brings the next card. Next to it, in
the same run, a bare Django view that inserts a row without waiting for the disk: the most that this server can do.
Prints loops/s, the 50th and 95th percentile of a loop in milliseconds, errors, and over-assignments found afterwards.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ROOT = Path(__file__).resolve().parents[2]
Work = Callable[["Client", int, "Gate", list[float], list[str]], Awaitable[None]]
WARM_UP = 6
START_S = 6
SERVED = ["--config", "python:evalsite.serving.web_server"]
# The same, spelled out: reading the site's own settings would make it the site.
BARE = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--keep-alive", "30"]
TOKEN = re.compile(rb'"token": "([^"]+)"')


@contextmanager
def site(environment: dict[str, str], application: str, options: list[str]) -> Iterator[int]:
    """A gunicorn on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gunicorn = Path(sys.executable).with_name("gunicorn")
    command = [str(gunicorn), application, *options, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        # The master listens before its processes are up, and the first of them would take every kept connection.
        time.sleep(START_S)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


class Gate:
    """Opens when every account has its first card and every process is warm; the time runs from there."""

    def __init__(self, n: int, seconds: float) -> None:
        self.barrier, self.seconds, self.until = asyncio.Barrier(n), seconds, 0.0

    async def wait(self) -> None:
        await self.barrier.wait()
        self.until = time.perf_counter() + self.seconds

    @property
    def is_open(self) -> bool:
        return time.perf_counter() < self.until


class Client:
    """One account's kept-alive connection: as little HTTP as will do, so that the server is what is measured."""

    def __init__(self, port: int, session: str) -> None:
        self.port, self.cookies = port, f"sessionid={session}; csrftoken={'c' * 32}"

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)

    async def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nCookie: {self.cookies}\r\n"
            f"X-CSRFToken: {'c' * 32}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        try:
            headers = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            await self.connect()  # the server may close an idle or old connection
            return await self.request(method, path, body)
        length = int(re.search(rb"(?i)content-length: (\d+)", headers).group(1))  # type: ignore[union-attr]
        return int(headers[9:12]), await self.reader.readexactly(length)


def annotator(study: str, field: str) -> Work:
    """The work of one account: answer card after card until the time is up."""

    async def annotate(client: Client, _: int, gate: Gate, times: list[float], errors: list[str]) -> None:
        await client.connect()
        for _ in range(WARM_UP):
            status, page = await client.request("GET", f"/rate/{study}/")
        found = re.search(rb'data-token="([^"]+)"', page)
        await gate.wait()
        if status != 200 or not found:
            errors.append(f"first card: {status}")
            return
        token = found.group(1).decode()
        while gate.is_open:
            answers = {field: len(times) % 5, "shown_ms_ago": 4000, "active_ms": 3900, "answered_ms_ago": 0}
            began = time.perf_counter()
            status, answer = await client.request("POST", f"/rate/{study}/answer/{token}/", urlencode(answers).encode())
            times.append(time.perf_counter() - began)
            following = TOKEN.search(answer)
            if status != 200:
                errors.append(f"{status} {answer[:200]!r}")
            if not following:
                return  # nothing is left for this account
            token = following.group(1).decode()

    return annotate


async def bare(client: Client, number: int, gate: Gate, times: list[float], errors: list[str]) -> None:
    await client.connect()
    item = 0
    for _ in range(WARM_UP):
        await client.request("POST", f"/{number}/{item}/", b"value=3")
    await gate.wait()
    while gate.is_open:
        began = time.perf_counter()
        status, answer = await client.request("POST", f"/{number}/{item}/", b"value=3")
        times.append(time.perf_counter() - began)
        if status != 200:
            errors.append(f"{status}")
            return
        item = int(answer)


def report(name: str, times: list[float], seconds: float, errors: list[str], note: str) -> float:
    times = sorted(times)
    rate = len(times) / seconds
    p50, p95 = (times[int(len(times) * q)] * 1000 for q in (0.5, 0.95)) if times else (float("nan"), float("nan"))
    print(f"{name:>24}  {rate:8.1f} loops/s  p50 {p50:7.1f} ms  p95 {p95:7.1f} ms  errors {len(errors)}  {note}")
    for error in errors[:3]:
        print("      ", error)
    return rate


def prepare(n_items: int, n_raters: int, k: int) -> tuple[str, str, list[str]]:
    """The study and the signed-in accounts; returns its token, the answer's field name and the session keys."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from annotations.models import Rater
    from tests.benchmarks.bulk_study import lay_study

    owner = User.objects.create_user(f"owner of {n_items}")
    study = lay_study(n_items=n_items, k=k, owner_id=owner.pk)
    sessions = []
    for i in range(n_raters):
        user = User.objects.create_user(f"rater {i} of {n_items}")
        Rater.objects.create(study=study, user=user, name=f"rater {i}", consented_at=timezone.now())
        sessions.append(session_of(user))
    return study.token, f"d{study.dimensions.get().pk}-0", sessions


def session_of(user: "User") -> str:
    """The key of a new session of this person, as a personal link leaves it."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from evalsite.accounts.sessions import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def over_assigned(study_token: str) -> int:
    """Items with more answers than wanted, or with two by one rater."""
    from django.db.models import Count, F

    from annotations.models import Item

    answered = Item.objects.filter(study__token=study_token, assignments__state="answered")
    too_many = answered.annotate(n=Count("assignments")).filter(n__gt=F("wanted")).count()
    twice = answered.values("pk", "assignments__rater").annotate(n=Count("assignments")).filter(n__gt=1).count()
    return too_many + twice


async def together(port: int, sessions: list[str], work: Work, seconds: float) -> tuple[list[float], list[str]]:
    """All accounts at once for this many seconds; the times of all loops and the errors."""
    times: list[float] = []
    errors: list[str] = []
    gate = Gate(len(sessions), seconds)
    clients = [Client(port, session) for session in sessions]
    await asyncio.gather(*(work(client, i, gate, times, errors) for i, client in enumerate(clients)))
    return times, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--items", default="1000,10000,100000,1000000")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--raters", type=int, default=16)
    parser.add_argument("--k", type=int, default=3)
    parser.add_argument("--database", default="", help="a PostgreSQL URL; SQLite when empty")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"EVALSITE_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "evalsite.settings"}
        if options.database:
            environment["DATABASE_URL"] = options.database
        os.environ.update(environment)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        environment["BARE_DATABASE"] = str(Path(folder) / "bare.sqlite3")
        measure_bare(environment, options)
        rates = {}
        for n_items in map(int, options.items.split(",")):
            token, field, sessions = prepare(n_items, options.raters, options.k)
            annotate = annotator(token, field)
            with site(environment, "evalsite.wsgi:application", SERVED) as port:
                times, errors = asyncio.run(together(port, sessions, annotate, options.seconds))
            note = f"over-assigned {over_assigned(token)}"
            rates[n_items] = report(f"{n_items} items", times, options.seconds, errors, note)
        smallest, largest = min(rates), max(rates)
        print(f"{smallest} items are {rates[smallest] / max(rates[largest], 1e-9):.2f} times as fast as {largest}")


def measure_bare(environment: dict[str, str], options: argparse.Namespace) -> None:
    with closing(sqlite3.connect(environment["BARE_DATABASE"])) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE rating (id integer PRIMARY KEY, rater integer, item integer, value text)")
    with site(environment, "tests.benchmarks.bare_view:application", BARE) as port:
        sessions = ["none"] * options.raters
        times, errors = asyncio.run(together(port, sessions, bare, options.seconds))
    report("bare Django view", times, options.seconds, errors, "no account, no card, no sync at commit")


if __name__ == "__main__":
    main()
