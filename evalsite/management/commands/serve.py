"""`manage.py serve`: the web server and the workers, together, until Ctrl-C."""

import errno
import socket
import sys
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from evalsite.environment import Environment
from evalsite.probe import is_healthy
from evalsite.processes import ChildProcesses

PORTS_TRIED = 20
# Of the extra `generation`: without these nothing is drawn or scored.
GENERATOR_NEEDS = ("torch", "diffusers", "transformers", "open_clip")


class Command(BaseCommand):
    help = "Serve the site and run the workers for its background work, until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        env = Environment()
        parser.add_argument("--host", default=env.text("EVALSITE_HOST", "127.0.0.1"), help="address to listen on")
        parser.add_argument(
            "--port",
            type=int,
            default=env.integer("EVALSITE_PORT", 8000, low=1, high=65_535),
            help="port to listen on; the next free one if it is taken",
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
        env.close(program="manage.py serve")

    def handle(self, **options: Any) -> None:
        self.check_database()
        listener = self.listen(options["host"], options["port"])
        host, port = listener.getsockname()[:2]
        url = f"http://{'[' + host + ']' if ':' in host else host}:{port}".replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        self.say("==> Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()

        missing = [package for package in GENERATOR_NEEDS if find_spec(package) is None]
        if missing:
            self.say(
                f"==> No images can be drawn or scored here: {', '.join(missing)} not installed "
                f"(`make {'demo' if options['demo'] else 'run'}` without GENERATION=0 brings them)"
            )
        self.say("==> Starting the web server and the " + ("worker" if missing else "workers"))
        with ChildProcesses(self.say) as children:
            # The socket is handed over open: between finding a free port and serving on it, nobody can take it.
            children.start("web", web_command(listener.fileno(), options), pass_fds=[listener.fileno()])
            children.start("worker", worker_command(options["task_processes"]))
            if not missing:
                children.start("generator", generator_command())
            listener.close()
            status = children.wait(until=lambda: is_healthy(host, port))
            if status is None and options["demo"]:
                status = self.make_demo(children, url, may_draw=not missing)
            if status is None:
                self.say(self.style.SUCCESS(f"==> Ready: {url}/") + "   (Ctrl-C stops it)")
                status = children.wait()
            self.say("==> Stopping")
        self.say("==> Stopped")
        if status:
            sys.exit(status)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def make_demo(self, children: ChildProcesses, url: str, *, may_draw: bool) -> int | None:
        """The demo study, made when the site answers, so that the sign-in links are among the last lines. 0: stop.

        The demo's run is left to the generator, which has come up meanwhile.
        """
        self.say("==> Preparing the demo study")
        try:
            with children.interruptible():
                call_command("demo", base_url=url, stdout=self.stdout, stderr=self.stderr)
                if may_draw:
                    call_command("demo_run", owner="demo-researcher", stdout=self.stdout, stderr=self.stderr)
        except KeyboardInterrupt:
            return 0
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

    def listen(self, host: str, wanted: int) -> socket.socket:
        """A listening socket on the wanted port, or on the next free one, with a word about it."""
        for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
            listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
                listener.listen(2048)
            except OSError as error:
                listener.close()
                if error.errno == errno.EADDRINUSE:
                    continue
                raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
            if port != wanted:
                self.say(f"==> Port {wanted} is taken; using {port}")
            return listener
        raise CommandError(f"Ports {wanted} to {port} are all taken: choose another with --port or EVALSITE_PORT.")


def web_command(descriptor: int, options: dict[str, Any]) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "evalsite.wsgi", "--config", "python:evalsite.web_server"]
    command += ["--bind", f"fd://{descriptor}"]
    for name in ("workers", "threads"):
        if options[name] is not None:
            command += [f"--{name}", str(options[name])]
    return command


def worker_command(processes: int) -> list[str]:
    """One worker on the queue `cpu`, with the clock for periodic work in it: a second one would ring twice."""
    clock = ["--beat", "--schedule", str(settings.DATA_DIR / "celerybeat-schedule")]
    return [*celery_command("cpu", "cpu"), "--concurrency", str(processes), *clock]


def generator_command() -> list[str]:
    """One worker on the queue `gpu`. Its one process loads a model after the fork, when a task asks for it."""
    return [*celery_command("gpu", "generator"), "--pool", "prefork", "--concurrency", "1"]


def celery_command(queue: str, name: str) -> list[str]:
    # As root, Celery warns of senders who could run code by pickled messages: this site takes JSON alone.
    python = [sys.executable, "-W", "ignore:You're running the worker with superuser"]
    worker = ["-m", "celery", "--quiet", "--app", "evalsite", "worker", "--queues", queue, "--hostname", f"{name}@%h"]
    return [*python, *worker, "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
