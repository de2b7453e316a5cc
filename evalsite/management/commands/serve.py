"""`manage.py serve`: the web server, the workers and the clock of periodic work, together, until Ctrl-C."""

import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from evalsite.environment import Environment
from evalsite.serving.port import NoPort, listen, noted
from evalsite.serving.probe import is_healthy
from evalsite.serving.processes import ChildProcesses
from generation.queries.demo_run import N_PROMPTS, demo_run

IMPORTS_AT_ONCE = 4
# Of the extra `generation`: without these nothing is drawn or scored.
GENERATOR_NEEDS = ("torch", "diffusers", "transformers", "open_clip")


LOOK_AT_RUN_S = 2


class Every:
    """Asks at most every this many seconds, and answers False in between."""

    def __init__(self, seconds: float, ask: Callable[[], bool]) -> None:
        self._seconds, self._ask, self._asked_at = seconds, ask, -seconds

    def __call__(self) -> bool:
        if time.monotonic() - self._asked_at < self._seconds:
            return False
        self._asked_at = time.monotonic()
        return self._ask()


def demo_run_has_ended() -> bool:
    """Whether the demo's run has ended, or there is none to wait for. The connection is not kept in between."""
    try:
        run = demo_run()
        return run is None or run.has_ended
    except DatabaseError:
        return False  # locked or away: asked again soon
    finally:
        connections.close_all()


class Command(BaseCommand):
    help = "Serve the site and run the workers for its background work, until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        env = Environment()
        parser.add_argument("--host", default=env.text("EVALSITE_HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument(
            "--port",
            type=int,
            default=env.integer("EVALSITE_PORT", 8000, low=1, high=65_535),
            help="port to listen on; the next free one if it is taken, unless by this site, still stopping",
        )
        parser.add_argument("--workers", type=int, help="web processes (EVALSITE_WEB_WORKERS)")
        parser.add_argument("--threads", type=int, help="threads in each web process (EVALSITE_WEB_THREADS)")
        parser.add_argument(
            "--task-processes",
            type=int,
            default=env.integer("EVALSITE_TASK_PROCESSES", 1, low=1, high=64),
            help="processes for background work (EVALSITE_TASK_PROCESSES)",
        )
        parser.add_argument("--demo", action="store_true", help="make the demo study and print sign-in links")
        parser.add_argument(
            "--demo-prompts", type=int, default=N_PROMPTS, help="how many prompts the demo's run of the generator has"
        )
        env.close(program="manage.py serve")

    def handle(self, **options: Any) -> None:
        self.check_database()
        try:
            listener = listen(options["host"], options["port"], notes=settings.DATA_DIR, say=self.say)
        except NoPort as error:
            raise CommandError(str(error)) from error
        host, port = listener.getsockname()[:2]
        url = f"http://{'[' + host + ']' if ':' in host else host}:{port}".replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        self.say("==> Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()
        # This process has checked the settings and addresses for all. A worker that checks again imports every page,
        # which is a third of the time until a worker that died is back.
        os.environ["CELERY_SKIP_CHECKS"] = "1"

        missing = [package for package in GENERATOR_NEEDS if find_spec(package) is None]
        if missing:
            self.say(
                f"==> No images can be drawn or scored here: {', '.join(missing)} not installed "
                f"(`make {'demo' if options['demo'] else 'run'}` without GENERATION=0 installs them)"
            )
        self.say("==> Starting the web server and the " + ("worker" if missing else "workers"))
        with noted(port, notes=settings.DATA_DIR) as note_stopping, ChildProcesses(self.say) as children:
            # The socket is handed over open, and stays open here: nobody else can take the port, and clients that
            # connect while a dead web server is started again wait instead of being refused.
            children.start("web", web_command(listener.fileno(), options), pass_fds=[listener.fileno()])
            children.start("worker", worker_command(options["task_processes"]))
            children.start("importer", importer_command())
            children.start("clock", clock_command())
            if not missing:
                children.start("generator", generator_command())
            # A server that cannot even begin is misconfigured: starting it again would not help.
            status = children.wait(until=lambda: is_healthy(host, port), needs="web")
            if status is None and options["demo"]:
                status = self.make_demo(children, url, n_drawn=0 if missing else options["demo_prompts"])
            if status is None:
                self.say(self.style.SUCCESS(f"==> Ready: {url}/") + "   (Ctrl-C stops it)")
                if options["demo"] and not missing:
                    status = self.study_demo_run(children)
                if status is None:
                    status = children.wait()
            note_stopping()
            self.say("==> Stopping")
        listener.close()
        self.say("==> Stopped")
        if status:
            sys.exit(status)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def make_demo(self, children: ChildProcesses, url: str, *, n_drawn: int) -> int | None:
        """Makes the demo study once the site answers, so that the sign-in links are among the last lines. 0: stop.

        The generator, which has started meanwhile, does the demo's run.
        """
        self.say("==> Preparing the demo study")
        try:
            with children.interruptible():
                call_command("demo", base_url=url, stdout=self.stdout, stderr=self.stderr)
                if n_drawn:
                    who = {"owner": "demo-researcher", "prompts": n_drawn}
                    call_command("demo_run", **who, stdout=self.stdout, stderr=self.stderr)
        except KeyboardInterrupt:
            return 0
        return None

    def study_demo_run(self, children: ChildProcesses) -> int | None:
        """Makes the study of the demo's run when the run has ended. None: go on; 0: stop."""
        if children.wait(until=Every(LOOK_AT_RUN_S, demo_run_has_ended)) == 0:
            return 0
        try:
            with children.interruptible():
                call_command("demo_run_study", stdout=self.stdout, stderr=self.stderr)
        except KeyboardInterrupt:
            return 0
        except DatabaseError as error:
            self.say(f"No study of the demo's run ({error}). `manage.py demo_run_study` makes it.")
        return None

    def check_database(self) -> None:
        try:
            executor = MigrationExecutor(connection)
        except OperationalError as error:
            raise CommandError(
                f"The database does not answer: {error}Is the server up, and DATABASE_URL right?"
            ) from error
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError("The database is not up to date: run `python manage.py migrate` first.")


def web_command(descriptor: int, options: dict[str, Any]) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "evalsite.wsgi", "--config", "python:evalsite.serving.web_server"]
    command += ["--bind", f"fd://{descriptor}"]
    for name in ("workers", "threads"):
        if options[name] is not None:
            command += [f"--{name}", str(options[name])]
    return command


def worker_command(processes: int) -> list[str]:
    """One worker on the queue `cpu`: reports, and everything except drawing and imports."""
    return [*celery_worker("cpu", "cpu"), "--concurrency", str(processes)]


def importer_command() -> list[str]:
    """One worker on the queue `imports`. Its threads share a processor and serve a person each."""
    return [*celery_worker("imports", "importer"), "--pool", "threads", "--concurrency", str(IMPORTS_AT_ONCE)]


def clock_command() -> list[str]:
    """Celery's beat, in a process of its own: inside a worker it could die alone, and nobody would notice."""
    return [*celery_command(), "beat", "--loglevel", "WARNING"]


def generator_command() -> list[str]:
    """One worker on the queue `gpu`. Its one process loads a model after the fork, when a task asks for it."""
    return [*celery_worker("gpu", "generator"), "--pool", "prefork", "--concurrency", "1"]


def celery_worker(queue: str, name: str) -> list[str]:
    worker = [*celery_command(), "worker", "--queues", queue, "--hostname", f"{name}@%h"]
    return [*worker, "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]


def celery_command() -> list[str]:
    # As root, Celery warns of senders who could run code by pickled messages: this site accepts only JSON.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
    return [*python, "-m", "celery", "--quiet", "--app", "evalsite"]
