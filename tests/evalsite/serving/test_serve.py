"""`manage.py serve`, as a person runs it: it comes up, makes room on a taken port, and leaves nothing behind."""

import http.client
import io
import re
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command

from annotations.models import Study
from evalsite import celery_app
from evalsite.serving.probe import is_healthy
from generation.models import Run, Step
from tests import servers
from tests.servers import is_running
from tests.serving import Serve, children, descendants, is_ready, sending_to_serve
from tests.without_generation.missing_packages import without_packages

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


def memory_map(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def a_task_on_the_generator_s_queue_is_carried_out_and_its_log_passed_on(server: servers.Server) -> None:
    # A task that nobody has registered is refused in the log of the worker that took it.
    with sending_to_serve():
        celery_app.send_task("no.such.task", queue="gpu")
    servers.wait_until(lambda: "no.such.task" in server.says(), server, timeout_s=30)
    lines = [line for line in server.says().splitlines() if "no.such.task" in line]
    assert lines
    assert all(line.startswith("generator | ") for line in lines)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_serve_comes_up_on_the_next_free_port_and_stops_cleanly(serve: Serve, sign: signal.Signals) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        server = serve("--port", str(port))
        servers.wait_until(lambda: is_ready(server), server, timeout_s=180)
    said = server.says()
    assert f"==> Port {port} is taken; using " in said
    address = said.partition("==> Ready: http://")[2].partition("/")[0]
    assert address != f"127.0.0.1:{port}"
    with closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        connection.request("GET", "/healthz/")
        response = connection.getresponse()
        assert (response.status, response.getheader("Server")) == (200, "evalsite")

    started = children(server.process.pid)
    assert len(started) == 5  # web, worker, importer, generator, clock
    # torch alone would take some hundred megabytes: it is loaded when a task asks for a model, not before.
    assert not any("libtorch" in memory_map(pid) for pid in descendants(server.process.pid))
    if sign == signal.SIGTERM:  # once is enough
        a_task_on_the_generator_s_queue_is_carried_out_and_its_log_passed_on(server)
    server.process.send_signal(sign)
    assert server.process.wait(60) == 0, server.says()
    assert server.says().rstrip().endswith("==> Stopped")
    assert not any(is_running(pid) for pid in started)
    assert not is_healthy("127.0.0.1", int(address.rpartition(":")[2]))


def test_a_web_server_that_cannot_begin_ends_the_site_with_its_status(serve: Serve, tmp_path: Path) -> None:
    """It is misconfigured, and to try again and again would hide that."""
    broken = tmp_path / "gunicorn.py"
    broken.write_text("raise SystemExit('this version of gunicorn does not start')")
    server = serve("--port", str(servers.free_port()), PYTHONPATH=str(tmp_path))
    assert server.process.wait(60) == 1
    assert "The web process ended by itself (status 1)." in server.says()
    assert server.says().rstrip().endswith("==> Stopped")


def test_without_the_extra_serve_says_what_is_missing_and_runs_no_generator(serve: Serve, tmp_path: Path) -> None:
    server = serve("--port", str(servers.free_port()), **without_packages(tmp_path, "torch", "open_clip"))
    servers.wait_until(lambda: is_ready(server), server, timeout_s=180)
    said = server.says()
    assert "No images can be drawn or scored here: torch, open_clip not installed" in said
    assert "`make run` without GENERATION=0 installs them" in said
    assert len(children(server.process.pid)) == 4


def test_the_demo_comes_up_with_sign_in_links_and_its_run_is_drawn(serve: Serve) -> None:
    # `serve` takes the study as it finds it. Drawing the whole one takes a quarter of a minute.
    call_command("demo", prompts_per_category=1, stdout=io.StringIO())
    server = serve("--demo", "--demo-prompts", "1", "--port", str(servers.free_port()))
    servers.wait_until(lambda: is_ready(server), server, timeout_s=180)
    said = server.says()
    for persona in ("annotator", "auditor", "researcher"):
        assert re.search(rf"^ +{persona} +http://127\.0\.0\.1:\d+/s/\?", said, re.MULTILINE), said
    assert "Started a run of the generator" in said

    run = Run.objects.get()
    assert run.owner is not None
    assert run.owner.username == "demo-researcher"
    servers.wait_until(lambda: not Run.objects.filter(ended_at=None).exists(), server, timeout_s=240)
    assert Run.objects.get().state == Run.State.DONE
    assert not run.steps.exclude(state=Step.State.DONE).exists()
    said_then = "The study of the demo's run is ready"
    servers.wait_until(lambda: said_then in server.says(), server, timeout_s=120)
    assert Study.objects.filter(is_simulated=True).count() == 2
    assert "generator | " not in server.says(), server.says()


def test_serve_refuses_a_database_that_is_not_up_to_date(serve: Serve, tmp_path: Path) -> None:
    server = serve(DATABASE_URL=f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert server.process.wait(60) == 1
    assert "run `python manage.py migrate` first" in server.says()


def test_serve_says_so_when_the_database_does_not_answer(serve: Serve) -> None:
    server = serve(DATABASE_URL=f"postgres://nobody@127.0.0.1:{servers.free_port()}/none")
    assert server.process.wait(60) == 1
    assert "The database does not answer" in server.says()
    assert "DATABASE_URL" in server.says()
